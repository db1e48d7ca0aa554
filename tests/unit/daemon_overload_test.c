/* C3, C2: more reports than can be answered. What waits to be sent is what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/memory.h"
#include "tests/lib/fake_ports.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define BEHIND 64

static struct {
    struct fake_ports fake;
    struct settings *settings;
    struct controller *controller;
    struct memory_database *database;
    struct store *store;
    unsigned commands;
    char command[1024]; /* the last one */
    unsigned events;
} bench;

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)qos;
    (void)retain;
    if (strstr(topic, "/command") != NULL) {
        assert_true(length < sizeof bench.command);
        memcpy(bench.command, payload, length);
        bench.command[length] = '\0';
        bench.commands++;
    }
    bench.events += strstr(topic, "/event") != NULL;
    return STATUS_OK;
}

static void report(const char *machine, unsigned seq, const char *card, bool oops)
{
    char topic[64];
    char payload[256];

    (void)snprintf(topic, sizeof topic, "tagout/machine/%s/report", machine);
    (void)snprintf(
        payload, sizeof payload,
        "{\"oops\":%s,\"rfid_value\":\"%s\",\"uptime\":%u,\"boot_id\":\"b\",\"seq\":%u}",
        oops ? "true" : "false", card, 1000 + seq, seq);
    controller_on_message(bench.controller, topic, payload, strlen(payload), false);
    controller_flush(bench.controller);
}

/* A shop of two machines that leads, each of which has reported once. */
static int open_bench(void **state)
{
    struct controller_ports ports;
    struct store_events events;
    TEXT_LOCAL(why, 256);

    (void)state;
    memset(&bench, 0, sizeof bench);
    bench.fake.now = FAKE_MORNING;
    bench.fake.on_publish = on_publish;
    ports = fake_ports(&bench.fake);
    assert_int_equal(settings_load(NULL, &bench.settings, &why), STATUS_OK);
    assert_int_equal(memory_database_new(&bench.database), STATUS_OK);
    assert_int_equal(
        controller_new(
            bench.settings,
            roster_of(
                "{\"saw\": {\"authorizations_or\": [\"wood\"]},"
                " \"mill\": {\"authorizations_or\": [\"wood\"]}}",
                "[" USER("\"ada\"", "[\"1\"]") "]"),
            &ports, &bench.controller),
        STATUS_OK);
    events = controller_store_events(bench.controller);
    assert_int_equal(memory_store_new(bench.database, &events, &bench.store), STATUS_OK);
    controller_start(bench.controller, bench.store);
    memory_store_up(bench.store);
    memory_store_run(bench.store);
    fake_ports_connect(&bench.fake, bench.controller);
    memory_store_run(bench.store);
    controller_on_echo(bench.controller, bench.fake.echo);
    memory_store_run(bench.store);
    fake_ports_grant(&bench.fake, bench.controller);
    assert_true(controller_is_ready(bench.controller));
    report("saw", 1, "", false);
    report("mill", 1, "", false);
    bench.commands = 0;
    bench.events = 0;
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    bench.store->operations->close(bench.store);
    controller_free(bench.controller);
    memory_database_free(bench.database);
    settings_free(bench.settings);
    return 0;
}

static void C3_what_cannot_be_answered_yet_merges_and_the_newest_is_answered(void **state)
{
    (void)state;
    bench.fake.waiting = BEHIND;
    for (unsigned seq = 2; seq <= 100; seq++) {
        report("saw", seq, "", false);
    }
    assert_int_equal(bench.commands, 0);
    bench.fake.waiting = BEHIND - 1;
    (void)controller_tick(bench.controller);
    assert_int_equal(bench.commands, 1);
    assert_non_null(strstr(bench.command, "\"seq\":100,"));
}

static void C3_the_loop_looks_again_soon_whether_it_can(void **state)
{
    struct mono_time next;

    (void)state;
    bench.fake.waiting = BEHIND;
    report("saw", 2, "", false);
    next = controller_tick(bench.controller);
    assert_int_equal(next.ms, bench.fake.now.mono.ms + 10);
}

static void C4_2_an_oops_waits_for_nothing(void **state)
{
    (void)state;
    bench.fake.waiting = BEHIND;
    report("saw", 2, "", false);
    report("mill", 2, "", true);
    assert_int_equal(bench.commands, 1);
    assert_non_null(strstr(bench.command, "\"oops_led\":true"));
    assert_int_equal(bench.events, 1);
}

static void C4_2_an_oops_takes_along_what_waits_of_its_machine(void **state)
{
    (void)state;
    bench.fake.waiting = BEHIND;
    report("mill", 2, "", false);
    report("mill", 3, "", true);
    report("mill", 4, "", false);
    assert_int_equal(bench.commands, 2);
    assert_non_null(strstr(bench.command, "\"oops_led\":true"));
    bench.fake.waiting = 0;
    (void)controller_tick(bench.controller);
    assert_int_equal(bench.commands, 3);
    assert_non_null(strstr(bench.command, "\"seq\":4,"));
}

static void C4_5_a_card_edge_waits_for_nothing(void **state)
{
    (void)state;
    bench.fake.waiting = BEHIND;
    report("saw", 2, "5", false);
    assert_int_equal(bench.commands, 1);
    assert_non_null(strstr(bench.command, "Unknown RFID"));
    report("saw", 3, "5", false);
    assert_int_equal(bench.commands, 1);
    report("saw", 4, "", false);
    assert_int_equal(bench.commands, 3);
    assert_non_null(strstr(bench.command, "\"seq\":4,"));
}

static void
C6_what_is_asked_for_waits_for_nothing_and_stands_behind_the_machines_reports(void **state)
{
    static const char lockout[] = "{\"machine\":\"saw\",\"value\":true}";

    (void)state;
    bench.fake.waiting = BEHIND;
    report("saw", 2, "", false);
    controller_on_request(
        bench.controller, "tagout/request/local/lockout", lockout, strlen(lockout), false, false);
    assert_int_equal(bench.commands, 2);
    assert_non_null(strstr(bench.command, "\"lockout\":true"));
    assert_non_null(strstr(bench.command, "\"seq\":2,"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(C3_what_cannot_be_answered_yet_merges_and_the_newest_is_answered),
        CASE(C3_the_loop_looks_again_soon_whether_it_can),
        CASE(C4_2_an_oops_waits_for_nothing),
        CASE(C4_2_an_oops_takes_along_what_waits_of_its_machine),
        CASE(C4_5_a_card_edge_waits_for_nothing),
        CASE(C6_what_is_asked_for_waits_for_nothing_and_stands_behind_the_machines_reports),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
