/* Device, network and core explored together with emergency cards: see
 * device_core_exhaustive_test.c. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_properties_hold_with_emergency_cards),
    };

    return cmocka_run_group_tests_name("device and core, explored: emergency", tests, NULL, NULL);
}
