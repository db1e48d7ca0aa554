/* What the files of the lease share: lease.c (entry, roles, the broker), lease_heard.c (what Redis
 * and the others say), lease_time.c (what is due). For nobody else. */
#ifndef TAGOUT_DAEMON_LEASE_INSIDE_H
#define TAGOUT_DAEMON_LEASE_INSIDE_H

#include "controller/daemon/lease.h"

/* ---- lease.c: changes of the role ---- */

bool lease_is_leader(const struct lease *lease);
/* A new one: what was asked for before tells nothing. */
void lease_want_echo(struct lease *lease, struct mono_time now);
void lease_lead(
    struct lease *lease, struct mono_time now, uint64_t epoch, bool is_kept,
    struct lease_actions *actions);
void lease_announce(
    struct lease *lease, struct mono_time now, uint64_t epoch, struct lease_actions *actions);
void lease_fall_silent(
    struct lease *lease, struct mono_time now, const char *why, struct lease_actions *actions);
void lease_speak(struct lease *lease, struct lease_actions *actions);
void lease_stand_down(
    struct lease *lease, struct mono_time now, const char *why, struct lease_actions *actions);
/* Stands down, and gives the lease back. */
void lease_give_back(
    struct lease *lease, struct mono_time now, const char *why, struct lease_actions *actions);

/* ---- lease_heard.c ---- */

void lease_on_status(
    struct lease *lease, const struct lease_status *status, struct mono_time now,
    struct lease_actions *actions);
void lease_on_heard(
    struct lease *lease, uint64_t epoch, struct mono_time now, struct lease_actions *actions);
void lease_on_echo(
    struct lease *lease, uint32_t number, struct mono_time now, struct lease_actions *actions);
void lease_on_ours(
    struct lease *lease, const struct lease_event *event, struct lease_actions *actions);
void lease_on_other(
    struct lease *lease, const struct lease_event *event, struct lease_actions *actions);
void lease_on_free(
    struct lease *lease, const struct lease_event *event, struct lease_actions *actions);

/* ---- lease_time.c ---- */

/* Whether the broker has given a sign of life within LEASE_CUT_MS. */
bool lease_is_in_touch(const struct lease *lease, struct mono_time now);
/* Falls silent if the loop stood still since the last event. */
void lease_notice_standstill(
    struct lease *lease, struct mono_time now, struct lease_actions *actions);
void lease_tick(struct lease *lease, struct now now, struct lease_actions *actions);

#endif
