#include "tests/lib/controller_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/roster_files.h"

void controller_bench_open(
    struct controller_bench *bench, const char *machines, const char *users,
    void (*on_loaded)(void *context, bool ok))
{
    struct controller_ports ports = fake_ports(&bench->fake);
    struct store_events events;
    TEXT_LOCAL(why, 256);

    bench->fake.now = FAKE_MORNING;
    assert_int_equal(settings_load(NULL, &bench->settings, &why), STATUS_OK);
    assert_int_equal(memory_database_new(&bench->database), STATUS_OK);
    assert_int_equal(
        controller_new(bench->settings, roster_of(machines, users), &ports, &bench->controller),
        STATUS_OK);
    bench->events = controller_store_events(bench->controller);
    events = bench->events;
    if (on_loaded != NULL) {
        events.on_loaded = on_loaded;
    }
    assert_int_equal(memory_store_new(bench->database, &events, &bench->store), STATUS_OK);
}

void controller_bench_close(struct controller_bench *bench)
{
    bench->store->operations->close(bench->store);
    controller_free(bench->controller);
    memory_database_free(bench->database);
    settings_free(bench->settings);
}

void controller_bench_start(struct controller_bench *bench)
{
    controller_start(bench->controller, bench->store);
    memory_store_up(bench->store);
    memory_store_run(bench->store);
    fake_ports_connect(&bench->fake, bench->controller);
}

void controller_bench_lead(struct controller_bench *bench)
{
    memory_store_run(bench->store);
    controller_on_echo(bench->controller, bench->fake.echo);
    memory_store_run(bench->store);
    fake_ports_grant(&bench->fake, bench->controller);
    assert_true(controller_is_ready(bench->controller));
}
