/* Device, network and core explored together where a machine may need no card: see
 * device_core_exhaustive_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/joint_check.h"

static void the_properties_hold_where_a_reload_may_enable_the_machine(void **state)
{
    (void)state;
    joint_check_holds(
        &(struct joint_world){.name = "always enabled", .member = true, .always = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_properties_hold_where_a_reload_may_enable_the_machine),
    };

    return cmocka_run_group_tests_name("device and core, explored: always", tests, NULL, NULL);
}
