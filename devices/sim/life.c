#include "devices/sim/life.h"

#define STAY_MEAN_MAX_MS 120000.0
#define HOUR_MS 3600000.0
#define STRANGER_PERCENT 6
#define UNTRAINED_PERCENT 15
#define OOPS_PERCENT 4
#define REPAIR_MEAN_MAX_MS 20000.0

/* splitmix64: any seed will do. */
static uint64_t draw(struct life *life)
{
    uint64_t mixed = life->random += 0x9E3779B97F4A7C15U;

    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31);
}

static uint64_t draw_below(struct life *life, uint64_t limit)
{
    return limit > 0 ? draw(life) % limit : 0;
}

/* Half to one and a half of the mean: people are irregular, boards should not stand still. */
static int64_t around(struct life *life, double mean_ms)
{
    double share = 0.5 + (double)draw_below(life, 1000) / 1000;

    return (int64_t)(mean_ms * share);
}

void life_init(
    struct life *life, uint32_t seed, uint32_t machine, double per_hour, size_t cards,
    size_t trained)
{
    life->random = ((uint64_t)seed << 32) | machine;
    life->per_hour = per_hour;
    life->cards = cards;
    life->trained = trained;
}

struct life_visit life_next(struct life *life)
{
    double cycle_ms = HOUR_MS / life->per_hour;
    double stay_ms = cycle_ms / 2 < STAY_MEAN_MAX_MS ? cycle_ms / 2 : STAY_MEAN_MAX_MS;
    double repair_ms = cycle_ms < REPAIR_MEAN_MAX_MS ? cycle_ms : REPAIR_MEAN_MAX_MS;
    struct life_visit visit = {0};

    visit.gap_ms = around(life, cycle_ms - stay_ms);
    visit.stay_ms = around(life, stay_ms);
    visit.stranger = draw_below(life, 100) < STRANGER_PERCENT || life->cards == 0;
    visit.trained = draw_below(life, 100) >= UNTRAINED_PERCENT && life->trained > 0;
    visit.card = (size_t)draw_below(life, visit.trained ? life->trained : life->cards);
    visit.oops = draw_below(life, 100) < OOPS_PERCENT;
    visit.repair_ms = around(life, repair_ms);
    return visit;
}
