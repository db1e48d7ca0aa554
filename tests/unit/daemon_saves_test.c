/* C9.2 and C9.3: saves and their budgets, through the controller's own door, on a store that
 * answers when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "tests/lib/fake_ports.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define SAVES_MAX 1000
#define MACHINES_MANY 300
#define BUDGET_MS 2000

static struct {
    struct settings *settings;
    struct controller *controller;
    struct store store;
    struct store_events events;
    struct fake_ports fake;
    bool up;
    enum status save_status;
    struct record saves[SAVES_MAX]; /* every call of save, in order */
    uint64_t tokens[SAVES_MAX];
    size_t save_count;
    unsigned timeouts; /* messages on fleet/save_timeout */
    char timeout[512]; /* the last one */
} bench;

/* ---- the ports ---- */

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)qos;
    (void)retain;
    if (strcmp(topic, "tagout/fleet/save_timeout") == 0) {
        bench.timeouts++;
        assert_true(length < sizeof bench.timeout);
        memcpy(bench.timeout, payload, length + 1);
    }
    return STATUS_OK;
}

static enum status fake_load(struct store *store, const char *const machines[], size_t count)
{
    (void)store;
    (void)machines;
    (void)count;
    return STATUS_OK;
}

/* The test gives the lease, once; Redis is silent about it from then on. */
static enum status fake_lease(struct store *store, const struct store_claim *claim)
{
    (void)store;
    (void)claim;
    return STATUS_OK;
}

static enum status fake_card_key(struct store *store, const char *offer_hex)
{
    (void)store;
    (void)offer_hex;
    return STATUS_OK;
}

static enum status fake_save(struct store *store, const struct record *record, uint64_t token)
{
    (void)store;
    if (bench.save_status != STATUS_OK) {
        return bench.save_status;
    }
    assert_true(bench.save_count < SAVES_MAX);
    bench.tokens[bench.save_count] = token;
    bench.saves[bench.save_count++] = *record;
    return STATUS_OK;
}

static enum status fake_load_blocks(struct store *store)
{
    (void)store;
    return STATUS_OK;
}

static enum status fake_save_blocks(struct store *store, struct version version, const char *text)
{
    (void)store;
    (void)version;
    (void)text;
    return STATUS_OK;
}

static enum status fake_forget(struct store *store, const char *machine)
{
    (void)store;
    (void)machine;
    return STATUS_OK;
}

static bool fake_is_up(const struct store *store)
{
    (void)store;
    return bench.up;
}

static void fake_close(struct store *store)
{
    (void)store;
}

static const struct store_operations operations = {
    .close = fake_close,
    .load = fake_load,
    .take_lease = fake_lease,
    .renew_lease = fake_lease,
    .release_lease = fake_lease,
    .card_key = fake_card_key,
    .save = fake_save,
    .load_blocks = fake_load_blocks,
    .save_blocks = fake_save_blocks,
    .forget = fake_forget,
    .is_up = fake_is_up,
};

/* ---- the bench ---- */

static struct mono_time tick(void)
{
    return controller_tick(bench.controller);
}

/* A broker that is there, and a loop that never stands still. */
static void move(int64_t ms)
{
    fake_ports_pass(&bench.fake, ms);
    tick();
    controller_on_echo(bench.controller, bench.fake.echo);
}

static void pass(int64_t ms)
{
    for (; ms > 100; ms -= 100) {
        move(100);
    }
    move(ms);
}

static void report(const char *machine, unsigned seq)
{
    char topic[128];
    char payload[256];

    (void)snprintf(topic, sizeof topic, "tagout/machine/%s/report", machine);
    (void)snprintf(
        payload, sizeof payload,
        "{\"oops\":false,\"rfid_value\":\"\",\"uptime\":%u,\"boot_id\":\"b\",\"seq\":%u}",
        1000 + seq, seq);
    controller_on_message(bench.controller, topic, payload, strlen(payload), false);
    controller_flush(bench.controller);
    tick();
}

/* The store's answer to its nth call, from 0. */
static void answer(size_t nth, enum store_saved result)
{
    bench.events.on_saved(bench.events.context, bench.tokens[nth], result, "for a test");
    tick();
}

static void assert_saved_last(size_t count, const char *machine, unsigned seq)
{
    assert_int_equal(bench.save_count, count);
    assert_string_equal(bench.saves[count - 1].machine, machine);
    assert_int_equal(bench.saves[count - 1].core.seq, seq);
}

static void start_redis(void)
{
    bench.up = true;
    bench.events.on_up(bench.events.context);
    bench.events.on_blocks(bench.events.context, true, NULL);
    bench.events.on_loaded(bench.events.context, true);
}

static void start(const char *machines)
{
    struct controller_ports ports;
    TEXT_LOCAL(why, 256);

    memset(&bench, 0, sizeof bench);
    bench.fake.now = FAKE_MORNING;
    bench.fake.roster_read = STATUS_BUSY;
    bench.fake.on_publish = on_publish;
    ports = fake_ports(&bench.fake);
    bench.store.operations = &operations;
    assert_int_equal(settings_load(NULL, &bench.settings, &why), STATUS_OK);
    assert_int_equal(bench.settings->redis.save_timeout_ms, BUDGET_MS);
    assert_int_equal(
        controller_new(
            bench.settings, roster_of(machines, "[" USER("\"ada\"", "[\"1\"]") "]"), &ports,
            &bench.controller),
        STATUS_OK);
    bench.events = controller_store_events(bench.controller);
    controller_start(bench.controller, &bench.store);
    start_redis();
    fake_ports_connect(&bench.fake, bench.controller);
    bench.events.on_lease(
        bench.events.context,
        &(struct store_lease_answer){.lease = STORE_LEASE_OURS, .epoch = 1767636001});
    fake_ports_grant(&bench.fake, bench.controller);
    assert_true(controller_is_ready(bench.controller));
}

/* Every machine is saved once at the start; that is answered, and not looked at any more. */
static void settle_start(void)
{
    for (size_t i = 0; i < bench.save_count; i++) {
        answer(i, STORE_SAVE_DONE);
    }
    bench.save_count = 0;
    bench.timeouts = 0;
}

static int start_two(void **state)
{
    (void)state;
    start("{\"saw\": {\"authorizations_or\": []}, \"mill\": {\"authorizations_or\": []}}");
    assert_int_equal(bench.save_count, 2);
    settle_start();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    controller_free(bench.controller);
    settings_free(bench.settings);
    return 0;
}

/* ---- C9.2 ---- */

static void C9_2_one_save_of_a_machine_is_in_flight_and_the_newest_state_is_next(void **state)
{
    (void)state;
    report("saw", 1);
    assert_saved_last(1, "saw", 1);
    report("saw", 2);
    report("saw", 3);
    assert_int_equal(bench.save_count, 1);
    answer(0, STORE_SAVE_DONE);
    assert_saved_last(2, "saw", 3);
    answer(1, STORE_SAVE_DONE);
    assert_int_equal(bench.save_count, 2);
}

static void C9_2_machines_do_not_wait_for_each_other(void **state)
{
    (void)state;
    report("saw", 1);
    report("mill", 1);
    assert_saved_last(2, "mill", 1);
    answer(1, STORE_SAVE_DONE);
    pass(BUDGET_MS);
    assert_int_equal(bench.timeouts, 1);
    assert_non_null(strstr(bench.timeout, "\"machine\":\"saw\""));
}

static void C9_2_an_answer_one_ms_before_the_budget_ends_is_in_time(void **state)
{
    (void)state;
    report("saw", 1);
    pass(BUDGET_MS - 1);
    answer(0, STORE_SAVE_DONE);
    pass(10 * BUDGET_MS);
    assert_int_equal(bench.timeouts, 0);
}

static void C9_2_at_the_end_of_the_budget_the_save_has_timed_out(void **state)
{
    (void)state;
    report("saw", 1);
    pass(BUDGET_MS - 1);
    assert_int_equal(bench.timeouts, 0);
    pass(1);
    assert_int_equal(bench.timeouts, 1);
    pass(10 * BUDGET_MS);
    assert_int_equal(bench.timeouts, 1);
}

/* Calls the controller only when it wants to be; returns the last such time before `end_ms`. */
static int64_t wake_until(int64_t end_ms)
{
    int64_t next_ms = tick().ms;
    int64_t last_ms = 0;

    while (next_ms <= end_ms) {
        assert_true(next_ms > bench.fake.now.mono.ms);
        last_ms = next_ms;
        move(next_ms - bench.fake.now.mono.ms);
        next_ms = tick().ms;
    }
    return last_ms;
}

static void C9_2_the_controller_wants_to_be_woken_when_the_budget_ends(void **state)
{
    int64_t began_ms = bench.fake.now.mono.ms;

    (void)state;
    report("saw", 1);
    (void)wake_until(began_ms + 700);
    report("saw", 2);
    assert_int_equal(wake_until(began_ms + BUDGET_MS), began_ms + BUDGET_MS);
    assert_int_equal(bench.timeouts, 1);
}

static void C9_2_what_joins_a_save_has_a_budget_of_its_own(void **state)
{
    (void)state;
    report("saw", 1);
    pass(500);
    report("saw", 2);
    pass(1499);
    assert_int_equal(bench.timeouts, 0);
    pass(1);
    assert_int_equal(bench.timeouts, 1);
    pass(499);
    assert_int_equal(bench.timeouts, 1);
    pass(1);
    assert_int_equal(bench.timeouts, 2);
}

static void C9_2_the_joiners_budget_begins_with_its_report_and_not_with_its_save(void **state)
{
    (void)state;
    report("saw", 1);
    pass(500);
    report("saw", 2);
    pass(1000);
    answer(0, STORE_SAVE_DONE);
    assert_saved_last(2, "saw", 2);
    pass(999);
    assert_int_equal(bench.timeouts, 0);
    pass(1);
    assert_int_equal(bench.timeouts, 1);
}

static void C9_2_a_joiner_that_is_saved_in_time_is_no_timeout(void **state)
{
    (void)state;
    report("saw", 1);
    pass(500);
    report("saw", 2);
    pass(1000);
    answer(0, STORE_SAVE_DONE);
    pass(999);
    answer(1, STORE_SAVE_DONE);
    pass(10 * BUDGET_MS);
    assert_int_equal(bench.timeouts, 0);
}

static void C9_2_one_save_of_the_newest_state_answers_for_all_that_waited(void **state)
{
    (void)state;
    report("saw", 1);
    for (unsigned seq = 2; seq <= 6; seq++) {
        report("saw", seq);
    }
    answer(0, STORE_SAVE_DONE);
    assert_saved_last(2, "saw", 6);
    answer(1, STORE_SAVE_DONE);
    pass(BUDGET_MS);
    assert_int_equal(bench.timeouts, 0);
    assert_int_equal(bench.save_count, 2);
}

/* ---- C9.3 ---- */

static void C9_3_a_timeout_tells_machine_count_and_budget(void **state)
{
    (void)state;
    report("saw", 1);
    pass(BUDGET_MS);
    report("saw", 2);
    pass(BUDGET_MS);
    assert_int_equal(bench.timeouts, 2);
    assert_non_null(strstr(bench.timeout, "\"machine\":\"saw\""));
    assert_non_null(strstr(bench.timeout, "\"count\":2"));
    assert_non_null(strstr(bench.timeout, "\"budget_ms\":2000"));
}

static void C9_3_a_late_answer_finds_its_own_save(void **state)
{
    (void)state;
    report("saw", 1);
    pass(BUDGET_MS);
    report("saw", 2);
    assert_int_equal(bench.save_count, 1);
    pass(60000);
    assert_int_equal(bench.timeouts, 2);
    answer(0, STORE_SAVE_DONE);
    assert_saved_last(2, "saw", 2);
    assert_int_equal(bench.saves[1].save_timeouts, 2);
    answer(1, STORE_SAVE_DONE);
    /* The event that says so is counted, and the count is kept. */
    assert_saved_last(3, "saw", 2);
    answer(2, STORE_SAVE_DONE);
    assert_int_equal(bench.save_count, 3);
    report("saw", 3);
    answer(3, STORE_SAVE_DONE);
    pass(BUDGET_MS);
    assert_int_equal(bench.timeouts, 2);
}

static void C9_3_a_save_that_was_lost_is_sent_again_when_redis_is_back(void **state)
{
    (void)state;
    report("saw", 1);
    bench.up = false;
    bench.events.on_down(bench.events.context, STORE_AWAY, "for a test");
    answer(0, STORE_SAVE_LOST);
    report("saw", 2);
    assert_int_equal(bench.save_count, 1);
    bench.up = true;
    bench.events.on_up(bench.events.context);
    assert_true(bench.save_count >= 2);
    assert_string_equal(bench.saves[1].machine, "saw");
    assert_int_equal(bench.saves[1].core.seq, 2);
}

static void C9_3_a_save_that_was_refused_is_tried_again_after_a_pause(void **state)
{
    (void)state;
    report("saw", 1);
    answer(0, STORE_SAVE_REFUSED);
    report("saw", 2);
    assert_int_equal(bench.save_count, 1);
    pass(999);
    assert_int_equal(bench.save_count, 1);
    pass(1);
    assert_saved_last(2, "saw", 2);
    answer(1, STORE_SAVE_DONE);
    pass(BUDGET_MS);
    assert_int_equal(bench.timeouts, 0);
}

static void C9_3_a_store_that_takes_no_more_is_tried_again_after_a_pause(void **state)
{
    (void)state;
    bench.save_status = STATUS_BUSY;
    report("saw", 1);
    bench.save_status = STATUS_OK;
    report("mill", 1);
    assert_int_equal(bench.save_count, 0);
    pass(1000);
    assert_int_equal(bench.save_count, 2);
}

/* ---- limits ---- */

static void many_saves_go_out_in_bounded_batches(void **state)
{
    static char machines[MACHINES_MANY * 64];
    struct text text = text_over(machines, sizeof machines);
    size_t answered = 0;

    (void)state;
    for (unsigned i = 0; i < MACHINES_MANY; i++) {
        text_addf(&text, "%s\"m%u\": {\"authorizations_or\": []}", i == 0 ? "{" : ", ", i);
    }
    text_add(&text, "}");
    start(machines);
    assert_int_equal(bench.save_count, 256);
    while (answered < bench.save_count) {
        answer(answered++, STORE_SAVE_DONE);
    }
    assert_int_equal(bench.save_count, MACHINES_MANY);
}

static void a_storm_of_reports_keeps_every_budget(void **state)
{
    (void)state;
    for (unsigned seq = 1; seq <= 1000; seq++) {
        report("saw", seq);
        pass(1);
    }
    pass(BUDGET_MS - 1000 - 1);
    assert_int_equal(bench.timeouts, 0);
    for (unsigned seq = 1; seq <= 1000; seq++) {
        pass(1);
        assert_int_equal(bench.timeouts, seq);
    }
    pass(BUDGET_MS);
    assert_int_equal(bench.timeouts, 1000);
    assert_int_equal(bench.save_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_two, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C9_2_one_save_of_a_machine_is_in_flight_and_the_newest_state_is_next),
        TEST(C9_2_machines_do_not_wait_for_each_other),
        TEST(C9_2_an_answer_one_ms_before_the_budget_ends_is_in_time),
        TEST(C9_2_at_the_end_of_the_budget_the_save_has_timed_out),
        TEST(C9_2_the_controller_wants_to_be_woken_when_the_budget_ends),
        TEST(C9_2_what_joins_a_save_has_a_budget_of_its_own),
        TEST(C9_2_the_joiners_budget_begins_with_its_report_and_not_with_its_save),
        TEST(C9_2_a_joiner_that_is_saved_in_time_is_no_timeout),
        TEST(C9_2_one_save_of_the_newest_state_answers_for_all_that_waited),
        TEST(C9_3_a_timeout_tells_machine_count_and_budget),
        TEST(C9_3_a_late_answer_finds_its_own_save),
        TEST(C9_3_a_save_that_was_lost_is_sent_again_when_redis_is_back),
        TEST(C9_3_a_save_that_was_refused_is_tried_again_after_a_pause),
        TEST(C9_3_a_store_that_takes_no_more_is_tried_again_after_a_pause),
        TEST(a_storm_of_reports_keeps_every_budget),
        cmocka_unit_test_teardown(many_saves_go_out_in_bounded_batches, stop),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
