/* The firmware's card readers, and what it keeps in flash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/esphome/memory.h"
#include "devices/esphome/slot.h"

#define NOW_MS 1000000

static void a_switch_and_a_number_make_a_card(void **state)
{
    struct slot slot;

    (void)state;
    slot_init(&slot, SLOT_LINE);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_EMPTY);
    slot_line(&slot, true, false);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_UNKNOWN);
    slot_tag(&slot, "1234567", NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_CARD);
    assert_string_equal(slot.card, "1234567");
    assert_int_equal(slot_read(&slot, NOW_MS + 86400000), SLOT_CARD);
}

static void a_card_that_is_read_before_the_switch_closes_counts_for_a_second(void **state)
{
    struct slot slot;

    (void)state;
    slot_init(&slot, SLOT_LINE);
    slot_tag(&slot, "1234567", NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS + SLOT_EARLY_MS), SLOT_EMPTY);
    slot_line(&slot, true, false);
    assert_int_equal(slot_read(&slot, NOW_MS + SLOT_EARLY_MS), SLOT_CARD);

    slot_init(&slot, SLOT_LINE);
    slot_tag(&slot, "1234567", NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS + SLOT_EARLY_MS + 1), SLOT_EMPTY);
    slot_line(&slot, true, false);
    assert_int_equal(slot_read(&slot, NOW_MS + SLOT_EARLY_MS + 1), SLOT_UNKNOWN);
}

/* Out and in again between two turns of the loop: it may be another card. */
static void a_switch_that_opened_for_a_moment_forgets_the_card(void **state)
{
    struct slot slot;

    (void)state;
    slot_init(&slot, SLOT_LINE);
    slot_line(&slot, true, false);
    slot_tag(&slot, "1234567", NOW_MS);
    slot_line(&slot, true, true);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_UNKNOWN);
}

static void the_switch_knows_better_than_the_reader_that_the_card_is_in(void **state)
{
    struct slot slot;

    (void)state;
    slot_init(&slot, SLOT_LINE);
    slot_line(&slot, true, false);
    slot_tag(&slot, "1234567", NOW_MS);
    slot_removed(&slot);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_CARD);
}

static void a_repeating_reader_that_falls_silent_has_no_card(void **state)
{
    struct slot slot;

    (void)state;
    slot_init(&slot, SLOT_REPEATING);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_EMPTY);
    slot_tag(&slot, "1234567", NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS + SLOT_SILENCE_MS), SLOT_CARD);
    assert_int_equal(slot_read(&slot, NOW_MS + SLOT_SILENCE_MS + 1), SLOT_EMPTY);
    slot_tag(&slot, "7654321", NOW_MS + 400);
    assert_int_equal(slot_read(&slot, NOW_MS + 400), SLOT_CARD);
    assert_string_equal(slot.card, "7654321");
}

static void a_holding_reader_has_the_card_until_it_tells_that_it_went(void **state)
{
    struct slot slot;

    (void)state;
    slot_init(&slot, SLOT_HELD);
    slot_tag(&slot, "74-10-37-94", NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS + 86400000), SLOT_CARD);
    slot_removed(&slot);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_EMPTY);
}

static void C3_a_card_has_1_to_64_characters(void **state)
{
    char card[] = "0123456789012345678901234567890123456789012345678901234567890123X";
    struct slot slot;

    (void)state;
    slot_init(&slot, SLOT_HELD);
    slot_tag(&slot, "", NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_EMPTY);
    slot_tag(&slot, card, NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_EMPTY);
    card[64] = '\0';
    slot_tag(&slot, card, NOW_MS);
    assert_int_equal(slot_read(&slot, NOW_MS), SLOT_CARD);
}

static void C7_3_silence_and_confirmation_together_take_a_second_and_a_half(void **state)
{
    (void)state;
    assert_int_equal(slot_confirm_ms(SLOT_LINE), 0);
    assert_int_equal(slot_confirm_ms(SLOT_REPEATING) + SLOT_SILENCE_MS, 1500);
    assert_true(slot_confirm_ms(SLOT_HELD) < 1500);
}

static void C7_3_flash_brings_everything_back(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++) {
        const struct memory memory = {
            .keep =
                {
                    .press = bits & 1U,
                    .last_oops = bits & 2U,
                    .last_lockout = bits & 4U,
                    .self_rebooted = bits & 8U,
                },
            .restart_id = bits * 1000,
        };
        uint32_t words[MEMORY_WORDS];
        struct memory back;

        memory_pack(&memory, words);
        memory_unpack(words, &back);
        assert_memory_equal(&back, &memory, sizeof back);
    }
}

static void blank_flash_is_a_new_device(void **state)
{
    const uint32_t blank[][MEMORY_WORDS] = {{0, 0}, {UINT32_MAX, UINT32_MAX}, {15, 7}};
    const struct memory none = {0};
    struct memory back;

    (void)state;
    for (size_t i = 0; i < sizeof blank / sizeof blank[0]; i++) {
        memory_unpack(blank[i], &back);
        assert_memory_equal(&back, &none, sizeof none);
    }
}

static void a_retained_restart_is_obeyed_once(void **state)
{
    const struct memory memory = {.restart_id = 3};
    const struct memory none = {0};

    (void)state;
    assert_true(memory_knows_restart(&memory, 3, MEMORY_RETAINED_MS - 1));
    assert_false(memory_knows_restart(&memory, 3, MEMORY_RETAINED_MS));
    assert_false(memory_knows_restart(&memory, 4, 0));
    assert_false(memory_knows_restart(&none, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_switch_and_a_number_make_a_card),
        cmocka_unit_test(a_card_that_is_read_before_the_switch_closes_counts_for_a_second),
        cmocka_unit_test(a_switch_that_opened_for_a_moment_forgets_the_card),
        cmocka_unit_test(the_switch_knows_better_than_the_reader_that_the_card_is_in),
        cmocka_unit_test(a_repeating_reader_that_falls_silent_has_no_card),
        cmocka_unit_test(a_holding_reader_has_the_card_until_it_tells_that_it_went),
        cmocka_unit_test(C3_a_card_has_1_to_64_characters),
        cmocka_unit_test(C7_3_silence_and_confirmation_together_take_a_second_and_a_half),
        cmocka_unit_test(C7_3_flash_brings_everything_back),
        cmocka_unit_test(blank_flash_is_a_new_device),
        cmocka_unit_test(a_retained_restart_is_obeyed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
