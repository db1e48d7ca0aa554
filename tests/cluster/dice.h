/* Chance from a seed: the same seed, the same world. */
#ifndef TAGOUT_CLUSTER_DICE_H
#define TAGOUT_CLUSTER_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

void dice_seed(struct dice *dice, uint64_t seed);
uint64_t dice_roll(struct dice *dice);
/* 0 to `count` - 1; 0 for a count of 0. */
unsigned dice_below(struct dice *dice, unsigned count);
int64_t dice_between(struct dice *dice, int64_t least, int64_t most);
bool dice_percent(struct dice *dice, unsigned percent);

#endif
