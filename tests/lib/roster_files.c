#include "tests/lib/roster_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/scratch.h"

enum status
roster_try(const char *machines, const char *users, struct roster **ret_roster, struct text *why)
{
    if (machines != NULL) {
        scratch_write_text("machines.json", machines);
    }
    if (users != NULL) {
        scratch_write_text("users.json", users);
    }
    return roster_load("machines.json", "users.json", ret_roster, why);
}

struct roster *roster_of(const char *machines, const char *users)
{
    TEXT_LOCAL(why, 512);
    struct roster *roster = NULL;

    if (roster_try(machines, users, &roster, &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
    return roster;
}
