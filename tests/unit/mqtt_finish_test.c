/* The end of a process waits for threads that are called as Paho's are, and for no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "controller/support/clock.h"
#include "controller/support/mqtt.h"

#define LIVES_MS 200
#define TRIES 3 /* a busy host stands still now and then; who waits does so each time */

struct life {
    pthread_t thread;
    const char *name;
    atomic_bool named;
    atomic_bool may_end;
    atomic_bool over;
    int ms; /* 0: until it may end */
};

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

static void *live(void *context)
{
    struct life *life = context;

    (void)pthread_setname_np(pthread_self(), life->name);
    atomic_store(&life->named, true);
    if (life->ms > 0) {
        pause_ms(life->ms);
    }
    while (life->ms == 0 && !atomic_load(&life->may_end)) {
        pause_ms(1);
    }
    atomic_store(&life->over, true);
    return NULL;
}

static void begin(struct life *life)
{
    assert_int_equal(pthread_create(&life->thread, NULL, live, life), 0);
    while (!atomic_load(&life->named)) {
        pause_ms(1);
    }
}

static void pahos_threads_are_waited_for(void **state)
{
    static const char *const names[] = {"MQTTAsync_send", "MQTTAsync_rcv"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct life life = {.name = names[i], .ms = LIVES_MS};
        begin(&life);
        mqtt_finish();
        assert_true(atomic_load(&life.over));
        assert_int_equal(pthread_join(life.thread, NULL), 0);
    }
}

static void others_are_not(void **state)
{
    struct life life = {.name = "log"};
    int64_t least_ms = INT64_MAX;

    (void)state;
    begin(&life);
    for (int i = 0; i < TRIES; i++) {
        int64_t began_ms = clock_now().mono.ms;
        mqtt_finish();
        int64_t took_ms = clock_now().mono.ms - began_ms;
        least_ms = took_ms < least_ms ? took_ms : least_ms;
    }
    assert_in_range(least_ms, 0, 900);
    atomic_store(&life.may_end, true);
    assert_int_equal(pthread_join(life.thread, NULL), 0);
}

static void one_that_never_ends_is_given_up(void **state)
{
    struct life life = {.name = "MQTTAsync_send"};

    (void)state;
    begin(&life);
    mqtt_finish();
    assert_false(atomic_load(&life.over));
    atomic_store(&life.may_end, true);
    assert_int_equal(pthread_join(life.thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pahos_threads_are_waited_for),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(one_that_never_ends_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
