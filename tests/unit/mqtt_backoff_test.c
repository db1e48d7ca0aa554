#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/support/mqtt_backoff.h"

static int64_t plan(struct mqtt_backoff *backoff, int64_t now_ms)
{
    mqtt_backoff_plan(backoff, (struct mono_time){now_ms});
    return backoff->retry_at.ms - now_ms;
}

static void the_waits_double_from_200_ms_to_5_s(void **state)
{
    static const int wanted[] = {200, 400, 800, 1600, 3200, 5000, 5000};
    struct mqtt_backoff backoff = {0};

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_in_range(plan(&backoff, 1000), wanted[i], wanted[i] * 3 / 2);
    }
}

static void clients_do_not_come_back_in_step(void **state)
{
    int64_t least = INT64_MAX;
    int64_t most = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct mqtt_backoff backoff = {.wait_ms = MQTT_BACKOFF_MAX_MS};
        int64_t wait = plan(&backoff, 1000);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_true(most - least > 1000);
}

static void after_a_good_connection_the_waits_begin_anew(void **state)
{
    struct mqtt_backoff backoff = {.wait_ms = 1600, .connected_at = {1000}};

    (void)state;
    assert_in_range(plan(&backoff, 1000 + MQTT_BACKOFF_MAX_MS), 200, 300);
    assert_in_range(plan(&backoff, 100000), 400, 600);
}

static void a_broker_that_ends_each_connection_at_once_is_left_in_peace(void **state)
{
    struct mqtt_backoff backoff = {.wait_ms = 1600, .connected_at = {1000}};

    (void)state;
    assert_in_range(plan(&backoff, 1000 + MQTT_BACKOFF_MAX_MS - 1), 3200, 4800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_waits_double_from_200_ms_to_5_s),
        cmocka_unit_test(clients_do_not_come_back_in_step),
        cmocka_unit_test(after_a_good_connection_the_waits_begin_anew),
        cmocka_unit_test(a_broker_that_ends_each_connection_at_once_is_left_in_peace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
