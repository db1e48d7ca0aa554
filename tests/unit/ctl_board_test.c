#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ctl/board.h"

#define STATE(machine, mode, more)                                                                 \
    "{\"machine\":\"" machine "\",\"mode\":\"" mode                                                \
    "\",\"oops\":false,\"lockout\":false,\"epoch\":1" more "}"

static enum board_change
take(struct board *board, enum topic_id id, const char *first, const char *payload)
{
    struct topic_match topic = {.id = id};

    text_copy(topic.first, sizeof topic.first, first);
    return board_take(board, &topic, payload, strlen(payload));
}

static void machines_are_kept_by_name(void **state)
{
    static const char *const names[] = {"saw", "lathe", "mill", "3d-printer", "saw"};
    struct board board = {0};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        char payload[128];
        (void)snprintf(
            payload, sizeof payload,
            "{\"machine\":\"%s\",\"mode\":\"idle\",\"oops\":false,\"lockout\":false,"
            "\"epoch\":1,\"rev\":%zu}",
            names[i], i);
        assert_int_equal(take(&board, TOPIC_STATE, names[i], payload), BOARD_MACHINE);
    }
    assert_int_equal(board.machine_count, 4);
    assert_string_equal(board.machines[0]->name, "3d-printer");
    assert_string_equal(board.machines[1]->name, "lathe");
    assert_string_equal(board.machines[2]->name, "mill");
    assert_string_equal(board.machines[3]->name, "saw");
    assert_int_equal(board.machines[3]->copy.state.version.rev, 4);
    assert_null(board_find(&board, "Saw"));
    board_free(&board);
}

static void C12_1_an_older_state_does_not_replace_a_newer_one(void **state)
{
    struct board board = {0};

    (void)state;
    assert_int_equal(
        take(&board, TOPIC_STATE, "saw", STATE("saw", "in_use", ",\"rev\":7")), BOARD_MACHINE);
    assert_int_equal(
        take(&board, TOPIC_STATE, "saw", STATE("saw", "idle", ",\"rev\":6")), BOARD_SAME);
    assert_string_equal(board_find(&board, "saw")->copy.state.mode, "in_use");
    assert_int_equal(
        take(&board, TOPIC_STATE, "saw", STATE("saw", "idle", ",\"rev\":7")), BOARD_MACHINE);
    board_free(&board);
}

static void what_cannot_be_read_changes_nothing(void **state)
{
    struct board board = {0};

    (void)state;
    assert_int_equal(take(&board, TOPIC_EVENT, "saw", "no JSON"), BOARD_SAME);
    assert_int_equal(take(&board, TOPIC_CONTROLLER_STATUS, "one", ""), BOARD_SAME);
    assert_int_equal(take(&board, TOPIC_LINK, "saw", "on line"), BOARD_SAME);
    assert_int_equal(take(&board, TOPIC_STATE, "saw", ""), BOARD_SAME);
    assert_int_equal(take(&board, TOPIC_TELEMETRY, "saw", "{}"), BOARD_SAME);
    assert_int_equal(take(&board, TOPIC_SERVICE, "slack", "no JSON"), BOARD_SAME);
    assert_int_equal(board.service_count, 0);
    assert_int_equal(board.machine_count + board.controller_count + board.event_count, 0);
    board_free(&board);
}

static void C2_an_empty_state_takes_a_machine_off_the_board(void **state)
{
    struct board board = {0};
    TEXT_LOCAL(count, 64);

    (void)state;
    take(&board, TOPIC_STATE, "saw", STATE("saw", "idle", ",\"rev\":7,\"relay\":true"));
    board_count(&board, &count);
    assert_string_equal(count.data, "1 machine, 1 running");
    assert_int_equal(take(&board, TOPIC_STATE, "saw", ""), BOARD_MACHINE);
    text_clear(&count);
    board_count(&board, &count);
    assert_string_equal(count.data, "0 machines, 0 running");
    board_free(&board);
}

static void what_is_oopsed_or_locked_out_is_counted(void **state)
{
    struct board board = {0};
    TEXT_LOCAL(count, 64);

    (void)state;
    take(&board, TOPIC_STATE, "saw", STATE("saw", "idle", ",\"rev\":1"));
    assert_true(board_count(&board, &count));
    take(
        &board, TOPIC_STATE, "lathe",
        "{\"machine\":\"lathe\",\"mode\":\"oops\",\"oops\":true,\"lockout\":true,\"epoch\":1,"
        "\"rev\":1}");
    take(
        &board, TOPIC_STATE, "mill",
        "{\"machine\":\"mill\",\"mode\":\"lockout\",\"oops\":false,\"lockout\":true,\"epoch\":1,"
        "\"rev\":1}");
    text_clear(&count);
    assert_false(board_count(&board, &count));
    assert_string_equal(count.data, "3 machines, 0 running, 2 out of use");
    board_free(&board);
}

static void C11_a_machine_that_was_not_heard_is_not_said_to_be_well(void **state)
{
    struct board board = {0};
    TEXT_LOCAL(count, 64);

    (void)state;
    take(&board, TOPIC_STATE, "saw", STATE("saw", "idle", ",\"rev\":1,\"health\":\"offline\""));
    assert_true(board_count(&board, &count));
    take(&board, TOPIC_STATE, "lathe", STATE("lathe", "idle", ",\"rev\":1,\"health\":\"unknown\""));
    text_clear(&count);
    assert_false(board_count(&board, &count));
    assert_string_equal(count.data, "2 machines, 0 running, 1 not heard");
    board_free(&board);
}

static void a_link_is_news_only_when_it_changes(void **state)
{
    struct board board = {0};

    (void)state;
    assert_int_equal(take(&board, TOPIC_LINK, "saw", "online"), BOARD_SAME);
    take(&board, TOPIC_STATE, "saw", STATE("saw", "idle", ",\"rev\":7"));
    assert_int_equal(take(&board, TOPIC_LINK, "saw", "online"), BOARD_SAME);
    assert_int_equal(take(&board, TOPIC_LINK, "saw", "lost"), BOARD_MACHINE);
    assert_string_equal(board_find(&board, "saw")->link, "lost");
    board_free(&board);
}

static void the_last_events_are_kept_newest_first(void **state)
{
    struct board board = {0};

    (void)state;
    assert_null(board_event(&board, 0));
    for (int i = 0; i < BOARD_EVENTS_MAX + 3; i++) {
        char payload[128];
        (void)snprintf(
            payload, sizeof payload, "{\"event_type\":\"%s\",\"text\":\"no. %d\\n\",\"at\":%d.5}",
            i % 2 == 0 ? "login" : "oops", i, i + 1);
        assert_int_equal(take(&board, TOPIC_EVENT, "saw", payload), BOARD_EVENT);
    }
    assert_string_equal(board_event(&board, 0)->text, "no. 66\\x0a");
    assert_int_equal(board_event(&board, 0)->at.ms, 67500);
    assert_false(board_event(&board, 0)->alarm);
    assert_true(board_event(&board, 1)->alarm);
    assert_string_equal(board_event(&board, BOARD_EVENTS_MAX - 1)->text, "no. 3\\x0a");
    assert_null(board_event(&board, BOARD_EVENTS_MAX));
    board_free(&board);
}

static void assert_not_well(const struct board *board, const char *wanted)
{
    TEXT_LOCAL(out, 2048);

    board_not_well(board, &out);
    assert_string_equal(out.data, wanted);
}

static void
take_controller(struct board *board, const char *id, const char *redis, const char *config)
{
    char payload[256];

    (void)snprintf(
        payload, sizeof payload,
        "{\"status\":\"running\",\"leader\":true,\"redis\":\"%s\",\"config\":\"%s\",\"since\":1}",
        redis, config);
    assert_int_equal(take(board, TOPIC_CONTROLLER_STATUS, id, payload), BOARD_CONTROLLER);
}

static void a_missing_controller_is_the_first_thing_to_know(void **state)
{
    struct board board = {0};

    (void)state;
    assert_false(board_has_controller(&board));
    assert_not_well(
        &board,
        "No controller has been heard of: running machines keep running, no new card opens, "
        "emergency cards work.\n");
    take(&board, TOPIC_CONTROLLER_STATUS, "one", "{\"status\":\"lost\"}");
    take(&board, TOPIC_CONTROLLER_STATUS, "two", "{\"status\":\"stopped\"}");
    assert_not_well(
        &board, "No controller is running (one was lost, two was stopped): running machines keep "
                "running, no new card opens, emergency cards work.\n");
    take_controller(&board, "one", "up", "a");
    assert_true(board_has_controller(&board));
    assert_not_well(&board, "");
    board_free(&board);
}

static void Redis_and_differing_files_are_not_well(void **state)
{
    struct board board = {0};

    (void)state;
    take_controller(&board, "one", "down", "a");
    take_controller(&board, "two", "up", "b");
    assert_not_well(
        &board,
        "Redis is out of reach of controller one: cards work as before; changes are kept by "
        "the broker until it is back.\n"
        "Controllers one and two have different users or machines: reload.\n");
    board_free(&board);
}

static void Redis_that_refuses_a_controller_is_not_called_out_of_reach(void **state)
{
    struct board board = {0};

    (void)state;
    assert_int_equal(
        take(
            &board, TOPIC_CONTROLLER_STATUS, "one",
            "{\"status\":\"running\",\"leader\":true,\"redis\":\"down\",\"redis_refuses\":"
            "\"it does not take [redis] password\",\"config\":\"a\",\"since\":1}"),
        BOARD_CONTROLLER);
    assert_not_well(
        &board,
        "Redis refuses controller one, for it does not take [redis] password: cards work as "
        "before; changes are kept by the broker until it is back.\n");
    take_controller(&board, "one", "down", "a");
    assert_not_well(
        &board,
        "Redis is out of reach of controller one: cards work as before; changes are kept by the "
        "broker until it is back.\n");
    board_free(&board);
}

static void storage_that_hangs_is_said_before_the_machines_that_wait_for_it(void **state)
{
    static const char late[] =
        "{\"machine\":\"saw\",\"mode\":\"idle\",\"oops\":false,\"lockout\":false,\"epoch\":1,"
        "\"rev\":1,\"problem\":true,\"faults\":[\"save_timeout\"]}";
    struct board board = {0};

    (void)state;
    take_controller(&board, "one", "up", "a");
    take(&board, TOPIC_STATE, "saw", late);
    assert_not_well(
        &board, "Storage hangs: cards work as before; do not power-cycle anything. Look at the "
                "server's disk and Redis.\n"
                "1 machine needs attention: saw.\n");
    take_controller(&board, "one", "down", "a");
    assert_not_well(
        &board,
        "Redis is out of reach of controller one: cards work as before; changes are kept by "
        "the broker until it is back.\n"
        "1 machine needs attention: saw.\n");
    board_free(&board);
}

static void machines_that_need_attention_are_named(void **state)
{
    static const char *const more[] = {
        ",\"rev\":1,\"problem\":true",
        ",\"rev\":1,\"faults\":[\"twin\"]",
        ",\"rev\":1,\"relay\":false,\"confirmed\":\"on\"",
        ",\"rev\":1",
        ",\"rev\":1,\"relay\":true,\"confirmed\":\"off\"",
    };
    struct board board = {0};

    (void)state;
    take_controller(&board, "one", "up", "a");
    for (size_t i = 0; i < 5; i++) {
        char payload[256];
        char name[8];
        (void)snprintf(name, sizeof name, "m%zu", i);
        (void)snprintf(
            payload, sizeof payload,
            "{\"machine\":\"%s\",\"mode\":\"idle\",\"oops\":false,\"lockout\":false,\"epoch\":1%s}",
            name, more[i]);
        take(&board, TOPIC_STATE, name, payload);
    }
    assert_not_well(&board, "3 machines need attention: m0, m1, m2.\n");
    take(&board, TOPIC_LINK, "m3", "lost");
    assert_not_well(&board, "4 machines need attention: m0, m1, m2, m3.\n");
    for (size_t i = 5; i < 9; i++) {
        char payload[256];
        char name[8];
        (void)snprintf(name, sizeof name, "m%zu", i);
        (void)snprintf(
            payload, sizeof payload,
            "{\"machine\":\"%s\",\"mode\":\"idle\",\"oops\":false,\"lockout\":false,\"epoch\":1%s}",
            name, more[0]);
        take(&board, TOPIC_STATE, name, payload);
    }
    assert_not_well(&board, "8 machines need attention: m0, m1, m2, m3, m5, m6 and 2 more.\n");
    board_free(&board);
}

static void a_state_that_cannot_be_read_is_told(void **state)
{
    struct board board = {0};

    (void)state;
    take_controller(&board, "one", "up", "a");
    assert_int_equal(take(&board, TOPIC_STATE, "saw", "no JSON"), BOARD_MACHINE);
    assert_not_well(
        &board, "1 machine's state cannot be read (is the controller of another version?): saw.\n");
    assert_int_equal(take(&board, TOPIC_STATE, "saw", "{}"), BOARD_SAME);
    take(&board, TOPIC_STATE, "lathe", STATE("lathe", "in_use", ",\"rev\":1"));
    take(&board, TOPIC_STATE, "lathe", "{\"mode\":7}");
    assert_not_well(
        &board, "2 machines' states cannot be read (is the controller of another version?): lathe, "
                "saw.\n");
    assert_int_equal(
        take(&board, TOPIC_STATE, "lathe", STATE("lathe", "idle", ",\"rev\":2")), BOARD_MACHINE);
    assert_int_equal(take(&board, TOPIC_STATE, "saw", ""), BOARD_MACHINE);
    assert_not_well(&board, "");
    board_free(&board);
}

static void
take_service(struct board *board, const char *name, const char *status, const char *reason)
{
    char payload[256];

    (void)snprintf(
        payload, sizeof payload, "{\"status\":\"%s\",\"reason\":\"%s\",\"since\":1}", status,
        reason);
    assert_int_equal(take(board, TOPIC_SERVICE, name, payload), BOARD_SERVICE);
}

static void C11_6_services_that_do_not_work_are_named(void **state)
{
    struct board board = {0};

    (void)state;
    take_controller(&board, "one", "up", "a");
    take_service(&board, "watcher", "running", "");
    take_service(&board, "slack", "stopped", "not configured");
    take_service(&board, "controller-two", "stopped", "");
    assert_not_well(&board, "");
    take_service(&board, "slack", "error", "invalid_auth\\u001b");
    take_service(&board, "redis", "error", "");
    assert_not_well(
        &board, "Service slack does not work: invalid_auth\\x1b.\nService redis does not work.\n");
    take_service(&board, "slack", "running", "");
    take_service(&board, "redis", "running", "");
    take_service(&board, "watcher", "stopped", "");
    assert_not_well(
        &board, "The watcher was stopped: nobody is told of alerts, and cards work as before.\n");
    take_service(&board, "watcher", "error", "lost");
    assert_not_well(
        &board, "The watcher is gone: nobody is told of alerts, and cards work as before.\n");
    board_free(&board);
}

static void C11_6_a_watcher_that_never_ran_is_missed_by_the_controller(void **state)
{
    static const char status[] =
        "{\"status\":\"running\",\"leader\":true,\"epoch\":1,\"since\":1,\"version\":\"1\","
        "\"config\":\"a\",\"redis\":\"up\",\"watcher\":\"missing\"}";
    struct board board = {0};

    (void)state;
    take(&board, TOPIC_CONTROLLER_STATUS, "one", status);
    assert_not_well(
        &board, "The watcher does not run: nobody is told of alerts, and cards work as before.\n");
    take_service(&board, "watcher", "running", "");
    assert_not_well(&board, "");
    board_free(&board);
}

static void C11_6_nothing_is_told_twice(void **state)
{
    struct board board = {0};

    (void)state;
    take_controller(&board, "one", "down", "a");
    take(&board, TOPIC_CONTROLLER_STATUS, "two", "{\"status\":\"lost\"}");
    take_service(&board, "redis", "error", "");
    take_service(&board, "controller-two", "error", "lost");
    assert_not_well(
        &board,
        "Redis is out of reach of controller one: cards work as before; changes are kept by "
        "the broker until it is back.\n"
        "Controller two was lost; another one runs. Look at its host.\n");
    take(&board, TOPIC_CONTROLLER_STATUS, "one", "{\"status\":\"lost\"}");
    take_service(&board, "leader", "error", "");
    take_service(&board, "redis", "running", "");
    assert_not_well(
        &board, "No controller is running (one was lost, two was lost): running machines keep "
                "running, no new card opens, emergency cards work.\n");
    board_free(&board);
}

static void json_comes_out_as_it_went_in(void **state)
{
    static const char text[] = "{\"a\":[1,2.5,-3,\"x\\n\\\"\",null,true,{}],\"b\":{\"c\":[]},"
                               "\"epoch\":1099511627776,\"at\":1736951850.123}";
    struct json *document = NULL;
    char *copy;
    TEXT_LOCAL(why, 128);

    (void)state;
    assert_int_equal(json_parse(text, sizeof text - 1, &document, &why), STATUS_OK);
    copy = board_json(document);
    assert_string_equal(copy, text);
    free(copy);
    json_free(document);
}

static void a_state_of_an_answer_is_taken_like_a_published_one(void **state)
{
    static const char text[] = STATE("saw", "idle", ",\"rev\":3");
    struct board board = {0};
    struct json *document = NULL;
    TEXT_LOCAL(why, 128);

    (void)state;
    assert_int_equal(json_parse(text, sizeof text - 1, &document, &why), STATUS_OK);
    assert_int_equal(board_take_state(&board, document), STATUS_OK);
    assert_string_equal(board_find(&board, "saw")->payload, text);
    json_free(document);
    assert_int_equal(json_parse("{}", 2, &document, &why), STATUS_OK);
    assert_int_equal(board_take_state(&board, document), STATUS_INVALID);
    json_free(document);
    assert_int_equal(board.nameless, 1);
    assert_int_equal(json_parse("{\"machine\":\"mill\"}", 18, &document, &why), STATUS_OK);
    assert_int_equal(board_take_state(&board, document), STATUS_INVALID);
    json_free(document);
    assert_true(board_find(&board, "mill")->is_unreadable);
    board_free(&board);
}

static void what_is_no_machines_name_is_not_shown(void **state)
{
    static const char *const names[] = {"\033[2Jsaw", "\xff", "Saw", ""};
    struct board board = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        take(
            &board, TOPIC_STATE, names[i],
            "{\"machine\":\"saw\",\"mode\":\"idle\",\"oops\":false,\"lockout\":false,"
            "\"epoch\":1,\"rev\":1,\"problem\":true}");
        take(&board, TOPIC_STATE, names[i], "{");
        take(&board, TOPIC_LINK, names[i], "lost");
        take(&board, TOPIC_EVENT, names[i], "{\"event_type\":\"oops\",\"text\":\"Oops\"}");
    }
    assert_int_equal(board.machine_count, 0);
    assert_null(board_event(&board, 0));
    board_free(&board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machines_are_kept_by_name),
        cmocka_unit_test(what_is_no_machines_name_is_not_shown),
        cmocka_unit_test(C12_1_an_older_state_does_not_replace_a_newer_one),
        cmocka_unit_test(what_cannot_be_read_changes_nothing),
        cmocka_unit_test(C2_an_empty_state_takes_a_machine_off_the_board),
        cmocka_unit_test(what_is_oopsed_or_locked_out_is_counted),
        cmocka_unit_test(C11_a_machine_that_was_not_heard_is_not_said_to_be_well),
        cmocka_unit_test(a_link_is_news_only_when_it_changes),
        cmocka_unit_test(the_last_events_are_kept_newest_first),
        cmocka_unit_test(a_missing_controller_is_the_first_thing_to_know),
        cmocka_unit_test(Redis_and_differing_files_are_not_well),
        cmocka_unit_test(Redis_that_refuses_a_controller_is_not_called_out_of_reach),
        cmocka_unit_test(storage_that_hangs_is_said_before_the_machines_that_wait_for_it),
        cmocka_unit_test(machines_that_need_attention_are_named),
        cmocka_unit_test(a_state_that_cannot_be_read_is_told),
        cmocka_unit_test(C11_6_services_that_do_not_work_are_named),
        cmocka_unit_test(C11_6_a_watcher_that_never_ran_is_missed_by_the_controller),
        cmocka_unit_test(C11_6_nothing_is_told_twice),
        cmocka_unit_test(json_comes_out_as_it_went_in),
        cmocka_unit_test(a_state_of_an_answer_is_taken_like_a_published_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
