/* Each allocation failing in turn, through a start, what a shop does in a day, and the watcher: no
 * crash, nothing lost track of (the sanitizers see to that), nothing newly on (I6), and where there
 * is a caller to be told, he is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/board.h"
#include "controller/ctl/sessions.h"
#include "controller/daemon/blocks.h"
#include "controller/daemon/controller_inside.h"
#include "controller/support/audit_months.h"
#include "controller/support/clock.h"
#include "controller/watcher/watcher_inside.h"
#include "tests/lib/discovery_bench.h"
#include "tests/lib/failing_memory.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define CALLS_MAX 20000

static const char machines[] = "{\"saw\":{\"authorizations_or\":[\"Saw\"],\"alias\":\"Table Saw\","
                               "\"second_relay\":{\"authorizations_or\":[\"Air\"]}},"
                               "\"fan\":{\"authorizations_or\":[],\"always_enabled\":true}}";
static const char users[] = "[" USER("\"1\"", "[\"1\", \"2\"]") "]";
static const char settings_file[] =
    "[controller]\nid = one\n[mqtt]\nusername = a\n[redis]\nurl = redis://h:1/2\n"
    "sentinels = a:1, b:2\nmaster = m\n[texts]\nwelcome = Hi\\n{name}\n";

/* ---- reading files ---- */

static void a_configuration_is_read_or_refused_with_a_reason(void **state)
{
    bool struck = true;

    (void)state;
    scratch_write_text("tagout.ini", settings_file);
    scratch_write_text("machines.json", machines);
    scratch_write_text("users.json", users);
    for (unsigned nth = 1; struck; nth++) {
        struct settings *settings = NULL;
        struct roster *roster = NULL;
        enum status status;
        TEXT_LOCAL(why, 512);

        assert_true(nth < CALLS_MAX);
        failing_memory_order(nth, nth % 2 == 0);
        status = settings_load("tagout.ini", &settings, &why);
        if (status == STATUS_OK) {
            status = roster_load("machines.json", "users.json", &roster, &why);
        }
        struck = failing_memory_end();
        if ((status == STATUS_OK) == struck) {
            fail_msg("no. %u: %s", nth, why.data);
        }
        assert_true(status == STATUS_OK || why.length > 0);
        roster_free(roster);
        settings_free(settings);
    }
}

/* ---- the controller ---- */

static void hear(const char *topic, const char *payload)
{
    size_t length = strlen(payload);

    if (topic_is_request(topic)) {
        controller_on_request(bench.controller, topic, payload, length, false, false);
    } else {
        controller_on_message(bench.controller, topic, payload, length, false);
    }
}

#define REPORT(card, seq)                                                                          \
    "{\"oops\":false,\"rfid_value\":\"" card "\",\"uptime\":100,\"boot_id\":\"b\",\"seq\":" seq "}"
#define TO_SAW "tagout/machine/saw/"
#define ASKED "tagout/request/local/"

/* What happens in a shop, one thing after the other. */
static const struct {
    const char *topic;
    const char *payload;
    bool opens; /* the one thing that may switch the saw on */
} day[] = {
    {TO_SAW "link", "online", false},
    {TO_SAW "report", REPORT("", "1"), false},
    {TO_SAW "report", REPORT("1", "2"), true},
    {TO_SAW "report", "{\"oops\":", false},
    {ASKED "status", "{\"transaction\":1}", false},
    {ASKED "why", "{\"machine\":\"saw\"}", false},
    {ASKED "lockout", "{\"machine\":\"saw\",\"value\":true,\"by\":\"Ada\"}", false},
    {ASKED "clear", "{\"machine\":\"saw\"}", false},
    {ASKED "block", "{\"account_id\":\"1\"}", false},
    {ASKED "unblock", "{\"account_id\":\"1\"}", false},
    {ASKED "restart", "{\"machine\":\"saw\",\"when_idle\":true}", false},
    {ASKED "card", "{\"machine\":\"saw\"}", false},
    {ASKED "reload", "{\"force\":true}", false},
    {ASKED "forget", "{\"machine\":\"gone\"}", false},
    {ASKED "handover", "{}", false},
    {TO_SAW "set/oops", "ON", false},
    {TO_SAW "pong", "{\"id\":1}", false},
    {"homeassistant/status", "online", false},
    {TO_SAW "link", "offline", false},
};

static void check_fleet(void)
{
    for (size_t i = 0; i < fleet_count(bench.controller->fleet); i++) {
        const struct machine *machine = fleet_at(bench.controller->fleet, i);

        assert_true(
            machine->config == NULL ||
            core_broken_invariant(&machine->config->config, &machine->record.core) == 0);
    }
}

/* With one allocation less; false when it needed fewer. */
static bool happen_with(size_t step, unsigned nth)
{
    const struct machine *saw = fleet_find(bench.controller->fleet, "saw");
    bool was_on = core_mode_relay(saw->record.core.mode);
    bool struck;

    failing_memory_order(nth, nth % 2 == 0);
    hear(day[step].topic, day[step].payload);
    controller_flush(bench.controller);
    (void)controller_tick(bench.controller);
    struck = failing_memory_end();
    if (core_mode_relay(saw->record.core.mode) && !was_on) {
        assert_true(day[step].opens);
    }
    check_fleet();
    return struck;
}

static struct roster *make_roster(void)
{
    return roster_of(machines, users);
}

/* The shop is opened anew for each allocation of each step. */
static void a_shop_goes_on_without_the_memory_that_one_thing_wants(void **state)
{
    size_t struck = 0;

    (void)state;
    for (size_t step = 0; step < sizeof day / sizeof day[0]; step++) {
        bool strikes = true;

        for (unsigned nth = 1; strikes; nth++) {
            assert_true(nth < CALLS_MAX);
            open_shop_with(machines, true);
            controller_reload(bench.controller);
            controller_on_roster(bench.controller, make_roster(), NULL);
            for (size_t before = 0; before < step; before++) {
                hear(day[before].topic, day[before].payload);
                controller_flush(bench.controller);
            }
            strikes = happen_with(step, nth);
            struck += strikes;
            pass(3000);
            check_fleet();
            (void)close_bench(NULL);
        }
    }
    print_message("note: %zu allocations of the controller failed in turn\n", struck);
    assert_true(struck > 20);
}

static void a_controller_is_made_or_it_is_said_that_there_is_no_memory(void **state)
{
    struct controller_ports ports;
    bool struck = true;

    (void)state;
    open_shop_with(machines, false);
    ports = bench.controller->ports;
    for (unsigned nth = 1; struck; nth++) {
        struct controller *controller = NULL;
        struct roster *roster = make_roster();
        struct settings *settings = NULL;
        enum status status;
        TEXT_LOCAL(why, 256);

        assert_int_equal(settings_load(NULL, &settings, &why), STATUS_OK);
        failing_memory_order(nth, false);
        status = controller_new(settings, roster, &ports, &controller);
        struck = failing_memory_end();
        assert_int_equal(status, struck ? STATUS_NO_MEMORY : STATUS_OK);
        if (struck) {
            roster_free(roster);
        }
        controller_free(controller);
        settings_free(settings);
    }
    (void)close_bench(NULL);
}

/* ---- what reads payloads ---- */

static void blocked_cards_are_read_whole_or_not_at_all(void **state)
{
    static const char document[] =
        "{\"epoch\":5,\"rev\":2,\"card_key\":\"00\",\"cards\":["
        "{\"card\":\"11\",\"account_id\":\"1\"},{\"card\":\"22\",\"account_id\":\"2\"}]}";
    bool struck = true;

    (void)state;
    for (unsigned nth = 1; struck; nth++) {
        struct blocks blocks = {0};
        enum status status;
        TEXT_LOCAL(why, 256);

        failing_memory_order(nth, false);
        status = blocks_parse(document, sizeof document - 1, &blocks, &why);
        struck = failing_memory_end();
        assert_int_equal(status == STATUS_OK, !struck);
        assert_int_equal(blocks.count, struck ? 0 : 2);
        blocks_free(&blocks);
    }
}

static void the_board_shows_what_there_is_memory_for(void **state)
{
    static const char payload[] =
        "{\"machine\":\"saw\",\"mode\":\"idle\",\"oops\":false,\"lockout\":false,"
        "\"epoch\":1,\"rev\":1}";
    bool struck = true;

    (void)state;
    for (unsigned nth = 1; struck; nth++) {
        struct topic_match topic = {.id = TOPIC_STATE, .first = "saw"};
        struct board board = {0};

        failing_memory_order(nth, nth % 2 == 0);
        (void)board_take(&board, &topic, payload, sizeof payload - 1);
        struck = failing_memory_end();
        assert_true(struck || (board.machine_count == 1 && board.machines[0]->has_state));
        assert_int_equal(board_take(&board, &topic, payload, sizeof payload - 1), BOARD_MACHINE);
        board_free(&board);
    }
}

static void ignore_session(void *context, const struct session *session)
{
    (void)context;
    (void)session;
}

static void sessions_are_put_together_or_it_is_said_that_there_is_no_memory(void **state)
{
    static const char event[] = "{\"event_type\":\"login\",\"machine\":\"saw\",\"user\":\"Ada\"}";
    struct json *document = NULL;
    bool struck = true;
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(json_parse(event, sizeof event - 1, &document, &why), STATUS_OK);
    for (unsigned nth = 1; struck; nth++) {
        struct sessions *sessions = NULL;
        enum status status;

        failing_memory_order(nth, false);
        status = sessions_new(&sessions);
        if (status == STATUS_OK) {
            status =
                sessions_take(sessions, document, (struct wall_time){1000}, ignore_session, NULL);
        }
        struck = failing_memory_end();
        assert_int_equal(status, struck ? STATUS_NO_MEMORY : STATUS_OK);
        sessions_free(sessions);
    }
    json_free(document);
}

/* ---- the watcher ---- */

#define EVENT(n)                                                                                   \
    "{\"event_type\":\"oops\",\"machine\":\"saw\",\"display_name\":\"Saw\",\"n\":" n ",\"at\":5}"

static void a_watcher_hears_on_when_there_is_memory_again(void **state)
{
    struct settings *settings = NULL;
    struct event_base *base = event_base_new();
    struct audit *audit = NULL;
    char month[AUDIT_NAME_SIZE];
    bool struck = true;
    TEXT_LOCAL(events, 64);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(settings_load(NULL, &settings, &why), STATUS_OK);
    assert_int_equal(audit_start("audit", 400, &audit), STATUS_OK);
    for (unsigned nth = 1; struck; nth++) {
        static const char event[] = EVENT("7");
        static const char late[] = "{\"machine\":\"saw\",\"count\":2,\"budget_ms\":2000,\"at\":5}";
        struct watcher *watcher = NULL;
        enum status status;

        assert_true(nth < CALLS_MAX);
        failing_memory_order(nth, false);
        status = watcher_new(base, settings, audit, &watcher);
        if (status == STATUS_OK) {
            watcher_on_message(watcher, "tagout/machine/saw/event", event, sizeof event - 1, false);
            watcher_on_message(watcher, "tagout/fleet/save_timeout", late, sizeof late - 1, false);
            (void)watcher_tick(watcher);
        }
        struck = failing_memory_end();
        assert_true(struck || status == STATUS_OK);
        watcher_free(watcher);
    }
    audit_month_name(audit_month_of(clock_now().wall), month);
    text_addf(&events, "audit/%s", month);
    audit_stop(audit, 10000);
    (void)unlink(events.data);
    (void)unlink("audit/watcher.json");
    assert_int_equal(rmdir("audit"), 0);
    settings_free(settings);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_is_read_or_refused_with_a_reason),
        cmocka_unit_test(a_shop_goes_on_without_the_memory_that_one_thing_wants),
        cmocka_unit_test(a_controller_is_made_or_it_is_said_that_there_is_no_memory),
        cmocka_unit_test(blocked_cards_are_read_whole_or_not_at_all),
        cmocka_unit_test(the_board_shows_what_there_is_memory_for),
        cmocka_unit_test(sessions_are_put_together_or_it_is_said_that_there_is_no_memory),
        cmocka_unit_test(a_watcher_hears_on_when_there_is_memory_again),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
