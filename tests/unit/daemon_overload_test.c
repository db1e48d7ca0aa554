/* C3, C2: more reports than can be answered. What waits to be sent is what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/controller_bench.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define BEHIND 64

static struct controller_bench bench;
static struct {
    unsigned commands;
    char command[1024]; /* the last one */
    unsigned events;
} said;

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)qos;
    (void)retain;
    if (strstr(topic, "/command") != NULL) {
        assert_true(length < sizeof said.command);
        memcpy(said.command, payload, length);
        said.command[length] = '\0';
        said.commands++;
    }
    said.events += strstr(topic, "/event") != NULL;
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
    (void)state;
    memset(&bench, 0, sizeof bench);
    bench.fake.on_publish = on_publish;
    controller_bench_open(
        &bench,
        "{\"saw\": {\"authorizations_or\": [\"wood\"]},"
        " \"mill\": {\"authorizations_or\": [\"wood\"]}}",
        "[" USER("\"ada\"", "[\"1\"]") "]", NULL);
    controller_bench_start(&bench);
    controller_bench_lead(&bench);
    report("saw", 1, "", false);
    report("mill", 1, "", false);
    memset(&said, 0, sizeof said);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    return 0;
}

static void C3_what_cannot_be_answered_yet_merges_and_the_newest_is_answered(void **state)
{
    (void)state;
    bench.fake.waiting = BEHIND;
    for (unsigned seq = 2; seq <= 100; seq++) {
        report("saw", seq, "", false);
    }
    assert_int_equal(said.commands, 0);
    bench.fake.waiting = BEHIND - 1;
    (void)controller_tick(bench.controller);
    assert_int_equal(said.commands, 1);
    assert_non_null(strstr(said.command, "\"seq\":100,"));
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
    assert_int_equal(said.commands, 1);
    assert_non_null(strstr(said.command, "\"oops_led\":true"));
    assert_int_equal(said.events, 1);
}

static void C4_2_an_oops_takes_along_what_waits_of_its_machine(void **state)
{
    (void)state;
    bench.fake.waiting = BEHIND;
    report("mill", 2, "", false);
    report("mill", 3, "", true);
    report("mill", 4, "", false);
    assert_int_equal(said.commands, 2);
    assert_non_null(strstr(said.command, "\"oops_led\":true"));
    bench.fake.waiting = 0;
    (void)controller_tick(bench.controller);
    assert_int_equal(said.commands, 3);
    assert_non_null(strstr(said.command, "\"seq\":4,"));
}

static void C4_5_a_card_edge_waits_for_nothing(void **state)
{
    (void)state;
    bench.fake.waiting = BEHIND;
    report("saw", 2, "5", false);
    assert_int_equal(said.commands, 1);
    assert_non_null(strstr(said.command, "Unknown RFID"));
    report("saw", 3, "5", false);
    assert_int_equal(said.commands, 1);
    report("saw", 4, "", false);
    assert_int_equal(said.commands, 3);
    assert_non_null(strstr(said.command, "\"seq\":4,"));
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
    assert_int_equal(said.commands, 2);
    assert_non_null(strstr(said.command, "\"lockout\":true"));
    assert_non_null(strstr(said.command, "\"seq\":2,"));
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
