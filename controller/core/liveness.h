/* Whether a machine is there: C11's verdict, apart from what follows from it.
 *
 * Three values, so that a flake can't do damage: BUSY is not answering and not yet dead. The order
 * is the settle window first, then what was heard of late, then two probes, then DEAD.
 */
#ifndef TAGOUT_CORE_LIVENESS_H
#define TAGOUT_CORE_LIVENESS_H

#include "controller/core/event.h"
#include "controller/core/machine.h"

/* A `link` that comes back within this time raises no doubt: flapping is not told of. Well below
 * the second in which a doubt has to be on `state` (C11.1). */
#define CORE_LINK_GRACE_MS 500

enum core_verdict {
    CORE_ALIVE,
    CORE_BUSY,
    CORE_DEAD,
};

struct core_judgement {
    enum core_verdict verdict;
    bool probe;             /* BUSY: it is time for a probe, the first or the second */
    bool settling;          /* BUSY: within the settle window */
    struct mono_time again; /* when to judge again; {0}: never (DEAD), or at once (a probe) */
};

extern const struct core_liveness core_liveness_default; /* C11's numbers */

/* Of a live machine, while the controller is connected. It takes the clock's word: whoever stood
 * still has to tell CORE_EVENT_DISCONNECTED and CORE_EVENT_CONNECTED first, since what it has not
 * read yet may be the sign of life. */
struct core_judgement core_verdict(
    const struct core_liveness *liveness, const struct core_watch *watch, struct mono_time now);

#endif
