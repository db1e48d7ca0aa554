/* A machine's record from its retained `state`: the second copy of what Redis keeps (C9.4). */
#ifndef TAGOUT_DAEMON_RESTORE_H
#define TAGOUT_DAEMON_RESTORE_H

#include "persistence/store.h"
#include "topics/state.h"

/* What is impossible together is taken as off; oops and lockout are kept whatever else is wrong. */
void restore_record(const struct state_payload *state, struct record *ret_record);

#endif
