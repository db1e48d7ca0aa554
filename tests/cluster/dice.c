#include "tests/cluster/dice.h"

/* SplitMix64: one addition a roll, and a hash of the sum. */
uint64_t dice_roll(struct dice *dice)
{
    uint64_t mixed = dice->state += 0x9e3779b97f4a7c15U;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

void dice_seed(struct dice *dice, uint64_t seed)
{
    dice->state = seed;
    (void)dice_roll(dice);
}

unsigned dice_below(struct dice *dice, unsigned count)
{
    return count == 0 ? 0 : (unsigned)((dice_roll(dice) >> 32) % count);
}

int64_t dice_between(struct dice *dice, int64_t least, int64_t most)
{
    return least + (int64_t)(dice_roll(dice) % (uint64_t)(most - least + 1));
}

bool dice_percent(struct dice *dice, unsigned percent)
{
    return dice_below(dice, 100) < percent;
}
