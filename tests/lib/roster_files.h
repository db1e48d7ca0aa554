/* Rosters from strings, by way of files in the test's own directory (scratch.h). */
#ifndef TAGOUT_TESTS_ROSTER_FILES_H
#define TAGOUT_TESTS_ROSTER_FILES_H

#include "controller/config/config.h"

/* A user with every key; the arguments are JSON, e.g. "\"1001\"" and "[\"123\"]". */
#define USER(account, fobs)                                                                        \
    "{\"fob_codes\": " fobs ", \"account_id\": " account                                           \
    ", \"full_name\": \"Ada Byron\", \"first_name\": \"Ada\", \"last_name\": \"Byron\","           \
    " \"preferred_name\": \"Ada\", \"email\": \"ada@workshop.example\","                           \
    " \"expiration_ymd\": \"2031-01-31\", \"authorizations\": [\"Saw\", \"Lathe\"]}"

/* Writes machines.json and users.json; NULL leaves the one that is there. */
MUST_USE enum status
roster_try(const char *machines, const char *users, struct roster **ret_roster, struct text *why);

/* The same, and the test fails when they don't load. */
struct roster *roster_of(const char *machines, const char *users);

#endif
