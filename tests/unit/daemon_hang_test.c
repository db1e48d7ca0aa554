/* C11.6, C2: what a controller says of Redis while that hangs, and of itself when it has stopped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/lib/controller_bench.h"
#include "tests/lib/scratch.h"

static struct controller_bench bench;
static struct {
    unsigned count;
    char last[512];
} said; /* on its status */

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)qos;
    (void)retain;
    if (strstr(topic, "/status") != NULL) {
        assert_true(length < sizeof said.last);
        memcpy(said.last, payload, length + 1);
        said.count++;
    }
    return STATUS_OK;
}

static bool says(const char *member)
{
    return strstr(said.last, member) != NULL;
}

static int open_bench(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    memset(&said, 0, sizeof said);
    bench.fake.on_publish = on_publish;
    controller_bench_open(&bench, "{\"saw\": {\"authorizations_or\": []}}", "[]", NULL);
    controller_bench_start(&bench);
    return 0;
}

static int open_leader(void **state)
{
    (void)open_bench(state);
    controller_bench_lead(&bench);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    return 0;
}

static void pass_broker(int64_t ms)
{
    fake_ports_pass(&bench.fake, ms);
    controller_tick(bench.controller);
    controller_on_echo(bench.controller, bench.fake.echo);
}

/* A loop that never stands still; the broker answers, or is silent. */
static void pass(int64_t ms, bool broker_answers)
{
    for (const int64_t step = 50; ms > 0; ms -= step) {
        fake_ports_pass(&bench.fake, step);
        (void)memory_store_run(bench.store);
        controller_tick(bench.controller);
        if (broker_answers) {
            controller_on_echo(bench.controller, bench.fake.echo);
        }
    }
}

static void hear_of_a_leader(void)
{
    static const char leads[] = "{\"status\":\"running\",\"leader\":true,\"epoch\":7}";

    controller_on_message(
        bench.controller, "tagout/controller/other/status", leads, strlen(leads), true);
}

static void C11_6_a_Redis_that_owes_an_answer_for_1_s_is_down_until_it_answers(void **state)
{
    (void)state;
    while (memory_store_waiting(bench.store) == 0) {
        pass_broker(100);
    }
    for (unsigned i = 0; i < 9; i++) {
        fake_ports_pass(&bench.fake, 100);
        controller_tick(bench.controller);
    }
    fake_ports_pass(&bench.fake, 99);
    controller_tick(bench.controller);
    assert_true(says("\"redis\":\"up\""));
    fake_ports_pass(&bench.fake, 1);
    controller_tick(bench.controller);
    assert_true(says("\"redis\":\"down\""));
    (void)memory_store_run(bench.store);
    assert_true(says("\"redis\":\"up\""));
}

/* The answer may lie there unread. */
static void C11_6_a_loop_that_stood_still_tells_nothing_of_Redis(void **state)
{
    unsigned count;

    (void)state;
    while (memory_store_waiting(bench.store) == 0) {
        pass_broker(100);
    }
    count = said.count;
    fake_ports_pass(&bench.fake, 2500);
    controller_tick(bench.controller);
    assert_int_equal(said.count, count); /* it is silent, too */
    controller_on_echo(bench.controller, bench.fake.echo);
    assert_true(said.count > count);
    assert_true(says("\"redis\":\"up\""));
}

/* The question that hangs is given up with the lease, and no other is asked before its answer. */
static void C11_6_a_Redis_that_hangs_is_down_also_when_the_lease_was_given_back(void **state)
{
    (void)state;
    memory_store_freeze(bench.store, true);
    pass(1500, true);
    pass(2500, false);
    assert_true(says("\"leader\":false"));
    fake_ports_grant(&bench.fake, bench.controller);
    fake_ports_hear_marker(&bench.fake, bench.controller);
    controller_on_echo(bench.controller, bench.fake.echo);
    hear_of_a_leader();
    pass(2000, true);
    assert_true(says("\"leader\":false"));
    assert_true(says("\"redis\":\"down\""));
    memory_store_freeze(bench.store, false);
    pass(100, true);
    assert_true(says("\"redis\":\"up\""));
}

static void C11_6_a_Redis_that_hung_and_is_gone_is_up_again_with_its_connection(void **state)
{
    (void)state;
    memory_store_freeze(bench.store, true);
    pass(3000, true);
    memory_store_freeze(bench.store, false);
    memory_store_down(bench.store, "for a test", false);
    pass(100, true);
    assert_true(says("\"redis\":\"down\""));
    memory_store_up(bench.store);
    pass(100, true);
    assert_true(says("\"redis\":\"up\""));
}

/* What Redis still tells while the goodbye goes out: the broker would keep it for ever. */
static void C2_stopped_is_the_last_that_a_controller_says_of_itself(void **state)
{
    unsigned count;

    (void)state;
    hear_of_a_leader();
    assert_true(says("\"status\":\"running\",\"leader\":false"));
    fake_ports_grant(&bench.fake, bench.controller);
    assert_true(controller_is_ready(bench.controller));
    controller_stop(bench.controller);
    assert_true(says("\"status\":\"stopped\""));
    count = said.count;
    memory_store_down(bench.store, "for a test", false);
    memory_store_run(bench.store);
    assert_int_equal(said.count, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            C11_6_a_Redis_that_owes_an_answer_for_1_s_is_down_until_it_answers, open_leader,
            close_bench),
        cmocka_unit_test_setup_teardown(
            C11_6_a_loop_that_stood_still_tells_nothing_of_Redis, open_leader, close_bench),
        cmocka_unit_test_setup_teardown(
            C11_6_a_Redis_that_hangs_is_down_also_when_the_lease_was_given_back, open_leader,
            close_bench),
        cmocka_unit_test_setup_teardown(
            C11_6_a_Redis_that_hung_and_is_gone_is_up_again_with_its_connection, open_leader,
            close_bench),
        cmocka_unit_test_setup_teardown(
            C2_stopped_is_the_last_that_a_controller_says_of_itself, open_bench, close_bench),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
