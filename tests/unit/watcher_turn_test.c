#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/watcher/turn.h"

#define AT_MS INT64_C(1700000000000)
#define EPOCH UINT64_C(1700000000)

/* The last one heard is the fifth, of this epoch, at this time. */
static const struct watched saw = {.name = "saw", .n = 5, .epoch = EPOCH, .event_at = {AT_MS}};

static enum turn turn(uint32_t n, uint64_t epoch, int64_t at_ms)
{
    const struct heard_event event = {.machine = "saw", .n = n, .epoch = epoch, .at = {at_ms}};
    return turn_of(&saw, &event);
}

static void C8_2_n_grows_by_one(void **state)
{
    (void)state;
    assert_int_equal(turn(6, EPOCH, AT_MS + 1), TURN_NEXT);
    assert_int_equal(turn(6, EPOCH + 1, AT_MS + 1), TURN_NEXT);
    assert_int_equal(turn(7, EPOCH, AT_MS + 1), TURN_GAP);
    assert_int_equal(turn(7, EPOCH + 1, AT_MS + 1), TURN_GAP);
    /* The host's clock was set back. */
    assert_int_equal(turn(6, EPOCH, AT_MS - 1), TURN_NEXT);
}

static void the_first_of_a_machine_and_one_without_a_number_are_in_turn(void **state)
{
    const struct watched unknown = {.name = "lathe"};
    const struct heard_event event = {.machine = "lathe", .n = 90, .epoch = 1, .at = {5}};

    (void)state;
    assert_int_equal(turn_of(&unknown, &event), TURN_NEXT);
    assert_int_equal(turn(0, 0, AT_MS - 1), TURN_NEXT);
}

static void of_a_leader_that_was_superseded_all_is_late_whatever_its_number(void **state)
{
    (void)state;
    assert_int_equal(turn(4, EPOCH - 1, AT_MS - 1), TURN_LATE);
    assert_int_equal(turn(5, EPOCH - 1, AT_MS - 1), TURN_LATE);
    assert_int_equal(turn(6, EPOCH - 1, AT_MS - 1), TURN_LATE);
    assert_int_equal(turn(9, EPOCH - 1, AT_MS - 1), TURN_LATE);
}

static void its_clock_may_be_ahead_of_its_successors(void **state)
{
    (void)state;
    assert_int_equal(turn(5, EPOCH - 1, AT_MS + TURN_CLOCKS_APART_MS), TURN_LATE);
    assert_int_equal(turn(5, EPOCH - 1, AT_MS + TURN_CLOCKS_APART_MS + 1), TURN_ANEW);
    assert_int_equal(turn(6, EPOCH - 1, AT_MS + TURN_CLOCKS_APART_MS + 1), TURN_NEXT);
}

static void of_one_leader_what_is_not_newer_is_late(void **state)
{
    (void)state;
    assert_int_equal(turn(4, EPOCH, AT_MS - 1), TURN_LATE);
    assert_int_equal(turn(4, EPOCH, AT_MS), TURN_LATE);
    assert_int_equal(turn(5, EPOCH, AT_MS), TURN_LATE); /* another fifth one */
    assert_int_equal(turn(4, EPOCH, AT_MS + 1), TURN_ANEW);
}

static void of_a_newer_leader_nothing_is_late(void **state)
{
    (void)state;
    /* Redis was lost; its clock may be behind its predecessor's. */
    assert_int_equal(turn(1, EPOCH + 1, AT_MS + 1), TURN_ANEW);
    assert_int_equal(turn(5, EPOCH + 1, AT_MS), TURN_ANEW);
    assert_int_equal(turn(5, EPOCH + 1, AT_MS - 10000), TURN_ANEW);
}

static void without_an_epoch_only_number_and_time_tell(void **state)
{
    (void)state;
    assert_int_equal(turn(5, 0, AT_MS), TURN_LATE);
    assert_int_equal(turn(5, 0, AT_MS + 1), TURN_ANEW);
    assert_int_equal(turn(6, 0, AT_MS), TURN_NEXT);
}

static void what_is_in_turn_is_the_last_one(void **state)
{
    struct watched machine = saw;
    const struct heard_event event = {
        .display_name = "Table Saw", .n = 6, .epoch = EPOCH + 1, .at = {AT_MS + 1}};
    const struct heard_event unnumbered = {.display_name = "The Saw", .at = {AT_MS + 2}};

    (void)state;
    turn_take(&machine, &event);
    assert_int_equal(machine.n, 6);
    assert_true(machine.epoch == EPOCH + 1);
    assert_int_equal(machine.event_at.ms, AT_MS + 1);
    assert_string_equal(machine.display_name, "Table Saw");
    turn_take(&machine, &unnumbered);
    assert_int_equal(machine.n, 6);
    assert_int_equal(machine.event_at.ms, AT_MS + 1);
    assert_string_equal(machine.display_name, "The Saw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C8_2_n_grows_by_one),
        cmocka_unit_test(the_first_of_a_machine_and_one_without_a_number_are_in_turn),
        cmocka_unit_test(of_a_leader_that_was_superseded_all_is_late_whatever_its_number),
        cmocka_unit_test(its_clock_may_be_ahead_of_its_successors),
        cmocka_unit_test(of_one_leader_what_is_not_newer_is_late),
        cmocka_unit_test(of_a_newer_leader_nothing_is_late),
        cmocka_unit_test(without_an_epoch_only_number_and_time_tell),
        cmocka_unit_test(what_is_in_turn_is_the_last_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
