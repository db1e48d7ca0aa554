/* Passwords of broker accounts: random ones, and how Mosquitto keeps them. */
#ifndef TAGOUT_CTL_PASSWORD_H
#define TAGOUT_CTL_PASSWORD_H

#include "controller/support/status.h"
#include "controller/support/text.h"

#define PASSWORD_SIZE 25        /* with the NUL */
#define PASSWORD_HASH_SIZE 128  /* of Mosquitto's kind, with the NUL */
#define PASSWORD_SHA256_SIZE 65 /* with the NUL */
#define PASSWORD_KEY_SIZE 65

/* Letters and digits that look like no others: over 2^139 possibilities, and nothing that YAML,
 * INI or a shell would read in another way. */
MUST_USE enum status password_make(char ret_password[PASSWORD_SIZE]);

/* What stands behind the name in Mosquitto's password_file: `$7$`, PBKDF2 with HMAC-SHA-512, under
 * a random salt. */
MUST_USE enum status password_hash(const char *password, char ret_hash[PASSWORD_HASH_SIZE]);

/* What Redis's `user` lines have behind their #. */
void password_sha256(const char *password, char ret_hash[PASSWORD_SHA256_SIZE]);

/* 32 random bytes, in hexadecimal; after a password_make. */
void password_key(char ret_key[PASSWORD_KEY_SIZE]);

#endif
