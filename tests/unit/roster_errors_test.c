/* C10.2: what is refused in machines.json and users.json, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/roster.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define CHARACTERS_64 "0123456789012345678901234567890123456789012345678901234567890123"
#define GOOD "{\"fob_codes\": [], \"account_id\": \"1\", \"full_name\": \"\", \"first_name\": \"\","

struct refusal {
    const char *file;
    const char *why; /* behind the file's name */
};

static void assert_why(const char *machines, const char *users, const char *file, const char *why)
{
    TEXT_LOCAL(found, 512);
    TEXT_LOCAL(expected, 512);
    struct roster *roster = NULL;

    text_addf(&expected, "%s: %s", file, why);
    assert_int_not_equal(roster_try(machines, users, &roster, &found), STATUS_OK);
    assert_string_equal(found.data, expected.data);
    assert_null(roster);
}

static const struct refusal bad_machines[] = {
    {"[]", "/: must be an object, not an array"},
    {"{\"saw\": 1}", "/saw: must be an object, not a number"},
    {"{\"saw\": {}}", "/saw: lacks authorizations_or"},
    {"{\"Saw\": {\"authorizations_or\": []}}",
     "/Saw: a machine's name is 1 to 64 characters of a to z, 0 to 9, _ and -"},
    {"{\"\": {\"authorizations_or\": []}}",
     "/: a machine's name is 1 to 64 characters of a to z, 0 to 9, _ and -"},
    {"{\"a/b~c\": {\"authorizations_or\": []}}",
     "/a~1b~0c: a machine's name is 1 to 64 characters of a to z, 0 to 9, _ and -"},
    {"{\"a\\nb\": {\"authorizations_or\": []}}",
     "/a?b: a machine's name is 1 to 64 characters of a to z, 0 to 9, _ and -"},
    {"{\"" CHARACTERS_64 "x\": {\"authorizations_or\": []}}",
     "/" CHARACTERS_64 "...: a machine's name is 1 to 64 characters of a to z, 0 to 9, _ and -"},
    {"{\"saw\": {\"authorizations_or\": \"Saw\"}}",
     "/saw/authorizations_or: must be an array, not a string"},
    {"{\"saw\": {\"authorizations_or\": [null]}}",
     "/saw/authorizations_or/0: must be a string, not null"},
    {"{\"saw\": {\"authorizations_or\": [\"a\", \"\"]}}",
     "/saw/authorizations_or/1: must not be empty"},
    {"{\"saw\": {\"authorizations_or\": [\"" CHARACTERS_64 "x\"]}}",
     "/saw/authorizations_or/0: must be at most 64 characters"},
    {"{\"saw\": {\"authorizations_or\": [\"a\\tb\"]}}",
     "/saw/authorizations_or/0: must not hold control characters"},
    {"{\"saw\": {\"authorizations_or\": [], \"always_on\": true}}", "/saw/always_on: unknown key"},
    {"{\"saw\": {\"authorization_or\": []}}",
     "/saw/authorization_or: unknown key; did you mean authorizations_or?"},
    {"{\"saw\": {\"authorizations_or\": [], \"always_enabled\": 1}}",
     "/saw/always_enabled: must be a boolean, not a number"},
    {"{\"saw\": {\"authorizations_or\": [], \"unauthorized_warn_only\": \"true\"}}",
     "/saw/unauthorized_warn_only: must be a boolean, not a string"},
    {"{\"saw\": {\"authorizations_or\": [], \"alias\": null}}",
     "/saw/alias: must be a string, not null"},
    {"{\"saw\": {\"authorizations_or\": [], \"alias\": \"a\\u0085b\"}}",
     "/saw/alias: must not hold control characters"},
    {"{\"saw\": {\"authorizations_or\": [], \"mains\": \"never\"}}",
     "/saw/mains: must be \"always\" or \"switched\", not \"never\""},
    {"{\"saw\": {\"authorizations_or\": [], \"idle_amps\": -0.1}}",
     "/saw/idle_amps: must be from 0 to 10000"},
    {"{\"saw\": {\"authorizations_or\": [], \"idle_amps\": \"1\"}}",
     "/saw/idle_amps: must be a number, not a string"},
    {"{\"table-saw\": {\"authorizations_or\": [], \"second_relay\": "
     "{\"authorizations_or\": []}}}",
     "/table-saw/second_relay/authorizations_or: must hold at least one"},
    {"{\"saw\": {\"authorizations_or\": [], \"second_relay\": {}}}",
     "/saw/second_relay: lacks authorizations_or"},
    {"{\"saw\": {\"authorizations_or\": [], \"second_relay\": true}}",
     "/saw/second_relay: must be an object, not a boolean"},
    {"{\"saw\": {\"authorizations_or\": [], \"second_relay\": "
     "{\"authorizations_or\": [\"a\"], \"mains\": \"always\"}}}",
     "/saw/second_relay/mains: unknown key"},
    {"{\"saw\": {\"authorizations_or\": [], \"second_relay\": "
     "{\"authorizations_or\": [\"a\"], \"always_enabled\": \"yes\"}}}",
     "/saw/second_relay/always_enabled: must be a boolean, not a string"},
    {"{\"a\": {\"authorizations_or\": [], \"alias\": \"B\"},"
     " \"b\": {\"authorizations_or\": []}}",
     "/a/alias: /b is called \"B\" too"},
    {"{\"a\": {\"authorizations_or\": [], \"alias\": \"The Saw\"},"
     " \"b\": {\"authorizations_or\": [], \"alias\": \"the saW\"}}",
     "/b/alias: /a is called \"the saW\" too"},
    {"{\"a\": {\"authorizations_or\": []}, \"a\": {\"authorizations_or\": []}}",
     "the key \"a\" stands twice in /"},
    {"{\"a\": {\"authorizations_or\": [], \"authorizations_or\": []}}",
     "the key \"authorizations_or\" stands twice in /a"},
};

static void C10_2_a_bad_machine_is_an_error_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_machines / sizeof bad_machines[0]; i++) {
        assert_why(bad_machines[i].file, "[]", "machines.json", bad_machines[i].why);
    }
}

static const struct refusal bad_users[] = {
    {"{}", "/: must be an array, not an object"},
    {"[[]]", "/0: must be an object, not an array"},
    {"[{}]", "/0: lacks fob_codes"},
    {"[" USER("\"1\"", "[]") ", {\"fob_codes\": [], \"account_id\": \"2\"}]",
     "/1: lacks full_name"},
    {"[" GOOD "\"last_name\": \"\", \"preferred_name\": \"\", \"email\": \"\","
     " \"expiration_ymd\": \"\"}]",
     "/0: lacks authorizations"},
    {"[" GOOD "\"last_name\": null}]", "/0/last_name: must be a string, not null"},
    {"[" GOOD "\"last_name\": \"a\\u007fb\"}]", "/0/last_name: must not hold control characters"},
    {"[" GOOD "\"preferred_name\": \"" CHARACTERS_64 "x\"}]",
     "/0/preferred_name: must be at most 64 characters"},
    {"[" GOOD "\"oops_overide\": true}]",
     "/0/oops_overide: unknown key; did you mean oops_override?"},
    {"[" GOOD "\"oops_override\": 1}]", "/0/oops_override: must be a boolean, not a number"},
    {"[" GOOD "\"authorizations\": {}}]", "/0/authorizations: must be an array, not an object"},
    {"[" GOOD "\"authorizations\": [[]]}]", "/0/authorizations/0: must be a string, not an array"},
    {"[" USER("1", "[]") "]", "/0/account_id: must be a string, not a number"},
    {"[" USER("\"\"", "[]") "]", "/0/account_id: must not be empty"},
    {"[" USER("\"1\"", "\"123\"") "]", "/0/fob_codes: must be an array, not a string"},
    {"[" USER("\"1\"", "[123]") "]", "/0/fob_codes/0: must be a string, not a number"},
    {"[" USER("\"1\"", "[\"123\", \"\"]") "]", "/0/fob_codes/1: must not be empty"},
    {"[" USER("\"1\"", "[\"\xc3\xa4\"]") "]", "/0/fob_codes/0: must be printable ASCII"},
    {"[" USER("\"1\"", "[\"" CHARACTERS_64 "x\"]") "]",
     "/0/fob_codes/0: must be at most 64 characters"},
    {"[" USER("\"1\"", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]") "]",
     "/0/fob_codes: must hold at most 8"},
    {"[" USER("\"1\"", "[\"1\", \"0123\"]") ", " USER("\"2\"", "[\"9\", \"0000000123\"]") "]",
     "/1/fob_codes/1: the same card as /0/fob_codes/1 of user \"Ada Byron\""},
    {"[" USER("\"1\"", "[\"5\", \"05\"]") "]",
     "/0/fob_codes/1: the same card as /0/fob_codes/0 of user \"Ada Byron\""},
    {"[" USER("\"1\"", "[]") ", " USER("\"2\"", "[]") ", " USER("\"1\"", "[]") "]",
     "/2/account_id: \"1\" is also user \"Ada Byron\" (/0)"},
};

static void C10_2_a_bad_user_is_an_error_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_users / sizeof bad_users[0]; i++) {
        assert_why("{}", bad_users[i].file, "users.json", bad_users[i].why);
    }
}

/* `[` head, `item` so many times with commas between, tail. */
static void repeat(struct text *text, const char *item, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_addf(text, "%s%s", i == 0 ? "" : ",", item);
    }
}

static void lists_have_a_limit(void **state)
{
    static char file[16 * 1024];
    struct text text = text_over(file, sizeof file);

    (void)state;
    text_add(&text, "[" GOOD "\"authorizations\": [");
    repeat(&text, "\"a\"", 65);
    text_add(&text, "]}]");
    assert_why("{}", file, "users.json", "/0/authorizations: must hold at most 64");
    text_clear(&text);
    text_add(&text, "{\"saw\": {\"authorizations_or\": [");
    repeat(&text, "\"a\"", 1001);
    text_add(&text, "]}}");
    assert_false(text.cut);
    assert_why(file, "[]", "machines.json", "/saw/authorizations_or: must hold at most 1000");
}

static void a_roster_has_a_limit(void **state)
{
    size_t size = (size_t)10 * (ROSTER_USERS_MAX + 10);
    char *file = malloc(size);
    struct text text = text_over(file, size);

    (void)state;
    text_add(&text, "[");
    repeat(&text, "{}", ROSTER_USERS_MAX + 1);
    text_add(&text, "]");
    assert_false(text.cut);
    assert_why("{}", file, "users.json", "/: must hold at most 100000 users");
    free(file);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    TEXT_LOCAL(why, 512);
    struct roster *roster = NULL;

    (void)state;
    scratch_write_text("machines.json", "{}");
    assert_int_equal(roster_load("machines.json", "none.json", &roster, &why), STATUS_IO);
    assert_string_equal(
        why.data, "none.json: cannot be read: No such file or directory ([controller] users)");
    text_clear(&why);
    assert_int_equal(roster_load(".", "none.json", &roster, &why), STATUS_IO);
    assert_string_equal(why.data, ".: is not a regular file ([controller] machines)");
    assert_null(roster);
}

/* As an editor leaves it on a full disk: not what "no users" looks like. */
static void a_file_that_is_empty_is_an_error_that_says_what_none_looks_like(void **state)
{
    (void)state;
    assert_why("{}", "", "users.json", "is empty; with no users it says []");
    assert_why("{}", " \n\t\r\n", "users.json", "is empty; with no users it says []");
    assert_why("\n", "[]", "machines.json", "is empty; with no machines it says {}");
}

/* Under ASan: a file that is being written while it is read loads whole or not at all, and no way
 * out of the loading leaks. */
static void a_file_that_breaks_off_never_loads(void **state)
{
    static const char *const files[] = {"machines.json", "users.json"};

    (void)state;
    for (size_t which = 0; which < 2; which++) {
        char path[64];
        char *bytes;
        size_t length;
        snprintf(path, sizeof path, "deploy/etc/%s", files[which]);
        bytes = scratch_read_tree(path);
        length = strlen(bytes) - 1; /* without the last newline */
        scratch_write_text("machines.json", "{}");
        scratch_write_text("users.json", "[]");
        for (size_t cut = 0; cut < length; cut++) {
            TEXT_LOCAL(why, 512);
            struct roster *roster = NULL;
            scratch_write(files[which], bytes, cut);
            assert_int_equal(
                roster_load("machines.json", "users.json", &roster, &why), STATUS_INVALID);
            assert_int_equal(strncmp(why.data, files[which], strlen(files[which])), 0);
        }
        scratch_write(files[which], bytes, length);
        roster_free(roster_of(NULL, NULL));
        free(bytes);
    }
}

/* Every value in the examples, replaced by one of another type: refused, and nothing leaks. */
static void every_value_has_a_type(void **state)
{
    char *users = scratch_read_tree("deploy/etc/users.json");
    size_t tried = 0;

    (void)state;
    for (char *colon = strstr(users, "\": "); colon != NULL; colon = strstr(colon + 1, "\": ")) {
        TEXT_LOCAL(why, 512);
        struct roster *roster = NULL;
        char *changed = malloc(strlen(users) + 16);
        const char *end = strchr(colon, '\n');
        size_t head = (size_t)(colon + 3 - users);
        assert_non_null(changed);
        memcpy(changed, users, head);
        snprintf(
            changed + head, strlen(users) + 16 - head, "7%s%s", end[-1] == ',' ? "," : "", end);
        assert_int_equal(roster_try("{}", changed, &roster, &why), STATUS_INVALID);
        assert_non_null(strstr(why.data, ", not a number"));
        free(changed);
        tried++;
    }
    assert_true(tried > 70);
    free(users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C10_2_a_bad_machine_is_an_error_with_its_place),
        cmocka_unit_test(C10_2_a_bad_user_is_an_error_with_its_place),
        cmocka_unit_test(lists_have_a_limit),
        cmocka_unit_test(a_roster_has_a_limit),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
        cmocka_unit_test(a_file_that_is_empty_is_an_error_that_says_what_none_looks_like),
        cmocka_unit_test(a_file_that_breaks_off_never_loads),
        cmocka_unit_test(every_value_has_a_type),
    };

    return cmocka_run_group_tests_name("roster_errors", tests, scratch_enter, scratch_leave);
}
