/* Device, network and core explored together where the controller loses what it knew: see
 * device_core_exhaustive_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/joint_check.h"

static void the_properties_hold_though_the_controller_loses_its_state(void **state)
{
    (void)state;
    joint_check_holds(&(struct joint_world){.name = "state lost", .member = true, .loss = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_properties_hold_though_the_controller_loses_its_state),
    };

    return cmocka_run_group_tests_name("device and core, explored: loss", tests, NULL, NULL);
}
