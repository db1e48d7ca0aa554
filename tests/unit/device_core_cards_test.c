/* Device, network and core explored together with more than one card: see
 * device_core_exhaustive_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/joint_check.h"

static void the_properties_hold_with_cards_that_take_each_others_place(void **state)
{
    (void)state;
    joint_check_holds(&(struct joint_world){.name = "two cards", .member = true, .stranger = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_properties_hold_with_cards_that_take_each_others_place),
    };

    return cmocka_run_group_tests_name("device and core, explored: cards", tests, NULL, NULL);
}
