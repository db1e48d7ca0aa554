/* C12: what was asked before a take-over is not carried out a second time, and what was answered
 * before a standstill shows nothing of now. */
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
    unsigned commands;
    unsigned responses;
} said;

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)payload;
    (void)length;
    (void)qos;
    (void)retain;
    said.commands += strstr(topic, "/command") != NULL;
    said.responses += strstr(topic, "/response/") != NULL;
    return STATUS_OK;
}

/* Asked for the lease. */
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

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    return 0;
}

static void hear_b(const char *status)
{
    controller_on_message(
        bench.controller, "tagout/controller/b/status", status, strlen(status), false);
}

static void open_shop(void)
{
    for (int i = 0; i < 50 && said.commands == 0; i++) {
        controller_on_echo(bench.controller, bench.fake.echo);
        memory_store_run(bench.store);
        (void)controller_tick(bench.controller);
        fake_ports_pass(&bench.fake, said.commands == 0 ? 100 : 0);
    }
    assert_true(said.commands > 0);
}

static void ask_received_at(int64_t ms)
{
    controller_stamp(bench.controller, ms * 1000);
    controller_on_request(bench.controller, "tagout/request/local/status", "{}", 2, false, false);
}

static void C12_a_request_that_came_in_before_the_take_over_is_the_last_leaders(void **state)
{
    int64_t opened_ms;

    (void)state;
    hear_b("{\"status\":\"running\",\"leader\":true,\"epoch\":5}");
    hear_b("{\"status\":\"running\",\"leader\":false,\"epoch\":5}");
    open_shop();
    opened_ms = bench.fake.now.mono.ms;
    fake_ports_pass(&bench.fake, 200);
    ask_received_at(opened_ms);
    assert_int_equal(said.responses, 0);
    ask_received_at(opened_ms + 1);
    assert_int_equal(said.responses, 1);
}

static void C6_a_request_that_came_in_before_a_start_beside_nobody_is_answered(void **state)
{
    (void)state;
    open_shop();
    fake_ports_pass(&bench.fake, 200);
    ask_received_at(bench.fake.now.mono.ms - 500);
    assert_int_equal(said.responses, 1);
}

/* Redis tells that a process of the same id has the lease: its past life, or another one. */
static void hear_namesake(void)
{
    struct store_events events = controller_store_events(bench.controller);
    struct store_lease_answer answer = {.lease = STORE_LEASE_OTHER, .epoch = 1, .remaining_ms = 1};

    text_copy(answer.id, sizeof answer.id, bench.settings->controller.id);
    events.on_lease(events.context, &answer);
}

static void C12_an_answer_that_lay_unread_through_a_standstill_shows_no_namesake(void **state)
{
    (void)state;
    open_shop();
    hear_namesake();
    fake_ports_pass(&bench.fake, 12000);
    hear_namesake();
    assert_false(controller_must_end(bench.controller));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(C12_a_request_that_came_in_before_the_take_over_is_the_last_leaders),
        CASE(C12_an_answer_that_lay_unread_through_a_standstill_shows_no_namesake),
        CASE(C6_a_request_that_came_in_before_a_start_beside_nobody_is_answered),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
