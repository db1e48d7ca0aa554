/* Random shop life: who comes to a machine, when, and for how long.
 *
 * Pure, and drawn from the seed alone: the same seed, rate and number of cards make the same
 * visits, whatever the machines and the network do meanwhile.
 */
#ifndef TAGOUT_SIM_LIFE_H
#define TAGOUT_SIM_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct life {
    uint64_t random;
    double per_hour; /* visits; 0: nobody comes */
    size_t cards;
    size_t trained; /* of the cards */
};

struct life_visit {
    int64_t gap_ms; /* from the end of the visit before */
    int64_t stay_ms;
    bool stranger;
    bool trained; /* `card` is an index among those who may use the machine, else among all */
    size_t card;
    bool oops; /* pressed in the middle of the stay; somebody clears it `repair_ms` later */
    int64_t repair_ms;
};

/* `machine` tells machines of one seed apart. */
void life_init(
    struct life *life, uint32_t seed, uint32_t machine, double per_hour, size_t cards,
    size_t trained);

struct life_visit life_next(struct life *life);

#endif
