#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/version.h"
#include "controller/watcher/audit_files.h"
#include "controller/watcher/snapshot.h"

#define WALL_MS INT64_C(1700000000000)
#define BASE 100

/* One process after the other: each with a monotonic clock of its own, on one wall clock. */
struct process {
    struct save_timeouts counting;
    struct slack_thread thread;
    struct services services;
    struct certificates certificates;
    struct snapshot snapshot;
    struct now now;
    struct alert alerts[SAVE_TIMEOUTS_ALERTS_MAX];
    uint32_t counts[10];
};

static struct process process;

static void begin(int64_t mono_ms, int64_t wall_ms)
{
    memset(&process, 0, sizeof process);
    process.counting.machines = watched_new();
    assert_non_null(process.counting.machines);
    process.counting.limits =
        (struct save_timeouts_limits){.window_ms = 60000, .threshold = 2, .cooldown_ms = 300000};
    process.snapshot.counting = &process.counting;
    process.snapshot.thread = &process.thread;
    process.snapshot.services = &process.services;
    process.snapshot.certificates = &process.certificates;
    process.now = (struct now){.mono = {mono_ms}, .wall = {wall_ms}};
}

static int setup(void **state)
{
    (void)state;
    begin(50000000, WALL_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    watched_free(process.counting.machines);
    return 0;
}

static void pass(int64_t ms)
{
    process.now.mono.ms += ms;
    process.now.wall.ms += ms;
}

static size_t times_out(unsigned machine)
{
    char name[16];
    bool is_new;
    struct save_timeout timeout = {
        .machine = name, .count = ++process.counts[machine], .at = process.now.wall};

    snprintf(name, sizeof name, "m%u", machine);
    return save_timeouts_count(&process.counting, &timeout, process.now, process.alerts, &is_new);
}

/* The process ends, and `ms` later another one begins, whose clock says `mono_ms`. */
static void restart(int64_t ms, int64_t mono_ms)
{
    size_t length = 0;
    char *bytes = snapshot_print(&process.snapshot, BASE, process.now, &length);
    int64_t wall_ms = process.now.wall.ms + ms;
    uint32_t counts[10];

    assert_non_null(bytes);
    memcpy(counts, process.counts, sizeof counts);
    watched_free(process.counting.machines);
    begin(mono_ms, wall_ms);
    memcpy(process.counts, counts, sizeof counts);
    assert_int_equal(snapshot_read(bytes, length, BASE, process.now, &process.snapshot), STATUS_OK);
    free(bytes);
}

static void C9_5_a_restart_within_the_window_forgets_no_machine(void **state)
{
    (void)state;
    assert_int_equal(times_out(1), 0);
    restart(60000, 5000); /* the host was restarted, too */
    assert_int_equal(times_out(2), 1);
    assert_int_equal(process.alerts[0].kind, ALERT_FLEET);
}

static void C9_5_nor_does_it_stretch_the_window(void **state)
{
    (void)state;
    assert_int_equal(times_out(1), 0);
    restart(60001, 5000);
    assert_int_equal(times_out(2), 0);
}

static void C9_5_the_cooldown_goes_on_over_a_restart(void **state)
{
    (void)state;
    times_out(1);
    assert_int_equal(times_out(2), 1);
    assert_int_equal(times_out(1), 1); /* its second */
    assert_int_equal(times_out(2), 1);
    restart(200000, 7);
    pass(40000);
    assert_int_equal(times_out(1), 0);
    pass(59999);
    assert_int_equal(times_out(2), 0);
    pass(1);
    assert_int_equal(times_out(1), 1);
    assert_int_equal(process.alerts[0].kind, ALERT_FLEET);
}

static void C9_5_a_machines_second_is_known_over_a_restart(void **state)
{
    (void)state;
    times_out(1);
    restart(86400000, 1);
    assert_int_equal(times_out(1), 1);
    assert_int_equal(process.alerts[0].kind, ALERT_MACHINE);
    restart(86400000, 1);
    assert_int_equal(times_out(1), 0);
    process.counts[1] = 1; /* a controller with an older count */
    pass(100000);
    assert_int_equal(times_out(1), 0);
}

static void five_within_ten_minutes_are_counted_over_a_restart(void **state)
{
    (void)state;
    process.counts[1] = 10;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(times_out(1), 0);
        pass(100000);
    }
    restart(100000, 1000);
    assert_int_equal(times_out(1), 1);
    assert_int_equal(process.alerts[0].kind, ALERT_REPEATED);
    restart(1000, 1000);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(times_out(1), 0);
    }
}

static void an_outage_ends_after_a_restart_as_it_would_have(void **state)
{
    struct alert alert;
    struct watched *machine;

    (void)state;
    times_out(1);
    machine = watched_touch(process.counting.machines, "m1");
    save_timeouts_mark(&process.counting, machine, false, process.now);
    times_out(2);
    restart(100000, 30);
    assert_true(process.counting.open);
    assert_true(process.counting.alerted);
    assert_true(process.counting.fleet_alerted);
    assert_int_equal(process.counting.since.ms, WALL_MS);
    assert_false(save_timeouts_tick(&process.counting, process.now, &alert));
    machine = watched_touch(process.counting.machines, "m1");
    assert_true(machine->down);
    save_timeouts_mark(&process.counting, machine, true, process.now);
    restart(SAVE_TIMEOUTS_SETTLE_MS, 30);
    assert_true(save_timeouts_tick(&process.counting, process.now, &alert));
    assert_true(alert.certain);
    assert_int_equal(alert.lasted_ms, 100000);
}

static void a_wall_clock_that_was_set_back_delays_nothing_for_long(void **state)
{
    (void)state;
    times_out(1);
    assert_int_equal(times_out(2), 1);
    restart(-INT64_C(86400000), 1000);
    pass(299999);
    times_out(1);
    assert_int_equal(times_out(2), 1); /* only its second */
    assert_int_equal(process.alerts[0].kind, ALERT_MACHINE);
    pass(1);
    assert_int_equal(times_out(1), 1);
    assert_int_equal(process.alerts[0].kind, ALERT_FLEET);
}

static void events_and_names_are_remembered(void **state)
{
    struct watched *machine = watched_touch(process.counting.machines, "saw");

    (void)state;
    machine->n = 4294967295;
    machine->epoch = VERSION_EPOCH_MAX;
    machine->event_at.ms = WALL_MS + 123;
    text_copy(machine->display_name, sizeof machine->display_name, "S\xc3\xa4ge \"1\"");
    restart(5, 5);
    machine = watched_touch(process.counting.machines, "saw");
    assert_int_equal(machine->n, 4294967295);
    assert_int_equal(machine->event_at.ms, WALL_MS + 123);
    assert_true(machine->epoch == VERSION_EPOCH_MAX);
    assert_string_equal(machine->display_name, "S\xc3\xa4ge \"1\"");
}

/* All that is known of each, with names as long as may be. */
static void fill_table(void)
{
    for (unsigned i = 0; i < WATCHED_MACHINES_MAX; i++) {
        char name[WATCHED_NAME_SIZE];
        struct watched *machine;

        snprintf(name, sizeof name, "%064u", i);
        machine = watched_touch(process.counting.machines, name);
        assert_non_null(machine);
        memset(machine->display_name, '"', sizeof machine->display_name - 1);
        machine->n = UINT32_MAX;
        machine->epoch = VERSION_EPOCH_MAX;
        machine->event_at.ms = WALL_MS + 123;
        machine->timeouts = UINT32_MAX;
        machine->timeouts_at.ms = WALL_MS + 123;
        machine->recent_count = WATCHED_RECENT;
        for (size_t j = 0; j < WATCHED_RECENT; j++) {
            machine->recent[j].ms = process.now.mono.ms - 1;
        }
        machine->last_timeout.ms = process.now.mono.ms - 1;
        machine->quiet_until.ms = process.now.mono.ms - 1;
        machine->down = true;
    }
}

static void a_full_table_is_remembered(void **state)
{
    size_t length = 0;
    char *bytes;
    const struct watched *first;

    (void)state;
    fill_table();
    bytes = snapshot_print(&process.snapshot, BASE, process.now, &length);
    assert_non_null(bytes);
    assert_true(length <= AUDIT_STATE_MAX);
    watched_free(process.counting.machines);
    begin(1000, WALL_MS);
    assert_int_equal(snapshot_read(bytes, length, BASE, process.now, &process.snapshot), STATUS_OK);
    free(bytes);
    assert_int_equal(watched_count(process.counting.machines), WATCHED_MACHINES_MAX);
    first = watched_first(process.counting.machines);
    assert_int_equal(strlen(first->name), TOPIC_MACHINE_MAX);
    assert_int_equal(first->n, UINT32_MAX);
}

static void positions_and_the_thread_are_remembered(void **state)
{
    (void)state;
    process.snapshot.line = 17;
    process.snapshot.lanes[SLACK_CONTROL] = 17;
    process.snapshot.lanes[SLACK_STORAGE] = -3;
    process.snapshot.lanes[SLACK_ACTIVITY] = 4;
    process.snapshot.lanes[SLACK_MACHINES] = 12;
    process.thread = (struct slack_thread){.outage = {WALL_MS + 5}, .ts = "17.25"};
    {
        size_t length = 0;
        char *bytes = snapshot_print(&process.snapshot, BASE, process.now, &length);
        assert_non_null(bytes);
        assert_non_null(
            strstr(bytes, "{\"from\":97,\"line\":117,\"lanes\":[117,97,104,100,112,100,100]"));
        watched_free(process.counting.machines);
        begin(1, WALL_MS);
        /* The disk has come as far as line 110: the rest was lost with the host. */
        assert_int_equal(
            snapshot_read(bytes, length, 110, process.now, &process.snapshot), STATUS_OK);
        free(bytes);
    }
    assert_int_equal(process.snapshot.line, 0);
    assert_int_equal(process.snapshot.lanes[SLACK_CONTROL], 0);
    assert_int_equal(process.snapshot.lanes[SLACK_STORAGE], -13);
    assert_int_equal(process.snapshot.lanes[SLACK_ACTIVITY], -6);
    assert_int_equal(process.thread.outage.ms, WALL_MS + 5);
    assert_string_equal(process.thread.ts, "17.25");
}

static void what_was_told_of_services_is_remembered(void **state)
{
    const struct service *service;

    (void)state;
    services_recall(
        &process.services, &(struct service_memory){
                               .name = "controller-one",
                               .told = SERVICE_RUNNING,
                               .reason = "",
                               .since = {WALL_MS - 5},
                               .died = {WALL_MS - 60000}});
    process.services.config_alerted = true;
    restart(1000, 1);
    assert_int_equal(process.services.controller_count, 1);
    service = services_at(&process.services, 0);
    assert_string_equal(service->name, "controller-one");
    assert_int_equal(service->told, SERVICE_RUNNING);
    assert_int_equal(service->since.ms, WALL_MS - 5);
    assert_true(service->alerted); /* its recovery is still owed */
    assert_int_equal(service->died.ms, WALL_MS - 60000);
    assert_true(process.services.config_alerted);
}

static void what_was_heard_since_the_start_stays(void **state)
{
    size_t length = 0;
    char *bytes;
    struct watched *machine;

    (void)state;
    times_out(1);
    times_out(2);
    machine = watched_touch(process.counting.machines, "m1");
    machine->n = 5;
    bytes = snapshot_print(&process.snapshot, BASE, process.now, &length);
    assert_non_null(bytes);
    watched_free(process.counting.machines);
    begin(1000, WALL_MS + 1000);
    /* The disk was slow: this was heard before it told. */
    process.counts[1] = 4;
    times_out(1);
    machine = watched_touch(process.counting.machines, "m1");
    machine->n = 9;
    assert_int_equal(snapshot_read(bytes, length, BASE, process.now, &process.snapshot), STATUS_OK);
    free(bytes);
    assert_int_equal(machine->n, 9);
    assert_int_equal(machine->timeouts, 5);
    assert_int_equal(machine->recent_count, 1);
    assert_int_equal(process.counting.since.ms, WALL_MS + 1000);
    assert_int_equal(process.counting.fleet_quiet_until.ms, 1000 + 300000 - 1000);
}

static void damage_is_refused_or_harmless(void **state)
{
    size_t length = 0;
    char *bytes;

    (void)state;
    times_out(1);
    times_out(2);
    times_out(1);
    bytes = snapshot_print(&process.snapshot, BASE, process.now, &length);
    assert_non_null(bytes);
    for (size_t cut = 0; cut + 2 < length; cut++) {
        assert_int_equal(
            snapshot_read(bytes, cut, BASE, process.now, &process.snapshot), STATUS_INVALID);
    }
    /* Every byte that is a digit or a letter becomes another one. */
    for (size_t i = 0; i < length; i++) {
        char kept = bytes[i];
        static const char instead[] = "9-e\"{]x";
        for (size_t j = 0; instead[j] != '\0'; j++) {
            bytes[i] = instead[j];
            watched_free(process.counting.machines);
            begin(1000, WALL_MS);
            if (snapshot_read(bytes, length, BASE, process.now, &process.snapshot) == STATUS_OK) {
                (void)times_out(1);
                (void)times_out(3);
            }
        }
        bytes[i] = kept;
    }
    free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C9_5_a_restart_within_the_window_forgets_no_machine),
        TEST(C9_5_nor_does_it_stretch_the_window),
        TEST(C9_5_the_cooldown_goes_on_over_a_restart),
        TEST(C9_5_a_machines_second_is_known_over_a_restart),
        TEST(five_within_ten_minutes_are_counted_over_a_restart),
        TEST(an_outage_ends_after_a_restart_as_it_would_have),
        TEST(a_wall_clock_that_was_set_back_delays_nothing_for_long),
        TEST(events_and_names_are_remembered),
        TEST(a_full_table_is_remembered),
        TEST(positions_and_the_thread_are_remembered),
        TEST(what_was_told_of_services_is_remembered),
        TEST(what_was_heard_since_the_start_stays),
        TEST(damage_is_refused_or_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
