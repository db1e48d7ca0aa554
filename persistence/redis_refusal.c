#include "persistence/redis_refusal.h"

#include <string.h>

static bool has_username(const struct redis_account *account)
{
    return account->username != NULL && account->username[0] != '\0';
}

static void wants_password(const struct redis_account *account, struct text *out)
{
    text_addf(
        out,
        account->password[0] == '\0' ? "it wants a password, and %s is empty"
                                     : "it wants a password again, though it had %s",
        account->password_key);
}

static void wrong_password(const struct redis_account *account, struct text *out)
{
    if (has_username(account)) {
        text_addf(
            out, "it does not take [redis] username \"%s\" with that %s, or this user is off there",
            account->username, account->password_key);
    } else {
        text_addf(out, "it does not take %s", account->password_key);
    }
}

static void no_password_there(const struct redis_account *account, struct text *out)
{
    text_addf(
        out, "its default user has no password: leave %s empty%s", account->password_key,
        account->username != NULL ? ", or set [redis] username too" : "");
}

/* Redis names the command, or says that it was a key. */
static void no_rights(const struct redis_account *account, const char *error, struct text *out)
{
    if (account->username == NULL) {
        text_add(out, "its default user lacks a right: ");
    } else if (account->username[0] == '\0') {
        text_add(
            out, "its default user lacks a right that deploy/redis/tagout.conf gives (another user "
                 "would be [redis] username): ");
    } else {
        text_addf(
            out,
            "its user \"%s\" ([redis] username) lacks a right that deploy/redis/tagout.conf "
            "gives: ",
            account->username);
    }
    redis_error(account, error, out);
}

bool redis_refusal(const struct redis_account *account, const char *error, struct text *out)
{
    if (strncmp(error, "NOAUTH", strlen("NOAUTH")) == 0) {
        wants_password(account, out);
    } else if (
        strncmp(error, "WRONGPASS", strlen("WRONGPASS")) == 0 ||
        strncmp(error, "ERR invalid password", strlen("ERR invalid password")) == 0) {
        wrong_password(account, out);
    } else if (strstr(error, "without any password configured") != NULL) {
        no_password_there(account, out);
    } else if (
        /* A script that may run, but not do what it does, says so in other words. */
        strstr(error, "NOPERM") != NULL ||
        strstr(error, "user executing the script can't") != NULL) {
        no_rights(account, error, out);
    } else {
        return false;
    }
    return true;
}

void redis_error(const struct redis_account *account, const char *error, struct text *out)
{
    bool shows = account->password[0] != '\0' && strstr(error, account->password) != NULL;

    text_add(out, shows ? "an error that repeats the password" : error);
}
