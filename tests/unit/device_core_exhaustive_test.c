/* Device, network and core explored together: every state that they can reach, and every property
 * in each. And that this would find a bug: with a rule of the device taken away, it does. The
 * larger worlds have programs of their own: device_core_*_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/joint_check.h"

static void the_properties_hold_with_a_button_that_may_be_held(void **state)
{
    (void)state;
    joint_check_holds(&(struct joint_world){.name = "button", .member = true, .hold = true});
}

static void the_properties_hold_with_lockouts_and_overrides(void **state)
{
    (void)state;
    joint_check_holds(&(struct joint_world){
        .name = "lockout, override", .member = true, .lockout = true, .override = true});
}

static void the_properties_hold_with_a_link_that_is_lost_and_comes_back(void **state)
{
    (void)state;
    joint_check_holds(&(struct joint_world){.name = "offline", .member = true, .offline = true});
}

static void it_finds_a_device_that_obeys_a_late_on(void **state)
{
    (void)state;
    joint_check_finds(
        &(struct joint_world){
            .name = "planted: no seq guard of on",
            .member = true,
            .stranger = true,
            .without_on_seq = true,
        },
        JOINT_STRANGERS);
}

static void it_finds_a_device_that_obeys_a_late_off(void **state)
{
    (void)state;
    joint_check_finds(
        &(struct joint_world){
            .name = "planted: no seq guard of off",
            .stranger = true,
            .emergency = true,
            .without_off_seq = true,
        },
        JOINT_STALE_OFF);
}

static void it_finds_a_device_that_obeys_an_off_of_any_version(void **state)
{
    (void)state;
    joint_check_finds(
        &(struct joint_world){
            .name = "planted: no version test of off",
            .member = true,
            .always = true,
            .without_off_version = true,
        },
        JOINT_STALE_OFF);
}

static void it_finds_a_device_that_forgets_a_press(void **state)
{
    (void)state;
    joint_check_finds(
        &(struct joint_world){.name = "planted: no latch", .member = true, .without_latch = true},
        JOINT_LATCH);
}

static void it_finds_a_device_that_starts_without_a_delay(void **state)
{
    (void)state;
    joint_check_finds(
        &(struct joint_world){
            .name = "planted: no delay", .member = true, .always = true, .without_delay = true},
        JOINT_DELAY);
}

static void it_finds_a_device_without_the_window(void **state)
{
    (void)state;
    joint_check_finds(
        &(struct joint_world){.name = "planted: no window", .member = true, .without_window = true},
        JOINT_WINDOW);
}

static void it_finds_a_device_that_takes_any_card_for_one_put_in(void **state)
{
    (void)state;
    joint_check_finds(
        &(struct joint_world){
            .name = "planted: reader not seen empty",
            .member = true,
            .loss = true,
            .without_seen_empty = true,
        },
        JOINT_INSERTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_properties_hold_with_a_button_that_may_be_held),
        cmocka_unit_test(the_properties_hold_with_lockouts_and_overrides),
        cmocka_unit_test(the_properties_hold_with_a_link_that_is_lost_and_comes_back),
        cmocka_unit_test(it_finds_a_device_that_obeys_a_late_on),
        cmocka_unit_test(it_finds_a_device_that_obeys_a_late_off),
        cmocka_unit_test(it_finds_a_device_that_obeys_an_off_of_any_version),
        cmocka_unit_test(it_finds_a_device_that_forgets_a_press),
        cmocka_unit_test(it_finds_a_device_that_starts_without_a_delay),
        cmocka_unit_test(it_finds_a_device_without_the_window),
        cmocka_unit_test(it_finds_a_device_that_takes_any_card_for_one_put_in),
    };

    return cmocka_run_group_tests_name("device and core, explored", tests, NULL, NULL);
}
