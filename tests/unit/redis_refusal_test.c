/* What Redis has against an account, in words that name the key (C10.1). The errors are those of
 * Redis 5, 6 and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "persistence/redis_refusal.h"

#define NOAUTH "NOAUTH Authentication required."
#define WRONGPASS "WRONGPASS invalid username-password pair or user is disabled."
#define NO_COMMAND "NOPERM this user has no permissions to run the 'evalsha' command"
#define NO_KEY "NOPERM this user has no permissions to access one of the keys used as arguments"
#define IN_SCRIPT                                                                                  \
    "ERR The user executing the script can't access at least one of the keys mentioned in the "    \
    "command arguments script: 0123, on @user_script:1."

static const struct redis_account nobody = {"", "", "[redis] password"};
static const struct redis_account old = {"", "hunter2", "[redis] password"};
static const struct redis_account tagout = {"tagout", "hunter2", "[redis] password"};
static const struct redis_account sentinel = {NULL, "hunter2", "[redis] sentinel_password"};
static const struct redis_account silent = {NULL, "", "[redis] sentinel_password"};

static void a_refusal_names_the_key_that_sets_it(void **state)
{
    static const struct {
        const struct redis_account *account;
        const char *error;
        const char *words;
    } cases[] = {
        {&nobody, NOAUTH, "it wants a password, and [redis] password is empty"},
        {&silent, NOAUTH, "it wants a password, and [redis] sentinel_password is empty"},
        {&tagout, NOAUTH, "it wants a password again, though it had [redis] password"},
        {&old, WRONGPASS, "it does not take [redis] password"},
        {&old, "ERR invalid password", "it does not take [redis] password"},
        {&sentinel, WRONGPASS, "it does not take [redis] sentinel_password"},
        {&tagout, WRONGPASS,
         "it does not take [redis] username \"tagout\" with that [redis] password, or this user is "
         "off there"},
        {&old,
         "ERR AUTH <password> called without any password configured for the default user. Are you "
         "sure your configuration is correct?",
         "its default user has no password: leave [redis] password empty, or set [redis] username "
         "too"},
        {&sentinel, "ERR AUTH <password> called without any password configured for the default",
         "its default user has no password: leave [redis] sentinel_password empty"},
        {&tagout, NO_COMMAND,
         "its user \"tagout\" ([redis] username) lacks a right that deploy/redis/tagout.conf "
         "gives: " NO_COMMAND},
        {&tagout, NO_KEY,
         "its user \"tagout\" ([redis] username) lacks a right that deploy/redis/tagout.conf "
         "gives: " NO_KEY},
        {&old, IN_SCRIPT,
         "its default user lacks a right that deploy/redis/tagout.conf gives (another user would "
         "be [redis] username): " IN_SCRIPT},
        {&sentinel, NO_COMMAND, "its default user lacks a right: " NO_COMMAND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 512);
        assert_true(redis_refusal(cases[i].account, cases[i].error, &out));
        assert_string_equal(out.data, cases[i].words);
        assert_null(strstr(out.data, "hunter2"));
    }
}

static void what_is_no_refusal_is_left_as_it_is(void **state)
{
    static const char *const errors[] = {
        "LOADING Redis is loading the dataset in memory",
        "ERR DB index is out of range",
        "READONLY You can't write against a read only replica.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "",
    };
    TEXT_LOCAL(out, 512);

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        assert_false(redis_refusal(&tagout, errors[i], &out));
        assert_string_equal(out.data, "");
        redis_error(&tagout, errors[i], &out);
        assert_string_equal(out.data, errors[i]);
        text_clear(&out);
    }
}

static void an_error_that_repeats_the_password_is_not_repeated(void **state)
{
    static const char error[] = "ERR unknown command 'AUTH', with args beginning with: 'hunter2' ";
    TEXT_LOCAL(out, 512);

    (void)state;
    redis_error(&old, error, &out);
    assert_null(strstr(out.data, "hunter2"));
    assert_string_equal(out.data, "an error that repeats the password");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_names_the_key_that_sets_it),
        cmocka_unit_test(what_is_no_refusal_is_left_as_it_is),
        cmocka_unit_test(an_error_that_repeats_the_password_is_not_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
