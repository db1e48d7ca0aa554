/* C9.4, C12: a start whose parts come late or twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/controller_bench.h"
#include "tests/lib/scratch.h"

static struct controller_bench bench;
static struct {
    unsigned markers;              /* that were published */
    unsigned long long epochs[16]; /* of each status that was published */
    size_t epoch_count;
} said;

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)length;
    (void)qos;
    (void)retain;
    if (strstr(topic, "/marker") != NULL) {
        said.markers++;
    } else if (strstr(topic, "/status") != NULL) {
        assert_true(said.epoch_count < sizeof said.epochs / sizeof said.epochs[0]);
        said.epochs[said.epoch_count++] =
            strtoull(strstr(payload, "\"epoch\":") + strlen("\"epoch\":"), NULL, 10);
    }
    return STATUS_OK;
}

/* Redis answers everything but the epoch that is asked for now. */
static void freeze_when_loaded(void *context, bool ok)
{
    bench.events.on_loaded(context, ok);
    memory_store_freeze(bench.store, true);
}

static int open_bench(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    memset(&said, 0, sizeof said);
    bench.fake.roster_read = STATUS_BUSY;
    bench.fake.on_publish = on_publish;
    controller_bench_open(
        &bench, "{\"saw\": {\"authorizations_or\": []}}", "[]", freeze_when_loaded);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    return 0;
}

static void connect_broker(void)
{
    controller_on_connected(bench.controller);
    fake_ports_grant(&bench.fake, bench.controller);
}

static void hear_marker(void)
{
    fake_ports_hear_marker(&bench.fake, bench.controller);
}

/* A broker that answers, and a loop that never stands still. */
static void pass(int64_t ms)
{
    for (int64_t step = 100; ms > 0; ms -= step) {
        step = ms < step ? ms : step;
        fake_ports_pass(&bench.fake, step);
        controller_tick(bench.controller);
        controller_on_echo(bench.controller, bench.fake.echo);
        (void)memory_store_run(bench.store);
    }
}

static void C9_4_the_marker_is_published_again_until_it_comes_and_never_after(void **state)
{
    (void)state;
    controller_start(bench.controller, bench.store);
    connect_broker();
    assert_int_equal(said.markers, 1);
    pass(1000);
    assert_int_equal(said.markers, 2);
    hear_marker();
    pass(1000);
    assert_int_equal(said.markers, 2);
    controller_on_disconnected(bench.controller, "for a test");
    connect_broker(); /* after each connect the others are read anew (C12.2) */
    pass(1000);
    assert_int_equal(said.markers, 4);
    hear_marker();
    pass(2000);
    assert_int_equal(said.markers, 4);
}

static void C12_an_epoch_that_comes_late_and_is_older_is_taken_anew(void **state)
{
    (void)state;
    controller_start(bench.controller, bench.store);
    connect_broker();
    hear_marker();
    memory_store_up(bench.store);
    memory_store_run(bench.store);
    controller_on_echo(bench.controller, bench.fake.echo);
    assert_int_equal(memory_store_waiting(bench.store), 1);
    pass(bench.settings->redis.load_timeout_ms + 2000);
    fake_ports_grant(&bench.fake, bench.controller);
    assert_true(controller_is_ready(bench.controller));
    memory_store_freeze(bench.store, false);
    pass(2000);
    assert_true(said.epoch_count >= 2);
    for (size_t i = 1; i < said.epoch_count; i++) {
        assert_true(said.epochs[i] >= said.epochs[i - 1]);
    }
    assert_true(said.epochs[said.epoch_count - 1] > said.epochs[0]);
    assert_int_equal(memory_database_epoch(bench.database), said.epochs[said.epoch_count - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            C9_4_the_marker_is_published_again_until_it_comes_and_never_after, open_bench,
            close_bench),
        cmocka_unit_test_setup_teardown(
            C12_an_epoch_that_comes_late_and_is_older_is_taken_anew, open_bench, close_bench),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
