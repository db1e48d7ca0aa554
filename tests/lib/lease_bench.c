#include "tests/lib/lease_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#define MONO_START_MS 1000000
#define WALL_START_MS 500000
#define PATIENCE_MS 3000

static void add(struct lease_actions *all, const struct lease_actions *more)
{
    all->stand_down |= more->stand_down;
    all->release |= more->release;
    all->fall_silent |= more->fall_silent;
    all->speak |= more->speak;
    all->lead |= more->lead;
    all->announce |= more->announce;
    all->tell |= more->tell;
    all->publish_again |= more->publish_again;
    all->echo |= more->echo;
    if (more->ask != LEASE_ASK_NOTHING) {
        all->ask = more->ask;
    }
}

static void step(struct lease_bench *bench, struct lease_event event)
{
    struct lease_actions actions;

    event.now = bench->now;
    lease_step(&bench->lease, &event, &actions);
    add(&bench->did, &actions);
    if (actions.echo && !bench->mute) {
        struct lease_event echo = {.type = LEASE_BROKER_ECHO, .number = bench->lease.echo_number};
        step(bench, echo);
    }
}

static void step_afresh(struct lease_bench *bench, struct lease_event event)
{
    bench->did = (struct lease_actions){0};
    step(bench, event);
}

void lease_bench_alone(struct lease_bench *bench)
{
    *bench = (struct lease_bench){.now = {.mono = {MONO_START_MS}, .wall = {WALL_START_MS}}};
    lease_init(&bench->lease, "b", "00112233445566778899aabbccddeeff", PATIENCE_MS, bench->now);
}

void lease_bench_ready(struct lease_bench *bench)
{
    lease_bench_event(bench, LEASE_BROKER_UP);
    lease_bench_event(bench, LEASE_BROKER_READ);
    lease_bench_event(bench, LEASE_STORE_UP);
    lease_bench_event(bench, LEASE_STORE_READ);
    assert_int_equal(bench->lease.asked, LEASE_ASK_TAKE);
}

void lease_bench_leading(struct lease_bench *bench)
{
    lease_bench_alone(bench);
    lease_bench_ready(bench);
    lease_bench_ours(bench, LEASE_BENCH_EPOCH);
    assert_true(lease_may_speak(&bench->lease));
}

int lease_bench_open_alone(void **state)
{
    struct lease_bench *bench = malloc(sizeof *bench);

    if (bench == NULL) {
        return -1;
    }
    lease_bench_alone(bench);
    *state = bench;
    return 0;
}

int lease_bench_open_leading(void **state)
{
    int code = lease_bench_open_alone(state);

    if (code == 0) {
        lease_bench_leading(*state);
    }
    return code;
}

int lease_bench_close(void **state)
{
    free(*state);
    return 0;
}

void lease_bench_event(struct lease_bench *bench, enum lease_event_type type)
{
    step_afresh(bench, (struct lease_event){.type = type, .number = bench->lease.echo_number});
}

void lease_bench_echo(struct lease_bench *bench, uint32_t number)
{
    step_afresh(bench, (struct lease_event){.type = LEASE_BROKER_ECHO, .number = number});
}

void lease_bench_ours(struct lease_bench *bench, uint64_t epoch)
{
    step_afresh(bench, (struct lease_event){.type = LEASE_ANSWER_OURS, .answer = {.epoch = epoch}});
}

void lease_bench_other(struct lease_bench *bench, uint64_t epoch, int64_t remaining_ms)
{
    step_afresh(
        bench,
        (struct lease_event){
            .type = LEASE_ANSWER_OTHER, .answer = {.epoch = epoch, .remaining_ms = remaining_ms}});
}

void lease_bench_free(struct lease_bench *bench, uint64_t epoch)
{
    step_afresh(bench, (struct lease_event){.type = LEASE_ANSWER_FREE, .answer = {.epoch = epoch}});
}

void lease_bench_status(
    struct lease_bench *bench, const char *id, bool runs, bool leads, uint64_t epoch)
{
    step_afresh(
        bench, (struct lease_event){
                   .type = LEASE_STATUS,
                   .status = {.id = id, .runs = runs, .leads = leads, .epoch = epoch}});
}

static void move(struct lease_bench *bench, int64_t ms)
{
    bench->now.mono.ms += ms;
    bench->now.wall.ms += ms;
    lease_bench_event(bench, LEASE_TICK);
}

void lease_bench_pass(struct lease_bench *bench, int64_t ms)
{
    int64_t end_ms = bench->now.mono.ms + ms;

    while (bench->now.mono.ms < end_ms) {
        struct mono_time next = lease_wake_at(&bench->lease);

        assert_true(next.ms == 0 || next.ms > bench->now.mono.ms);
        move(bench, (next.ms == 0 || next.ms > end_ms ? end_ms : next.ms) - bench->now.mono.ms);
    }
}

void lease_bench_stand_still(struct lease_bench *bench, int64_t ms)
{
    move(bench, ms);
}
