/* Whose card is whose, by name and never by number (C7.9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "devices/sim/cards.h"
#include "tests/lib/scratch.h"

static const char users[] =
    "[{\"fob_codes\": [\"0000001234\", \"0000005678\"], \"preferred_name\": \"Rosa\","
    " \"authorizations\": [\"Wood\", \"Laser\"], \"full_name\": \"Rosa Lindqvist\", "
    "\"first_name\": \"Rosalia\", \"account_id\": \"17\"},"
    " {\"fob_codes\": [\"9\"], \"preferred_name\": \"\", \"full_name\": \"Noah Weber\"}]";

static struct cards load(void)
{
    struct cards cards = {0};
    TEXT_LOCAL(why, 256);

    scratch_write_text("users.json", users);
    if (cards_load(&cards, "users.json", &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
    return cards;
}

static void refuse(const char *text, const char *reason)
{
    struct cards cards = {0};
    TEXT_LOCAL(why, 256);

    scratch_write_text("users.json", text);
    assert_int_not_equal(cards_load(&cards, "users.json", &why), STATUS_OK);
    if (strstr(why.data, reason) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", why.data, reason);
    }
    cards_free(&cards);
}

static void a_holder_is_found_by_any_name_in_any_case(void **state)
{
    static const char *const names[] = {"Rosa", "rosa", "Rosa Lindqvist", "ROSALIA", "17", "#1"};
    struct cards cards = load();
    struct sim_card card;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(cards_find(&cards, names[i], &card));
        assert_string_equal(card.number, "1234");
        assert_string_equal(card.label, "Rosa");
        assert_false(card.emergency);
    }
    assert_true(cards_find(&cards, "#2", &card));
    assert_string_equal(card.number, "5678");
    assert_true(cards_find(&cards, "Noah Weber", &card));
    assert_string_equal(card.label, "Noah Weber");
    cards_free(&cards);
}

static void nobody_is_found_by_a_number_or_an_empty_name(void **state)
{
    static const char *const names[] = {"1234", "0000001234", "", "#0", "#4", "#", "Ros"};
    struct cards cards = load();
    struct sim_card card;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_false(cards_find(&cards, names[i], &card));
    }
    cards_free(&cards);
}

static void a_stranger_has_a_card_that_nobody_has(void **state)
{
    struct cards cards = load();
    struct sim_card one;
    struct sim_card again;
    struct sim_card other;

    (void)state;
    assert_true(cards_find(&cards, "stranger", &one));
    assert_true(cards_find(&cards, "stranger", &again));
    assert_true(cards_find(&cards, "stranger-2", &other));
    assert_string_equal(one.number, again.number);
    assert_string_not_equal(one.number, other.number);
    assert_int_equal(strlen(one.number), CARD_PADDED_LENGTH);
    assert_string_equal(one.label, "stranger");
    cards_free(&cards);
}

static void C7_8_an_emergency_card_is_one(void **state)
{
    struct cards cards = {0};
    struct sim_card card;

    (void)state;
    assert_true(cards_find(&cards, "emergency", &card));
    assert_true(card.emergency);
    assert_true(cards_find(&cards, "stranger", &card));
    assert_false(card.emergency);
}

static void C3_a_reader_strips_leading_zeros(void **state)
{
    struct cards cards = {0};
    TEXT_LOCAL(why, 64);

    (void)state;
    assert_int_equal(cards_add(&cards, "0000000420", &why), STATUS_OK);
    assert_int_equal(cards_add(&cards, "0000", &why), STATUS_OK);
    assert_string_equal(cards.all[0].number, "420");
    assert_string_equal(cards.all[0].label, "card 1");
    assert_string_equal(cards.all[1].number, "0");
    assert_int_not_equal(cards_add(&cards, "", &why), STATUS_OK);
    assert_int_not_equal(cards_add(&cards, "\x01", &why), STATUS_OK);
    cards_free(&cards);
}

static void C4_5_4_any_authorization_makes_a_member_trained(void **state)
{
    static const struct {
        const char *machine;
        bool trained;
    } all[] = {
        {"{\"authorizations_or\": [\"Lathe\", \"Laser\"]}", true},
        {"{\"authorizations_or\": [\"laser\"]}", false},
        {"{\"authorizations_or\": []}", false},
        {"{}", false},
        {"1", false},
    };
    struct cards cards = load();
    TEXT_LOCAL(why, 64);

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct json *machine = NULL;
        assert_int_equal(
            json_parse(all[i].machine, strlen(all[i].machine), &machine, &why), STATUS_OK);
        assert_int_equal(cards_is_trained(&cards.all[0], machine), all[i].trained);
        assert_false(cards_is_trained(&cards.all[2], machine));
        json_free(machine);
    }
    cards_free(&cards);
}

static void a_file_that_is_wrong_is_named(void **state)
{
    (void)state;
    refuse("{}", "users.json: not an array of users");
    refuse("[1]", "users.json: /0/fob_codes");
    refuse("[{\"fob_codes\": [1]}]", "users.json: /0/fob_codes");
    refuse("[", "users.json: not JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_holder_is_found_by_any_name_in_any_case),
        cmocka_unit_test(nobody_is_found_by_a_number_or_an_empty_name),
        cmocka_unit_test(a_stranger_has_a_card_that_nobody_has),
        cmocka_unit_test(C7_8_an_emergency_card_is_one),
        cmocka_unit_test(C3_a_reader_strips_leading_zeros),
        cmocka_unit_test(C4_5_4_any_authorization_makes_a_member_trained),
        cmocka_unit_test(a_file_that_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
