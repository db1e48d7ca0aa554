#include "tests/lib/discovery_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/lib/roster_files.h"

#define TURN_MS 100

struct discovery_bench bench;

static enum status note(const char *topic, const char *payload, size_t length)
{
    struct told *told = &bench.told[bench.told_count++];
    const char *device = topic + strlen("homeassistant/device/");

    assert_true(bench.told_count < TOLD_MAX);
    *told = (struct told){
        .length = length,
        .named_new = length > 0 && strstr(payload, "New Saw") != NULL,
        .lost = bench.refuses,
        .at_ms = bench.fake.now.mono.ms,
    };
    text_copy(told->device, sizeof told->device, device);
    told->device[strcspn(told->device, "/")] = '\0';
    return bench.refuses ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    if (strncmp(topic, "homeassistant/", strlen("homeassistant/")) != 0) {
        return STATUS_OK;
    }
    assert_int_equal(qos, 1);
    assert_true(retain);
    return note(topic, payload, length);
}

static void on_filter(const char *filter)
{
    bench.hears_birth |= strcmp(filter, "homeassistant/status") == 0;
}

void pass(int64_t ms)
{
    int64_t end = bench.fake.now.mono.ms + ms;

    for (;;) {
        struct mono_time next = controller_tick(bench.controller);
        int64_t at = bench.fake.now.mono.ms + TURN_MS;
        controller_on_echo(bench.controller, bench.fake.echo);
        memory_store_run(bench.store);
        at = next.ms != 0 && next.ms < at ? next.ms : at;
        at = at < end ? at : end;
        fake_ports_pass(&bench.fake, at - bench.fake.now.mono.ms);
        if (at == end && (next.ms == 0 || next.ms > end)) {
            return;
        }
    }
}

void settle(void)
{
    pass(30000);
    bench.told_count = 0;
}

void connect_broker(void)
{
    fake_ports_connect(&bench.fake, bench.controller);
    memory_store_run(bench.store);
    controller_on_echo(bench.controller, bench.fake.echo);
    memory_store_run(bench.store);
    fake_ports_grant(&bench.fake, bench.controller);
}

void open_shop_with(const char *machines, bool discovery)
{
    struct controller_ports ports;
    struct store_events events;
    TEXT_LOCAL(why, 256);

    memset(&bench, 0, sizeof bench);
    bench.fake.now = FAKE_MORNING;
    bench.fake.on_publish = on_publish;
    bench.fake.on_filter = on_filter;
    ports = fake_ports(&bench.fake);
    assert_int_equal(settings_load(NULL, &bench.settings, &why), STATUS_OK);
    bench.settings->homeassistant.discovery = discovery;
    assert_int_equal(memory_database_new(&bench.database), STATUS_OK);
    assert_int_equal(
        controller_new(bench.settings, roster_of(machines, "[]"), &ports, &bench.controller),
        STATUS_OK);
    events = controller_store_events(bench.controller);
    assert_int_equal(memory_store_new(bench.database, &events, &bench.store), STATUS_OK);
    controller_start(bench.controller, bench.store);
    memory_store_up(bench.store);
    memory_store_run(bench.store);
    connect_broker();
    assert_true(controller_is_ready(bench.controller));
}

int close_bench(void **state)
{
    (void)state;
    bench.store->operations->close(bench.store);
    controller_free(bench.controller);
    memory_database_free(bench.database);
    settings_free(bench.settings);
    return 0;
}

void reload_with(const char *machines)
{
    controller_reload(bench.controller);
    controller_on_roster(bench.controller, roster_of(machines, "[]"), NULL);
}

void hear_birth(bool retained)
{
    controller_on_message(
        bench.controller, "homeassistant/status", "online", strlen("online"), retained);
}

size_t told_of(const char *device)
{
    size_t count = 0;

    for (size_t i = 0; i < bench.told_count; i++) {
        count += strcmp(bench.told[i].device, device) == 0;
    }
    return count;
}

const struct told *last_of(const char *device)
{
    for (size_t i = bench.told_count; i > 0; i--) {
        if (strcmp(bench.told[i - 1].device, device) == 0) {
            return &bench.told[i - 1];
        }
    }
    fail_msg("nothing was told of %s", device);
    return NULL;
}
