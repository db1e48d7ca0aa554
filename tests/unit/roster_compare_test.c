/* C6: what a reload counts as a change; C2: the fingerprint; what --check notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

/* A key of a user or machine, its value in the one that is compared, and other values. An absent
 * key is "". */
struct field {
    const char *key;
    const char *value;
    const char *others[4];
};

static const struct field user_fields[] = {
    {"fob_codes", "[\"1\", \"2\"]", {"[\"1\", \"3\"]", "[\"1\"]", "[]"}},
    {"account_id", "\"1001\"", {NULL}},
    {"full_name", "\"Ada Byron\"", {"\"Ada Lovelace\""}},
    {"first_name", "\"Ada\"", {"\"Augusta\""}},
    {"last_name", "\"Byron\"", {"\"Lovelace\""}},
    {"preferred_name", "\"Ada\"", {"\"ada\""}},
    {"email", "\"ada@workshop.example\"", {"\"\""}},
    {"expiration_ymd", "\"2031-01-31\"", {"\"2031-01-30\""}},
    {"authorizations", "[\"Saw\", \"Lathe\"]", {"[\"Saw\"]", "[\"Saw\", \"lathe\"]", "[]"}},
    {"oops_override", "false", {"true"}},
};

#define RELAY "{\"authorizations_or\": [\"Saw\"]"

static const struct field machine_fields[] = {
    {"authorizations_or", "[\"Saw\", \"Wood\"]", {"[\"Saw\", \"wood\"]", "[\"Saw\"]", "[]"}},
    {"unauthorized_warn_only", "false", {"true"}},
    {"always_enabled", "false", {"true"}},
    {"alias", "\"The Saw\"", {"\"The saw\"", "\"\"", ""}},
    {"mains", "\"always\"", {"\"switched\""}},
    {"idle_amps", "0.5", {"0.25", "0", ""}},
    {"second_relay",
     RELAY "}",
     {"", RELAY ", \"unauthorized_warn_only\": true}", RELAY ", \"always_enabled\": true}",
      RELAY ", \"alias\": \"Fan\"}"}},
};

#define COUNT(array) (sizeof array / sizeof array[0])

/* The object, the field `which` with another value. */
static void add_object(
    struct text *out, const struct field *fields, size_t count, size_t which, const char *other)
{
    const char *comma = "";

    text_add(out, "{");
    for (size_t i = 0; i < count; i++) {
        const char *value = i == which ? other : fields[i].value;
        if (value[0] != '\0') {
            text_addf(out, "%s\"%s\": %s", comma, fields[i].key, value);
            comma = ", ";
        }
    }
    text_add(out, "}");
}

static struct roster *with_user(size_t which, const char *other)
{
    TEXT_LOCAL(users, 1024);

    text_add(&users, "[");
    add_object(&users, user_fields, COUNT(user_fields), which, other);
    text_add(&users, "]");
    return roster_of("{}", users.data);
}

static struct roster *with_machine(size_t which, const char *other)
{
    TEXT_LOCAL(machines, 1024);

    text_add(&machines, "{\"saw\": ");
    add_object(&machines, machine_fields, COUNT(machine_fields), which, other);
    text_add(&machines, "}");
    return roster_of(machines.data, "[]");
}

static void assert_delta(struct roster_delta delta, size_t added, size_t updated, size_t removed)
{
    assert_int_equal(delta.added, added);
    assert_int_equal(delta.updated, updated);
    assert_int_equal(delta.removed, removed);
}

static void every_field_of_a_user_is_a_change(void **state)
{
    struct roster *before = with_user(SIZE_MAX, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(user_fields); i++) {
        for (size_t j = 0; j < 4 && user_fields[i].others[j] != NULL; j++) {
            struct roster *after = with_user(i, user_fields[i].others[j]);
            assert_delta(roster_compare(before, after).users, 0, 1, 0);
            assert_delta(roster_compare(before, after).machines, 0, 0, 0);
            assert_string_not_equal(roster_fingerprint(before), roster_fingerprint(after));
            roster_free(after);
        }
    }
    roster_free(before);
}

static void every_field_of_a_machine_is_a_change(void **state)
{
    struct roster *before = with_machine(SIZE_MAX, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(machine_fields); i++) {
        for (size_t j = 0; j < 4 && machine_fields[i].others[j] != NULL; j++) {
            struct roster *after = with_machine(i, machine_fields[i].others[j]);
            assert_delta(roster_compare(before, after).machines, 0, 1, 0);
            assert_delta(roster_compare(before, after).users, 0, 0, 0);
            assert_string_not_equal(roster_fingerprint(before), roster_fingerprint(after));
            roster_free(after);
        }
    }
    roster_free(before);
}

static void the_same_once_more_is_no_change(void **state)
{
    struct roster *before = with_user(SIZE_MAX, NULL);
    struct roster *after = with_user(SIZE_MAX, NULL);

    (void)state;
    assert_delta(roster_compare(before, after).users, 0, 0, 0);
    assert_string_equal(roster_fingerprint(before), roster_fingerprint(after));
    roster_free(before);
    roster_free(after);
}

static void fields_cannot_be_mistaken_for_each_other(void **state)
{
    struct roster *one = roster_of(
        "{\"a\": {\"authorizations_or\": [\"x\", \"y\"]}}", "[" USER("\"1\"", "[\"1\"]") "]");
    struct roster *other =
        roster_of("{\"a\": {\"authorizations_or\": [\"xy\"]}}", "[" USER("\"1\"", "[\"1\"]") "]");

    (void)state;
    assert_delta(roster_compare(one, other).machines, 0, 1, 0);
    roster_free(one);
    roster_free(other);
}

static void order_and_spelling_are_no_change(void **state)
{
    struct roster *one = roster_of(
        "{\"a\": {\"authorizations_or\": [\"x\", \"y\"]}, \"b\": {\"authorizations_or\": []}}",
        "[" USER("\"1\"", "[\"1\", \"2\"]") ", " USER("\"2\"", "[]") "]");
    struct roster *other = roster_of(
        "{\"b\": {\"authorizations_or\": [], \"always_enabled\": false},"
        " \"a\": {\"alias\": \"\", \"authorizations_or\": [\"y\", \"x\"]}}",
        "[" USER("\"2\"", "[]") ", " USER("\"1\"", "[\"0002\", \"0000000001\"]") "]");
    struct roster_change change = roster_compare(one, other);

    (void)state;
    assert_delta(change.users, 0, 0, 0);
    assert_delta(change.machines, 0, 0, 0);
    assert_int_equal(strlen(roster_fingerprint(one)), 16);
    assert_int_equal(strspn(roster_fingerprint(one), "0123456789abcdef"), 16);
    assert_string_equal(roster_fingerprint(one), roster_fingerprint(other));
    roster_free(one);
    roster_free(other);
}

static void C6_a_reload_counts_added_updated_and_removed(void **state)
{
    struct roster *before = roster_of(
        "{\"a\": {\"authorizations_or\": []}, \"b\": {\"authorizations_or\": []}}",
        "[" USER("\"1\"", "[]") ", " USER("\"2\"", "[]") ", " USER("\"3\"", "[]") "]");
    struct roster *after = roster_of(
        "{\"b\": {\"authorizations_or\": [\"x\"]}, \"c\": {\"authorizations_or\": []},"
        " \"d\": {\"authorizations_or\": []}}",
        "[" USER("\"3\"", "[\"5\"]") ", " USER("\"4\"", "[]") "]");
    struct roster_change change = roster_compare(before, after);

    (void)state;
    assert_delta(change.users, 1, 1, 2);
    assert_delta(change.machines, 2, 1, 1);
    roster_free(before);
    roster_free(after);
}

/* Two controllers on different hosts compare it: it must not change with the build. */
static void C2_the_fingerprint_is_the_same_everywhere(void **state)
{
    struct roster *empty = roster_of("{}", "[]");
    struct roster *user = roster_of("{}", "[" USER("\"1\"", "[\"1\"]") "]");

    (void)state;
    assert_string_equal(roster_fingerprint(empty), "c2342cbc80e48cdd");
    assert_string_equal(roster_fingerprint(user), "965e49b902f35221");
    roster_free(empty);
    roster_free(user);
}

#define EXPIRING_WITH(account, date, held, more)                                                   \
    "{\"fob_codes\": [], \"account_id\": \"" account "\", \"full_name\": \"User " account          \
    "\", \"first_name\": \"\", \"last_name\": \"\","                                               \
    " \"preferred_name\": \"\", \"email\": \"\", \"authorizations\": [" held "],"                  \
    " \"expiration_ymd\": \"" date "\"" more "}"
#define EXPIRING(account, date) EXPIRING_WITH(account, date, "\"saw\"", "")

static void assert_notes(const char *users, const char *wanted)
{
    TEXT_LOCAL(notes, 2048);
    struct roster *roster = roster_of("{}", users);

    roster_notes(roster, "2024-06-01", &notes);
    assert_string_equal(notes.data, wanted);
    roster_free(roster);
}

#define TAKE_AWAY "; Tagout does not look at it: take away the authorizations\n"

static void who_may_use_something_after_his_last_day_is_told_in_one_line(void **state)
{
    (void)state;
    assert_notes(
        "[" EXPIRING("1", "2024-06-01") ", " EXPIRING("2", "2024-05-31") "]",
        "users.json: 1 user has authorizations although expiration_ymd has passed (/1 \"User "
        "2\")" TAKE_AWAY);
    assert_notes(
        "[" EXPIRING("1", "2001-01-01") ", " EXPIRING("2", "2001-01-01") ", " EXPIRING(
            "3",
            "2031-01-01") ", " EXPIRING("4", "2001-01-01") ", " EXPIRING("5", "2001-01-01") ","
                                                                                            " " EXPIRING(
                                                                                                "6",
                                                                                                "20"
                                                                                                "01"
                                                                                                "-0"
                                                                                                "1-"
                                                                                                "0"
                                                                                                "1") "]",
        "users.json: 5 users have authorizations although expiration_ymd has passed (/0 \"User "
        "1\", /1 \"User 2\", /3 \"User 4\", ...)" TAKE_AWAY);
}

static void a_maintainer_opens_what_is_out_of_use_without_any_authorization(void **state)
{
    (void)state;
    assert_notes(
        "[" EXPIRING_WITH("1", "2024-05-31", "", ", \"oops_override\": true") "]",
        "users.json: 1 user has authorizations although expiration_ymd has passed (/0 \"User "
        "1\")" TAKE_AWAY);
}

static void who_may_use_nothing_any_more_is_no_news(void **state)
{
    (void)state;
    assert_notes(
        "[" EXPIRING_WITH("1", "2024-05-31", "", "") "]",
        "users.json: 1 user has an expiration_ymd, and Tagout does not look at it\n");
    assert_notes(
        "[" EXPIRING("1", "2024-06-01") ", " EXPIRING("2", "2031-01-01") "]",
        "users.json: 2 users have an expiration_ymd, and Tagout does not look at it\n");
    assert_notes("[" EXPIRING("1", "") ", " EXPIRING("2", "never") "]", "");
}

static void an_expiration_that_is_no_date_is_doubted(void **state)
{
    TEXT_LOCAL(doubts, 1024);
    struct roster *roster = roster_of(
        "{\"saw\": {\"authorizations_or\": [\"saw\"]}}",
        "[" EXPIRING("1", "") ", " EXPIRING("2", "never") ", " EXPIRING("3", "2024-13-01") "]");

    (void)state;
    assert_int_equal(roster_doubts(roster, &doubts), STATUS_OK);
    assert_string_equal(
        doubts.data, "users.json: 2 users have an expiration_ymd that is not a date (YYYY-MM-DD): "
                     "/1 \"User 2\", /2 \"User 3\"\n");
    roster_free(roster);
}

#define FOBS(account, fobs)                                                                        \
    "{\"fob_codes\": [" fobs "], \"account_id\": \"" account "\", \"full_name\": \"User " account  \
    "\", \"first_name\": \"\", \"last_name\": \"\", \"preferred_name\": \"\", \"email\": \"\","    \
    " \"expiration_ymd\": \"\", \"authorizations\": [\"saw\"]}"

static void a_fob_code_with_a_blank_is_doubted(void **state)
{
    TEXT_LOCAL(doubts, 1024);
    struct roster *roster = roster_of(
        "{\"saw\": {\"authorizations_or\": [\"saw\"]}}",
        "[" FOBS("1", "\"0001234567\"") ", " FOBS("2", "\"77\", \"12 34\", \"5 6\"") ", " FOBS(
            "3", "\" 9\"") "]");

    (void)state;
    assert_int_equal(roster_doubts(roster, &doubts), STATUS_OK);
    assert_string_equal(
        doubts.data, "users.json: 2 users have a fob code with a blank in it, which no reader "
                     "sends: /1 \"User 2\", /2 \"User 3\"\n");
    roster_free(roster);
}

static void a_day_ends_at_midnight_where_the_host_is(void **state)
{
    char date[ROSTER_DATE_SIZE];

    (void)state;
    setenv("TZ", "UTC-1", 1);
    tzset();
    roster_date((struct wall_time){INT64_C(1717196399999)}, date);
    assert_string_equal(date, "2024-05-31");
    roster_date((struct wall_time){INT64_C(1717196400000)}, date);
    assert_string_equal(date, "2024-06-01");
    unsetenv("TZ");
    tzset();
}

#define HOLDER(account, held)                                                                      \
    "{\"fob_codes\": [], \"account_id\": \"" account                                               \
    "\", \"full_name\": \"\", \"first_name\": \"\", \"last_name\": \"\","                          \
    " \"preferred_name\": \"\", \"email\": \"\", \"expiration_ymd\": \"\","                        \
    " \"authorizations\": [" held "]}"

static void authorizations_that_do_not_meet_are_doubted(void **state)
{
    TEXT_LOCAL(doubts, 1024);
    struct roster *roster = roster_of(
        "{\"saw\": {\"authorizations_or\": [\"wood\", \"d1\"]},"
        " \"mill\": {\"authorizations_or\": [\"d1\", \"d2\", \"d3\", \"d4\"]},"
        " \"fan\": {\"authorizations_or\": [\"d1\"], \"always_enabled\": true},"
        " \"tap\": {\"authorizations_or\": [\"d1\"], \"unauthorized_warn_only\": true},"
        " \"cnc\": {\"authorizations_or\": [\"wood\"],"
        "           \"second_relay\": {\"authorizations_or\": [\"rotary\"]}},"
        " \"sink\": {\"authorizations_or\": []}}",
        "[" HOLDER("1", "\"wood\", \"Wood\"") ", " HOLDER("2", "\"Wood\", \"rotary \"") "]");

    (void)state;
    assert_int_equal(roster_doubts(roster, &doubts), STATUS_OK);
    assert_non_null(
        strstr(doubts.data, "machines.json: mill: nobody holds \"d1\", \"d2\", \"d3\", ...\n"));
    assert_non_null(
        strstr(doubts.data, "machines.json: cnc, second relay: nobody holds \"rotary\"\n"));
    assert_non_null(strstr(doubts.data, "machines.json: sink: no authorization opens it\n"));
    assert_non_null(
        strstr(doubts.data, "users.json: 2 users hold \"Wood\", which opens no machine"));
    assert_non_null(strstr(doubts.data, "users.json: 1 user holds \"rotary \", which opens no"));
    assert_null(strstr(doubts.data, "saw:"));
    assert_null(strstr(doubts.data, "fan:"));
    assert_null(strstr(doubts.data, "tap:"));
    assert_null(strstr(doubts.data, "\"wood\""));
    roster_free(roster);
}

static void doubts_are_bounded(void **state)
{
    char machines[4096];
    struct text json = text_over(machines, sizeof machines);
    TEXT_LOCAL(doubts, 4096);
    struct roster *roster;

    (void)state;
    for (int i = 0; i < 23; i++) {
        text_addf(&json, "%s\"m%d\": {\"authorizations_or\": [\"d9\"]}", i > 0 ? ", " : "{", i);
    }
    text_add(&json, "}");
    roster = roster_of(machines, "[]");
    assert_int_equal(roster_doubts(roster, &doubts), STATUS_OK);
    assert_non_null(strstr(doubts.data, "machines.json: ... and 3 more\n"));
    roster_free(roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_user_is_a_change),
        cmocka_unit_test(every_field_of_a_machine_is_a_change),
        cmocka_unit_test(the_same_once_more_is_no_change),
        cmocka_unit_test(fields_cannot_be_mistaken_for_each_other),
        cmocka_unit_test(order_and_spelling_are_no_change),
        cmocka_unit_test(C6_a_reload_counts_added_updated_and_removed),
        cmocka_unit_test(C2_the_fingerprint_is_the_same_everywhere),
        cmocka_unit_test(who_may_use_something_after_his_last_day_is_told_in_one_line),
        cmocka_unit_test(a_maintainer_opens_what_is_out_of_use_without_any_authorization),
        cmocka_unit_test(who_may_use_nothing_any_more_is_no_news),
        cmocka_unit_test(an_expiration_that_is_no_date_is_doubted),
        cmocka_unit_test(a_fob_code_with_a_blank_is_doubted),
        cmocka_unit_test(a_day_ends_at_midnight_where_the_host_is),
        cmocka_unit_test(authorizations_that_do_not_meet_are_doubted),
        cmocka_unit_test(doubts_are_bounded),
    };

    return cmocka_run_group_tests_name("roster_compare", tests, scratch_enter, scratch_leave);
}
