/* Device, network and core explored together where links are gone for long, or the controller loses
 * what it knew. The rest is in device_core_exhaustive_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/joint_check.h"

static void the_properties_hold_with_emergency_cards(void **state)
{
    (void)state;
    joint_check_holds(
        &(struct joint_world){.name = "emergency", .stranger = true, .emergency = true});
}

static void the_properties_hold_though_the_controller_loses_its_state(void **state)
{
    (void)state;
    joint_check_holds(&(struct joint_world){.name = "state lost", .member = true, .loss = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_properties_hold_with_emergency_cards),
        cmocka_unit_test(the_properties_hold_though_the_controller_loses_its_state),
    };

    return cmocka_run_group_tests_name("device and core in trouble, explored", tests, NULL, NULL);
}
