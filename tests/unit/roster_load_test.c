/* C10.2: what machines.json and users.json mean once they are loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/authorizations.h"
#include "tests/lib/core_traces.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

static char *traces;

/* The traces are read from the top of the tree, before it is left. */
static int enter(void **state)
{
    traces = traces_unpack();
    return scratch_enter(state);
}

static int leave(void **state)
{
    free(traces);
    return scratch_leave(state);
}

static core_authorization number_of(const char *name)
{
    core_authorization number = 0;
    assert_int_equal(authorization_number(name, &number), STATUS_OK);
    return number;
}

static void a_machine_means_what_its_keys_say(void **state)
{
    struct roster *roster = roster_of(
        "{\"saw\": {\"authorizations_or\": [\"Saw\", \"Wood\", \"Saw\"], \"alias\": \"The "
        "S\xc3\xa4w\","
        " \"unauthorized_warn_only\": true, \"always_enabled\": true, \"mains\": \"switched\","
        " \"idle_amps\": 0.5, \"second_relay\": {\"authorizations_or\": [\"Wood\"],"
        " \"unauthorized_warn_only\": true, \"always_enabled\": true, \"alias\": \"Fan\"}},"
        " \"bare\": {\"authorizations_or\": []}}",
        "[]");
    const struct roster_machine *saw = roster_machine(roster, "saw");
    const struct roster_machine *bare = roster_machine(roster, "bare");

    (void)state;
    assert_int_equal(roster_machine_count(roster), 2);
    assert_ptr_equal(roster_machine_at(roster, 0), saw);
    assert_ptr_equal(roster_machine_at(roster, 1), bare);
    assert_null(roster_machine_at(roster, 2));
    assert_string_equal(saw->name, "saw");
    assert_string_equal(saw->alias, "The S\xc3\xa4w");
    assert_string_equal(saw->display_name, "The S\xc3\xa4w");
    assert_string_equal(saw->second_alias, "Fan");
    assert_true(saw->config.unauthorized_warn_only && saw->config.always_enabled);
    assert_true(saw->config.second_relay.present);
    assert_true(saw->config.second_relay.unauthorized_warn_only);
    assert_true(saw->config.second_relay.always_enabled);
    assert_true(saw->config.mains_switched && saw->config.has_idle_amps);
    assert_true(saw->config.idle_amps == 0.5);
    assert_int_equal(saw->config.authorizations_or.count, 3);
    assert_int_equal(saw->config.authorizations_or.items[0], number_of("Saw"));
    assert_int_equal(saw->config.authorizations_or.items[1], number_of("Wood"));
    assert_int_equal(saw->config.second_relay.authorizations_or.count, 1);
    assert_int_equal(saw->config.second_relay.authorizations_or.items[0], number_of("Wood"));
    assert_string_equal(bare->display_name, "bare");
    assert_string_equal(bare->alias, "");
    assert_false(bare->config.unauthorized_warn_only || bare->config.always_enabled);
    assert_false(bare->config.second_relay.present);
    assert_false(bare->config.mains_switched || bare->config.has_idle_amps);
    assert_int_equal(bare->config.authorizations_or.count, 0);
    roster_free(roster);
    roster_free(NULL);
}

static void a_user_means_what_its_keys_say(void **state)
{
    struct roster *roster = roster_of("{}", "[" USER("\"1001\"", "[\"77\", \"12345678901\"]") "]");
    const struct roster_user *user = roster_user_at(roster, 0);

    (void)state;
    assert_int_equal(roster_user_count(roster), 1);
    assert_null(roster_user_at(roster, 1));
    assert_string_equal(user->holder.user.account_id, "1001");
    assert_string_equal(user->holder.user.name, "Ada");
    assert_string_equal(user->full_name, "Ada Byron");
    assert_false(user->holder.oops_override);
    assert_true(user->expires);
    assert_string_equal(user->expiration_ymd, "2031-01-31");
    assert_int_equal(user->fob_count, 2);
    assert_string_equal(user->fobs[0], "0000000077");
    assert_string_equal(user->fobs[1], "12345678901");
    assert_int_equal(user->holder.authorizations.count, 2);
    assert_int_equal(user->holder.authorizations.items[0], number_of("Saw"));
    assert_int_equal(user->holder.authorizations.items[1], number_of("Lathe"));
    roster_free(roster);
}

static void C3_cards_are_found_by_their_padded_number(void **state)
{
    struct roster *roster = roster_of(
        "{}", "[" USER("\"1\"", "[\"0077\"]") ", " USER("\"2\"", "[\"A~ b\", \"9876543210\"]") "]");

    (void)state;
    assert_ptr_equal(roster_user_by_fob(roster, "0000000077"), roster_user_at(roster, 0));
    assert_ptr_equal(roster_user_by_fob(roster, "000000A~ b"), roster_user_at(roster, 1));
    assert_ptr_equal(roster_user_by_fob(roster, "9876543210"), roster_user_at(roster, 1));
    assert_null(roster_user_by_fob(roster, "0077"));
    assert_null(roster_user_by_fob(roster, "000000a~ b"));
    assert_null(roster_user_by_fob(roster, ""));
    assert_ptr_equal(roster_user_by_account(roster, "2"), roster_user_at(roster, 1));
    assert_null(roster_user_by_account(roster, "3"));
    roster_free(roster);
}

static void C6_machines_are_called_by_name_or_alias_whatever_the_case(void **state)
{
    struct roster *roster = roster_of(
        "{\"saw\": {\"authorizations_or\": [], \"alias\": \"SAW\"},"
        " \"lathe\": {\"authorizations_or\": [], \"alias\": \"Big \xc3\x84 Lathe\"},"
        " \"mill\": {\"authorizations_or\": [], \"alias\": \"\"}}",
        "[]");
    char longest[400];

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(roster_machine_called(roster, "sAw")->name, "saw");
    assert_string_equal(roster_machine_called(roster, "big \xc3\x84 LATHE")->name, "lathe");
    assert_string_equal(roster_machine_called(roster, "lathe")->name, "lathe");
    assert_null(roster_machine_called(roster, "big \xc3\xa4 lathe"));
    assert_null(roster_machine_called(roster, ""));
    assert_null(roster_machine_called(roster, longest));
    assert_null(roster_machine(roster, "SAW"));
    roster_free(roster);
}

static void a_user_without_preferred_name_is_shown_by_the_next_best(void **state)
{
    static const struct {
        const char *preferred;
        const char *first;
        const char *full;
        const char *shown;
    } cases[] = {
        {"P", "F", "Full", "P"},
        {"", "F", "Full", "F"},
        {"", "", "Full", "Full"},
        {"", "", "", "1001"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct roster *roster;
        TEXT_LOCAL(users, 512);
        text_addf(
            &users,
            "[{\"fob_codes\": [], \"account_id\": \"1001\", \"full_name\": \"%s\","
            " \"first_name\": \"%s\", \"last_name\": \"\", \"preferred_name\": \"%s\","
            " \"email\": \"\", \"expiration_ymd\": \"\", \"authorizations\": [\"\", \"\"],"
            " \"oops_override\": true}]",
            cases[i].full, cases[i].first, cases[i].preferred);
        roster = roster_of("{}", users.data);
        assert_string_equal(roster_user_at(roster, 0)->holder.user.name, cases[i].shown);
        assert_true(roster_user_at(roster, 0)->holder.oops_override);
        assert_false(roster_user_at(roster, 0)->expires);
        roster_free(roster);
    }
}

static void names_keep_all_of_their_64_characters(void **state)
{
    char name[64 * 4 + 2] = ""; /* and one too many */
    struct text text = text_over(name, sizeof name);
    TEXT_LOCAL(machines, 1024);
    struct roster *roster;

    (void)state;
    for (int i = 0; i < 64; i++) {
        text_add(&text, "\xf0\x9f\x94\xa7");
    }
    text_addf(&machines, "{\"saw\": {\"authorizations_or\": [], \"alias\": \"%s\"}}", name);
    roster = roster_of(machines.data, "[]");
    assert_string_equal(roster_machine(roster, "saw")->display_name, name);
    assert_string_equal(roster_machine_called(roster, name)->name, "saw");
    text_add(&text, "x");
    assert_null(roster_machine_called(roster, name));
    roster_free(roster);
}

static void authorizations_have_the_same_number_in_every_roster(void **state)
{
    static const char machines[] = "{\"a\": {\"authorizations_or\": [\"Kiln\"]}}";
    struct roster *before = roster_of(machines, "[]");
    core_authorization kiln = roster_machine(before, "a")->config.authorizations_or.items[0];
    struct roster *after;

    (void)state;
    roster_free(before);
    after = roster_of("{\"a\": {\"authorizations_or\": [\"kiln\", \"Kiln \", \"Kiln\"]}}", "[]");
    assert_int_equal(roster_machine(after, "a")->config.authorizations_or.items[2], kiln);
    assert_int_not_equal(roster_machine(after, "a")->config.authorizations_or.items[0], kiln);
    assert_int_not_equal(roster_machine(after, "a")->config.authorizations_or.items[1], kiln);
    roster_free(after);
}

#define THREADS 4
#define NAMES 500

static void *intern_many(void *numbers)
{
    for (core_authorization i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "many %u", i);
        if (authorization_number(name, (core_authorization *)numbers + i) != STATUS_OK) {
            return NULL;
        }
    }
    return numbers;
}

static void threads_agree_on_the_numbers(void **state)
{
    static core_authorization numbers[THREADS][NAMES];
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, intern_many, numbers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *done = NULL;
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_non_null(done);
    }
    for (size_t i = 0; i < NAMES; i++) {
        assert_int_not_equal(numbers[0][i], 0);
        for (size_t thread = 1; thread < THREADS; thread++) {
            assert_int_equal(numbers[thread][i], numbers[0][i]);
        }
        for (size_t other = 0; other < i; other++) {
            assert_int_not_equal(numbers[0][other], numbers[0][i]);
        }
    }
}

/* The text between two marks, in a copy. */
static char *between(const char *line, const char *from, const char *to)
{
    const char *start = strstr(line, from);
    const char *end = start == NULL ? NULL : strstr(start, to);

    if (start == NULL || end == NULL) {
        fail_msg("a trace lacks %s or %s", from, to);
        return NULL;
    }
    start += strlen(from);
    return strndup(start, (size_t)(end - start));
}

static void files_that_already_run_elsewhere_load_unchanged(void **state)
{
    char *rest = NULL;
    size_t lines = 0;

    (void)state;
    for (char *line = strtok_r(traces, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *users = between(line, "\"users\": ", ", \"machines\": ");
        char *machines = between(line, ", \"machines\": ", ", \"traces\": ");
        struct roster *roster = roster_of(machines, users);
        assert_int_equal(roster_user_count(roster), 14);
        assert_int_equal(roster_machine_count(roster), 8);
        for (size_t i = 0; i < roster_user_count(roster); i++) {
            const struct roster_user *user = roster_user_at(roster, i);
            assert_true(user->fob_count >= 1);
            for (size_t fob = 0; fob < user->fob_count; fob++) {
                assert_ptr_equal(roster_user_by_fob(roster, user->fobs[fob]), user);
            }
        }
        roster_free(roster);
        free(users);
        free(machines);
        lines++;
    }
    assert_int_equal(lines, 5);
}

static void the_examples_are_a_workshop(void **state)
{
    char *machines = scratch_read_tree("deploy/etc/machines.json");
    char *users = scratch_read_tree("deploy/etc/users.json");
    struct roster *roster = roster_of(machines, users);

    (void)state;
    assert_int_equal(roster_machine_count(roster), 5);
    assert_int_equal(roster_user_count(roster), 8);
    assert_true(roster_machine_called(roster, "laser cutter")->config.second_relay.present);
    assert_true(roster_machine(roster, "3d-printer")->config.always_enabled);
    assert_true(roster_machine(roster, "bandsaw")->config.unauthorized_warn_only);
    assert_true(roster_user_by_account(roster, "1001")->holder.oops_override);
    roster_free(roster);
    free(machines);
    free(users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_means_what_its_keys_say),
        cmocka_unit_test(a_user_means_what_its_keys_say),
        cmocka_unit_test(C3_cards_are_found_by_their_padded_number),
        cmocka_unit_test(C6_machines_are_called_by_name_or_alias_whatever_the_case),
        cmocka_unit_test(a_user_without_preferred_name_is_shown_by_the_next_best),
        cmocka_unit_test(names_keep_all_of_their_64_characters),
        cmocka_unit_test(authorizations_have_the_same_number_in_every_roster),
        cmocka_unit_test(threads_agree_on_the_numbers),
        cmocka_unit_test(files_that_already_run_elsewhere_load_unchanged),
        cmocka_unit_test(the_examples_are_a_workshop),
    };

    return cmocka_run_group_tests_name("roster_load", tests, enter, leave);
}
