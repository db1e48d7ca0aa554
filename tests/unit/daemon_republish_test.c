/* C12, C2: everything that is retained is published anew, in turns of the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/controller_bench.h"
#include "tests/lib/scratch.h"
#include "tests/lib/store_bench.h"

#define MACHINES 500
#define A_TURN 64
#define URGENT 3
#define MARKUP 64

static struct controller_bench bench;
static struct {
    unsigned commands[MACHINES]; /* of each machine */
    unsigned states[MACHINES];
    size_t order[MACHINES]; /* machines by their first command */
    size_t ordered;
    size_t total; /* commands and states */
    unsigned statuses;
    unsigned responses;
} said;

static void note(const char *topic)
{
    char kind[16] = "";
    size_t machine = 0;

    if (sscanf(topic, "tagout/machine/m%zu/%15s", &machine, kind) != 2) {
        said.statuses += strstr(topic, "/status") != NULL;
        said.responses += strstr(topic, "/response/") != NULL;
        return;
    }
    if (strcmp(kind, "command") == 0) {
        if (said.commands[machine]++ == 0) {
            said.order[said.ordered++] = machine;
        }
        said.total++;
    } else if (strcmp(kind, "state") == 0) {
        said.states[machine]++;
        said.total++;
    }
}

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)payload;
    (void)length;
    (void)qos;
    (void)retain;
    note(topic);
    return STATUS_OK;
}

static void forget_said(void)
{
    memset(&said, 0, sizeof said);
}

static char *many_machines(void)
{
    char *json = malloc((size_t)MACHINES * MARKUP);
    struct text out = text_over(json, (size_t)MACHINES * MARKUP);

    for (size_t i = 0; i < MACHINES; i++) {
        text_addf(&out, "%s\"m%zu\": {\"authorizations_or\": []}", i == 0 ? "{" : ", ", i);
    }
    text_add(&out, "}");
    assert_false(out.cut);
    return json;
}

/* The last three are oopsed, locked out, and in use by an emergency card. */
static void keep_records(void)
{
    for (size_t i = MACHINES - URGENT; i < MACHINES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "m%zu", i);
        struct record record = store_bench_record(name, 7, 1);
        record.core.oopsed = i == MACHINES - URGENT;
        record.core.locked_out = i == MACHINES - URGENT + 1;
        record.core.mode = record.core.oopsed       ? CORE_OOPS
                           : record.core.locked_out ? CORE_LOCKOUT
                                                    : CORE_EMERGENCY;
        if (record.core.mode == CORE_EMERGENCY) {
            text_copy(
                record.core.card, sizeof record.core.card, "0123456789abcdef0123456789abcdef");
            record.core.known = true;
        }
        assert_int_equal(memory_database_put(bench.database, &record), STATUS_OK);
    }
}

/* The broker has told all; Redis is about to. */
static int open_bench(void **state)
{
    char *machines = many_machines();

    (void)state;
    memset(&bench, 0, sizeof bench);
    forget_said();
    bench.fake.on_publish = on_publish;
    controller_bench_open(&bench, machines, "[]", NULL);
    free(machines);
    keep_records();
    controller_bench_start(&bench);
    assert_int_equal(said.total, 0);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    return 0;
}

/* Redis gives the lease. */
static void lead(void)
{
    for (int i = 0; i < 20 && said.total == 0; i++) {
        controller_on_echo(bench.controller, bench.fake.echo);
        memory_store_run(bench.store);
        fake_ports_pass(&bench.fake, said.total == 0 ? 100 : 0);
    }
    assert_true(said.total > 0);
}

/* A turn of the loop; how much it said. */
static size_t turn(void)
{
    size_t before = said.total;

    (void)controller_tick(bench.controller);
    return said.total - before;
}

static void finish(void)
{
    while (turn() > 0) {
        assert_true(said.total <= (size_t)2 * MACHINES);
    }
}

static void
C12_4_at_a_take_over_every_machine_has_its_command_and_its_state_in_bounded_turns(void **state)
{
    size_t turns = 0;
    size_t count;

    (void)state;
    lead();
    assert_true(said.total <= A_TURN);
    assert_int_equal(said.statuses, 1);
    while ((count = turn()) > 0) {
        assert_true(count <= A_TURN);
        turns++;
    }
    assert_true(turns >= (size_t)2 * MACHINES / A_TURN);
    for (size_t i = 0; i < MACHINES; i++) {
        assert_int_equal(said.commands[i], 1);
        assert_int_equal(said.states[i], 1);
    }
}

static void C12_4_machines_that_are_on_or_must_stay_off_have_their_command_first(void **state)
{
    (void)state;
    lead();
    assert_true(said.ordered >= URGENT);
    for (size_t i = 0; i < URGENT; i++) {
        assert_int_equal(said.order[i], MACHINES - URGENT + i);
    }
}

static void C12_4_the_loop_comes_again_at_once_until_all_is_said(void **state)
{
    struct mono_time next;

    (void)state;
    lead();
    next = controller_tick(bench.controller);
    assert_int_equal(next.ms, bench.fake.now.mono.ms);
    finish();
    next = controller_tick(bench.controller);
    assert_true(next.ms > bench.fake.now.mono.ms);
}

static void C12_4_a_report_and_a_request_do_not_wait_for_the_fleet(void **state)
{
    static const char report[] =
        "{\"oops\":true,\"rfid_value\":\"\",\"uptime\":9,\"boot_id\":\"b\",\"seq\":1}";
    static const char request[] = "{\"machine\":\"m401\"}";

    (void)state;
    lead();
    assert_int_equal(said.commands[400], 0);
    controller_on_message(
        bench.controller, "tagout/machine/m400/report", report, strlen(report), false);
    controller_flush(bench.controller);
    assert_int_equal(said.commands[400], 1);
    controller_on_request(
        bench.controller, "tagout/request/local/status", request, strlen(request), false, false);
    assert_int_equal(said.responses, 1);
    assert_int_equal(said.commands[401], 0);
}

static void C12_4_no_more_wait_in_the_outbox_than_leave_it_soon(void **state)
{
    (void)state;
    lead();
    bench.fake.waiting = 63;
    assert_true(turn() > 0);
    bench.fake.waiting = 64;
    assert_int_equal(turn(), 0);
    assert_true(controller_tick(bench.controller).ms <= bench.fake.now.mono.ms + 10);
    bench.fake.waiting = 0;
    finish();
    assert_int_equal(said.total, 2 * MACHINES);
}

static void C12_2_whoever_stands_down_in_the_middle_says_no_more(void **state)
{
    static const char status[] =
        "{\"status\":\"running\",\"leader\":true,\"epoch\":1999999999,\"redis\":\"up\"}";

    (void)state;
    lead();
    assert_true(turn() > 0);
    controller_on_message(
        bench.controller, "tagout/controller/b/status", status, strlen(status), false);
    assert_true(bench.fake.discards > 0);
    forget_said();
    for (int i = 0; i < 10; i++) {
        fake_ports_pass(&bench.fake, 100);
        assert_int_equal(turn(), 0);
    }
}

static void C12_1_all_of_it_is_said_a_second_time_10_s_after_the_take_over(void **state)
{
    int64_t until_ms;

    (void)state;
    lead();
    until_ms = bench.fake.now.mono.ms + 10000;
    finish();
    forget_said();
    while (bench.fake.now.mono.ms < until_ms - 100) {
        fake_ports_pass(&bench.fake, 100);
        assert_int_equal(turn(), 0);
        controller_on_echo(bench.controller, bench.fake.echo);
        memory_store_run(bench.store);
    }
    fake_ports_pass(&bench.fake, 100);
    finish();
    assert_int_equal(said.total, 2 * MACHINES);
    assert_int_equal(said.ordered, MACHINES);
}

static void C2_a_connect_in_the_middle_begins_again(void **state)
{
    (void)state;
    lead();
    (void)turn();
    controller_on_disconnected(bench.controller, "for a test");
    forget_said();
    assert_int_equal(turn(), 0);
    fake_ports_connect(&bench.fake, bench.controller);
    lead();
    finish();
    for (size_t i = 0; i < MACHINES; i++) {
        assert_int_equal(said.commands[i], 1);
        assert_int_equal(said.states[i], 1);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(C12_4_at_a_take_over_every_machine_has_its_command_and_its_state_in_bounded_turns),
        CASE(C12_4_machines_that_are_on_or_must_stay_off_have_their_command_first),
        CASE(C12_4_the_loop_comes_again_at_once_until_all_is_said),
        CASE(C12_4_a_report_and_a_request_do_not_wait_for_the_fleet),
        CASE(C12_4_no_more_wait_in_the_outbox_than_leave_it_soon),
        CASE(C12_2_whoever_stands_down_in_the_middle_says_no_more),
        CASE(C12_1_all_of_it_is_said_a_second_time_10_s_after_the_take_over),
        CASE(C2_a_connect_in_the_middle_begins_again),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
