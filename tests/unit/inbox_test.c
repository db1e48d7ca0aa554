#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/inbox.h"

static struct inbox *make(size_t bytes, size_t soft)
{
    struct inbox *inbox;

    assert_int_equal(
        inbox_new((struct inbox_limits){.bytes = bytes, .soft = soft}, &inbox), STATUS_OK);
    return inbox;
}

static enum status push(struct inbox *inbox, const char *topic, const char *payload)
{
    return inbox_push(
        inbox, &(struct inbox_entry){
                   .kind = INBOX_MESSAGE,
                   .topic = topic,
                   .payload = payload,
                   .payload_length = strlen(payload),
               });
}

static enum status push_change(struct inbox *inbox, enum inbox_kind kind, int token)
{
    return inbox_push(inbox, &(struct inbox_entry){.kind = kind, .token = token});
}

static bool is_readable(const struct inbox *inbox)
{
    return poll(&(struct pollfd){.fd = inbox_fd(inbox), .events = POLLIN}, 1, 0) == 1;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

/* A busy host stands still now and then; who waits does so each time. */
#define TRIES 5

static int64_t lesser(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* Pushes messages of one size until one is refused; returns how many fitted. */
static int fill(struct inbox *inbox)
{
    int count = 0;

    while (push(inbox, "topic", "0123456789") == STATUS_OK) {
        count++;
    }
    return count;
}

static void entries_come_out_as_they_went_in(void **state)
{
    struct inbox *inbox = make(4096, 0);
    struct inbox_entry entry;

    (void)state;
    assert_false(inbox_pop(inbox, &entry));
    assert_int_equal(push_change(inbox, INBOX_CONNECTED, 0), STATUS_OK);
    assert_int_equal(
        inbox_push(
            inbox,
            &(struct inbox_entry){
                .kind = INBOX_MESSAGE,
                .topic = "a/b",
                .payload = "x\0y",
                .payload_length = 3,
                .retained = true,
            }),
        STATUS_OK);
    assert_int_equal(push_change(inbox, INBOX_SUBSCRIBED, 42), STATUS_OK);
    assert_int_equal(push(inbox, "c", ""), STATUS_OK);

    assert_true(inbox_pop(inbox, &entry));
    assert_int_equal(entry.kind, INBOX_CONNECTED);
    assert_string_equal(entry.topic, "");
    assert_true(inbox_pop(inbox, &entry));
    assert_int_equal(entry.kind, INBOX_MESSAGE);
    assert_string_equal(entry.topic, "a/b");
    assert_int_equal(entry.payload_length, 3);
    assert_memory_equal(entry.payload, "x\0y", 4);
    assert_true(entry.retained);
    assert_true(inbox_pop(inbox, &entry));
    assert_int_equal(entry.kind, INBOX_SUBSCRIBED);
    assert_int_equal(entry.token, 42);
    assert_true(inbox_pop(inbox, &entry));
    assert_string_equal(entry.topic, "c");
    assert_string_equal(entry.payload, "");
    assert_false(entry.retained);
    assert_false(inbox_pop(inbox, &entry));
    inbox_free(inbox);
}

/* Against a plain counter, through thousands of turns of a small ring with records of every size.
 */
static void order_and_content_survive_every_way_to_wrap(void **state)
{
    struct inbox *inbox = make(1000, 0);
    struct inbox_entry entry;
    char payload[200];
    char expected[200];
    unsigned pushed = 0;
    unsigned popped = 0;
    unsigned random = 1;

    (void)state;
    while (pushed < 20000) {
        random = random * 1103515245 + 12345;
        size_t length = (random >> 16) % 150;
        assert_true(inbox_enter(inbox)); /* a full one refuses at once */
        memset(payload, 'a' + (int)(pushed % 26), length);
        snprintf(payload + length, sizeof payload - length, "%u", pushed);
        enum status status = push(inbox, "t", payload);
        inbox_leave(inbox);
        if (status == STATUS_OK) {
            pushed++;
        }
        while (status != STATUS_OK || (random >> 8) % 3 == 0) {
            if (!inbox_pop(inbox, &entry)) {
                break;
            }
            size_t digits = (size_t)snprintf(expected, sizeof expected, "%u", popped);
            assert_true(entry.payload_length >= digits);
            assert_string_equal(entry.payload + entry.payload_length - digits, expected);
            for (size_t i = 0; i < entry.payload_length - digits; i++) {
                assert_int_equal(entry.payload[i], 'a' + (int)(popped % 26));
            }
            popped++;
            random = random * 1103515245 + 12345;
        }
    }
    while (inbox_pop(inbox, &entry)) {
        popped++;
    }
    assert_int_equal(popped, pushed);
    inbox_free(inbox);
}

static void C6_entries_beyond_the_soft_limit_are_marked(void **state)
{
    struct inbox *inbox = make(4096, 2);
    struct inbox_entry entry;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(push(inbox, "t", "p"), STATUS_OK);
    }
    assert_int_equal(push_change(inbox, INBOX_DISCONNECTED, 0), STATUS_OK);
    assert_true(inbox_pop(inbox, &entry));
    assert_false(entry.overflow);
    assert_true(inbox_pop(inbox, &entry));
    assert_false(entry.overflow);
    assert_true(inbox_pop(inbox, &entry));
    assert_true(entry.overflow);
    assert_true(inbox_pop(inbox, &entry));
    assert_false(entry.overflow);
    assert_int_equal(push(inbox, "t", "p"), STATUS_OK);
    assert_true(inbox_pop(inbox, &entry));
    assert_false(entry.overflow);
    inbox_free(inbox);
}

static void a_push_into_a_full_inbox_waits_then_drops_and_counts(void **state)
{
    struct inbox *inbox = make(1000, 0);
    int64_t before;
    int64_t waited;

    (void)state;
    before = clock_now().mono.ms;
    assert_true(fill(inbox) > 3);
    waited = clock_now().mono.ms - before;
    assert_in_range(waited, INBOX_WAIT_MS - 1, INBOX_WAIT_MS * 20);
    assert_int_equal(inbox_dropped(inbox), 1);
    assert_int_equal(push(inbox, "topic", "0123456789"), STATUS_FULL);
    assert_int_equal(inbox_dropped(inbox), 2);
    inbox_free(inbox);
}

static void its_depth_is_what_waits_and_the_most_that_ever_did(void **state)
{
    struct inbox *inbox = make(4096, 0);
    struct inbox_entry entry;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(push(inbox, "t", "p"), STATUS_OK);
    }
    assert_true(inbox_pop(inbox, &entry) && inbox_pop(inbox, &entry));
    assert_int_equal(push(inbox, "t", "p"), STATUS_OK);
    assert_int_equal(inbox_depth(inbox).waiting, 2);
    assert_int_equal(inbox_depth(inbox).high_water, 3);
    inbox_free(inbox);
}

static void an_entry_knows_when_it_was_pushed(void **state)
{
    struct inbox *inbox = make(4096, 0);
    int64_t before_us = clock_us();
    struct inbox_entry entry;

    (void)state;
    assert_int_equal(push(inbox, "t", "p"), STATUS_OK);
    int64_t after_us = clock_us();
    assert_true(inbox_pop(inbox, &entry));
    assert_in_range(entry.received_us, before_us, after_us);
    inbox_free(inbox);
}

static void what_can_never_fit_is_refused_at_once(void **state)
{
    struct inbox *inbox = make(1000, 0);
    char payload[1001];
    int64_t least = INT64_MAX;

    (void)state;
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    for (int i = 0; i < TRIES; i++) {
        int64_t before = clock_now().mono.ms;
        assert_int_equal(push(inbox, "t", payload), STATUS_TOO_LONG);
        least = lesser(least, clock_now().mono.ms - before);
    }
    assert_true(least < INBOX_WAIT_MS);
    payload[900] = '\0';
    assert_int_equal(push(inbox, "t", payload), STATUS_OK);
    inbox_free(inbox);
}

static void a_change_of_the_connection_always_has_room(void **state)
{
    struct inbox *inbox = make(1000, 0);
    struct inbox_entry entry;
    int messages = fill(inbox);

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(push_change(inbox, INBOX_SUBSCRIBED, i), STATUS_OK);
    }
    for (int i = 0; i < messages; i++) {
        assert_true(inbox_pop(inbox, &entry));
        assert_int_equal(entry.kind, INBOX_MESSAGE);
    }
    for (int i = 0; i < 100; i++) {
        assert_true(inbox_pop(inbox, &entry));
        assert_int_equal(entry.kind, INBOX_SUBSCRIBED);
        assert_int_equal(entry.token, i);
    }
    assert_false(inbox_pop(inbox, &entry));
    inbox_free(inbox);
}

static void the_descriptor_is_readable_until_a_pop_finds_nothing(void **state)
{
    struct inbox *inbox = make(4096, 0);
    struct inbox_entry entry;
    uint64_t wakes = 0;

    (void)state;
    assert_false(is_readable(inbox));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(push(inbox, "t", "p"), STATUS_OK);
    }
    assert_true(is_readable(inbox));
    /* One wake for three messages. */
    assert_int_equal(read(inbox_fd(inbox), &wakes, sizeof wakes), sizeof wakes);
    assert_int_equal(wakes, 1);
    assert_int_equal(write(inbox_fd(inbox), &wakes, sizeof wakes), sizeof wakes);
    assert_true(inbox_pop(inbox, &entry));
    assert_true(inbox_pop(inbox, &entry));
    assert_true(inbox_pop(inbox, &entry));
    assert_true(is_readable(inbox));
    assert_false(inbox_pop(inbox, &entry));
    assert_false(is_readable(inbox));
    assert_int_equal(push(inbox, "t", "p"), STATUS_OK);
    assert_true(is_readable(inbox));
    inbox_free(inbox);
}

/* What the loop does: as many as it may in a turn, and the next when the descriptor is readable. */
static void a_push_that_fails_beside_the_last_entry_popped_stops_nobody(void **state)
{
    enum {
        A_TURN = 64
    };
    struct inbox *inbox = make(1 << 20, 0);
    struct inbox_entry entry;
    char *payload = calloc(1, 600001);

    (void)state;
    assert_non_null(payload);
    memset(payload, 'x', 8100);
    for (int i = 0; i < A_TURN; i++) {
        assert_int_equal(push(inbox, "t", payload), STATUS_OK);
    }
    for (int i = 0; i < A_TURN; i++) {
        assert_true(inbox_pop(inbox, &entry));
    }
    memset(payload, 'x', 600000);
    assert_true(inbox_enter(inbox));
    assert_int_equal(push(inbox, "t", payload), STATUS_FULL);
    inbox_leave(inbox);
    assert_false(inbox_enter(inbox));
    assert_true(is_readable(inbox));
    assert_false(inbox_pop(inbox, &entry));
    assert_true(inbox_enter(inbox));
    assert_int_equal(push(inbox, "t", payload), STATUS_OK);
    inbox_leave(inbox);
    assert_true(is_readable(inbox));
    inbox_free(inbox);
    free(payload);
}

static void a_wake_makes_it_readable_until_the_next_pop(void **state)
{
    struct inbox *inbox = make(4096, 0);
    struct inbox_entry entry;

    (void)state;
    inbox_wake(inbox);
    inbox_wake(inbox);
    assert_true(is_readable(inbox));
    assert_false(inbox_pop(inbox, &entry));
    assert_false(is_readable(inbox));
    inbox_free(inbox);
}

static void *push_one(void *context)
{
    return (void *)(uintptr_t)push(context, "late", "0123456789");
}

static void a_waiting_push_goes_on_when_there_is_room(void **state)
{
    struct inbox *inbox = make(1000, 0);
    struct inbox_entry entry;
    pthread_t thread;
    void *result;
    int messages = fill(inbox);

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, push_one, inbox), 0);
    pause_ms(20);
    assert_true(inbox_pop(inbox, &entry));
    assert_true(inbox_pop(inbox, &entry)); /* gives the first one's room back */
    pthread_join(thread, &result);
    assert_int_equal((uintptr_t)result, STATUS_OK);
    for (int i = 2; i < messages; i++) {
        assert_true(inbox_pop(inbox, &entry));
    }
    assert_true(inbox_pop(inbox, &entry));
    assert_string_equal(entry.topic, "late");
    inbox_free(inbox);
}

static void the_owner_calls_nothing_that_a_waiting_push_could_hold(void **state)
{
    struct inbox *inbox = make(1000, 0);
    struct inbox_entry entry;
    pthread_t thread;
    void *result;

    (void)state;
    assert_true(inbox_enter(inbox));
    inbox_leave(inbox);
    fill(inbox);
    assert_int_equal(pthread_create(&thread, NULL, push_one, inbox), 0);
    pause_ms(20);
    assert_false(inbox_enter(inbox));
    assert_true(inbox_pop(inbox, &entry));
    assert_true(inbox_pop(inbox, &entry));
    assert_true(inbox_enter(inbox));
    inbox_leave(inbox);
    pthread_join(thread, &result);
    inbox_free(inbox);
}

static void a_push_never_waits_for_an_owner_that_calls(void **state)
{
    int64_t least = INT64_MAX;

    (void)state;
    for (int i = 0; i < TRIES; i++) {
        struct inbox *inbox = make(1000, 0);
        int64_t before = clock_now().mono.ms;
        assert_true(inbox_enter(inbox));
        fill(inbox);
        least = lesser(least, clock_now().mono.ms - before);
        inbox_leave(inbox);
        assert_false(inbox_enter(inbox));
        inbox_free(inbox);
    }
    assert_true(least < INBOX_WAIT_MS);
}

#define PUSHERS 4
#define PUSHES 5000

struct pusher {
    struct inbox *inbox;
    int number;
    atomic_int *running;
};

static void *push_many(void *context)
{
    const struct pusher *pusher = context;
    char topic[16];
    char payload[32];

    snprintf(topic, sizeof topic, "%d", pusher->number);
    for (int i = 0; i < PUSHES; i++) {
        snprintf(payload, sizeof payload, "%d", i);
        while (push(pusher->inbox, topic, payload) != STATUS_OK) {
        }
    }
    atomic_fetch_sub(pusher->running, 1);
    inbox_wake(pusher->inbox);
    return NULL;
}

static void many_threads_push_and_each_keeps_its_order(void **state)
{
    struct inbox *inbox = make(2000, 10);
    struct pusher pushers[PUSHERS];
    pthread_t threads[PUSHERS];
    atomic_int running = PUSHERS;
    int next[PUSHERS] = {0};
    struct inbox_entry entry;

    (void)state;
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){.inbox = inbox, .number = i, .running = &running};
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
    }
    for (;;) {
        bool last = atomic_load(&running) == 0;
        assert_true(poll(&(struct pollfd){.fd = inbox_fd(inbox), .events = POLLIN}, 1, 5000) == 1);
        while (inbox_pop(inbox, &entry)) {
            int number = atoi(entry.topic);
            assert_int_equal(atoi(entry.payload), next[number]);
            next[number]++;
        }
        if (inbox_enter(inbox)) {
            inbox_leave(inbox);
        }
        if (last) {
            break;
        }
        if (atomic_load(&running) == 0) {
            inbox_wake(inbox);
        }
    }
    for (int i = 0; i < PUSHERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(next[i], PUSHES);
    }
    inbox_free(inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_out_as_they_went_in),
        cmocka_unit_test(order_and_content_survive_every_way_to_wrap),
        cmocka_unit_test(C6_entries_beyond_the_soft_limit_are_marked),
        cmocka_unit_test(a_push_into_a_full_inbox_waits_then_drops_and_counts),
        cmocka_unit_test(its_depth_is_what_waits_and_the_most_that_ever_did),
        cmocka_unit_test(an_entry_knows_when_it_was_pushed),
        cmocka_unit_test(what_can_never_fit_is_refused_at_once),
        cmocka_unit_test(a_change_of_the_connection_always_has_room),
        cmocka_unit_test(the_descriptor_is_readable_until_a_pop_finds_nothing),
        cmocka_unit_test(a_push_that_fails_beside_the_last_entry_popped_stops_nobody),
        cmocka_unit_test(a_wake_makes_it_readable_until_the_next_pop),
        cmocka_unit_test(a_waiting_push_goes_on_when_there_is_room),
        cmocka_unit_test(the_owner_calls_nothing_that_a_waiting_push_could_hold),
        cmocka_unit_test(a_push_never_waits_for_an_owner_that_calls),
        cmocka_unit_test(many_threads_push_and_each_keeps_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
