/* Random life: the seed alone decides, and the rate is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "devices/sim/life.h"

#define VISITS 2000

static struct life start(uint32_t seed, uint32_t machine, double per_hour, size_t cards)
{
    struct life life;

    life_init(&life, seed, machine, per_hour, cards, 0);
    return life;
}

static bool same(const struct life_visit *a, const struct life_visit *b)
{
    return a->gap_ms == b->gap_ms && a->stay_ms == b->stay_ms && a->stranger == b->stranger &&
           a->trained == b->trained && a->card == b->card && a->oops == b->oops &&
           a->repair_ms == b->repair_ms;
}

static unsigned count_same(struct life a, struct life b)
{
    unsigned count = 0;

    for (unsigned i = 0; i < VISITS; i++) {
        struct life_visit first = life_next(&a);
        struct life_visit second = life_next(&b);
        count += same(&first, &second);
    }
    return count;
}

static void a_seed_makes_the_same_visits_again(void **state)
{
    (void)state;
    assert_int_equal(count_same(start(7, 3, 60, 5), start(7, 3, 60, 5)), VISITS);
}

static void another_seed_or_machine_makes_others(void **state)
{
    (void)state;
    assert_in_range(count_same(start(7, 3, 60, 5), start(8, 3, 60, 5)), 0, 5);
    assert_in_range(count_same(start(7, 3, 60, 5), start(7, 4, 60, 5)), 0, 5);
}

static void the_rate_is_that_of_visits_in_an_hour(void **state)
{
    static const double rates[] = {2, 60, 600};

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct life life = start(1, 0, rates[i], 5);
        double wanted_ms = VISITS * 3600000.0 / rates[i];
        int64_t total_ms = 0;

        for (unsigned visit = 0; visit < VISITS; visit++) {
            struct life_visit next = life_next(&life);
            assert_true(next.gap_ms > 0 && next.stay_ms > 0);
            total_ms += next.gap_ms + next.stay_ms;
        }
        assert_in_range(total_ms, (uint64_t)(0.95 * wanted_ms), (uint64_t)(1.05 * wanted_ms));
    }
}

static void every_card_comes_and_sometimes_a_stranger_or_an_oops(void **state)
{
    struct life life = start(1, 0, 60, 5);
    unsigned cards[5] = {0};
    unsigned strangers = 0;
    unsigned presses = 0;

    (void)state;
    for (unsigned i = 0; i < VISITS; i++) {
        struct life_visit visit = life_next(&life);
        assert_in_range(visit.card, 0, 4);
        cards[visit.card]++;
        strangers += visit.stranger;
        presses += visit.oops;
    }
    for (size_t i = 0; i < 5; i++) {
        assert_in_range(cards[i], VISITS / 10, VISITS);
    }
    assert_in_range(strangers, VISITS / 100, VISITS / 10);
    assert_in_range(presses, VISITS / 100, VISITS / 10);
}

static void mostly_those_come_who_are_trained(void **state)
{
    struct life life;
    unsigned trained = 0;

    (void)state;
    life_init(&life, 1, 0, 60, 5, 2);
    for (unsigned i = 0; i < VISITS; i++) {
        struct life_visit visit = life_next(&life);
        assert_in_range(visit.card, 0, visit.trained ? 1 : 4);
        trained += visit.trained;
    }
    assert_in_range(trained, VISITS * 8 / 10, VISITS * 9 / 10);
}

static void without_cards_all_are_strangers(void **state)
{
    struct life life = start(1, 0, 60, 0);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_true(life_next(&life).stranger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_makes_the_same_visits_again),
        cmocka_unit_test(another_seed_or_machine_makes_others),
        cmocka_unit_test(the_rate_is_that_of_visits_in_an_hour),
        cmocka_unit_test(every_card_comes_and_sometimes_a_stranger_or_an_oops),
        cmocka_unit_test(mostly_those_come_who_are_trained),
        cmocka_unit_test(without_cards_all_are_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
