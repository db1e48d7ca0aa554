/* The version of a machine's state: (epoch, rev), compared in that order. */
#ifndef TAGOUT_SUPPORT_VERSION_H
#define TAGOUT_SUPPORT_VERSION_H

#include <stdint.h>

#define VERSION_EPOCH_MAX ((uint64_t)1 << 40) /* C3 */
#define VERSION_REV_MAX UINT32_MAX            /* C3 */

/* The greatest that anybody is believed who tells of the epochs there were. Honest ones are near
 * Unix time, far below it; following a forged or damaged one to the end would leave no room above,
 * and epochs would repeat. It is not tied to the clock: who led once with a wrong one has to be
 * followed, or two would lead. */
#define VERSION_EPOCH_HEARD_MAX ((uint64_t)1 << 39)

/* `epoch` grows with every controller that takes over (C12), `rev` with every report that is
 * accepted and every change from outside (C5). {0, 0} is older than anything ever published. */
struct version {
    uint64_t epoch;
    uint32_t rev;
};

/* Negative, 0 or positive as `a` is older than, the same as or newer than `b`. */
static inline int version_compare(struct version a, struct version b)
{
    if (a.epoch != b.epoch) {
        return a.epoch < b.epoch ? -1 : 1;
    }
    return (a.rev > b.rev) - (a.rev < b.rev);
}

#endif
