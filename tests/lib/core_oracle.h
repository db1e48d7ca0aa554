/* What must hold of every step, written down once more, from the contract and not from the core. */
#ifndef TAGOUT_TESTS_CORE_ORACLE_H
#define TAGOUT_TESTS_CORE_ORACLE_H

#include "tests/lib/core_space.h"

/* One step as the test sees it: `after.state`, `effects` are the core's, the rest is the test's. */
struct step {
    const char *name;
    const struct space_node *before;
    struct space_node after;
    struct core_event event;
    struct core_effects effects;
    bool rebooted;     /* the report is the first of another boot */
    bool judged;       /* a report that is neither a duplicate nor superseded */
    bool flags_by_ack; /* the first report after a load, with an ack above it */
};

/* Notes what the core does not keep (`after.put_in`), then fails the test, with the whole step, if
 * anything is broken. */
void oracle_judge(struct step *step);

#endif
