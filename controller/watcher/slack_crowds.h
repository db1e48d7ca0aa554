/* Machines that vanish, come back or restart together: one message for all of them, for it is an
 * access point or the power, not so many machines. Pure.
 *
 * A single one waits a moment for company, longer while others are in doubt, and is then told in
 * its own words.
 */
#ifndef TAGOUT_WATCHER_SLACK_CROWDS_H
#define TAGOUT_WATCHER_SLACK_CROWDS_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/time.h"
#include "controller/watcher/heard_event.h"
#include "controller/watcher/slack_policy.h"
#include "controller/watcher/watched.h"

#define SLACK_CROWD_MIN 3    /* fewer are told one by one */
#define SLACK_CROWD_NAMES 5  /* and so many more */
#define SLACK_CROWD_KNOWN 64 /* beyond that a machine that is told twice counts twice */
#define SLACK_CROWD_ALONE_MS 2000
#define SLACK_CROWD_RETURN_MS 5000
/* Machines are silent for up to one heartbeat of 10 s before they are missed. */
#define SLACK_CROWD_LONGEST_MS 12000
/* A link that was lost leads to an error by then, or to none. */
#define SLACK_CROWD_DOUBT_MS 30000
/* More errors so soon after others gather for as long as may be. */
#define SLACK_CROWD_AGAIN_MS 60000

struct slack_crowd {
    uint32_t count;        /* 0: nobody waits */
    int64_t line;          /* of the first */
    struct wall_time seen; /* the first */
    struct mono_time began;
    struct mono_time last;
    char names[SLACK_CROWD_NAMES][WATCHED_DISPLAY_SIZE];
    uint32_t in_use_count; /* of those: somebody's session is open */
    char in_use[SLACK_CROWD_NAMES][WATCHED_DISPLAY_SIZE];
    char known[SLACK_CROWD_KNOWN][WATCHED_NAME_SIZE];
    char text[SLACK_TEXT_SIZE]; /* of those before SLACK_CROWD_MIN, a line each */
};

struct slack_doubt {
    char machine[WATCHED_NAME_SIZE]; /* "" : none */
    struct mono_time until;
};

/* Zero is a good start. */
struct slack_crowds {
    struct slack_crowd crowds[SLACK_LANE_COUNT - SLACK_MACHINES]; /* of the lanes that gather */
    struct slack_doubt doubts[SLACK_CROWD_KNOWN];
    struct mono_time errors_told;
};

/* Whether posts of that lane gather here. */
bool slack_crowds_has(enum slack_lane lane);

/* Every event is shown, for links that are lost and machines that are back. */
void slack_crowds_hear(
    struct slack_crowds *crowds, const struct heard_event *event, struct mono_time now);
void slack_crowds_add(
    struct slack_crowds *crowds, const struct slack_post *post, const struct heard_event *event,
    int64_t line, struct wall_time seen, struct mono_time now);

/* The post that is due; false for none. */
bool slack_crowds_take(
    struct slack_crowds *crowds, struct mono_time now, struct slack_post *ret_post,
    int64_t *ret_line, struct wall_time *ret_seen);
/* When one will be; {0}: nobody waits. */
struct mono_time slack_crowds_due(const struct slack_crowds *crowds, struct mono_time now);

/* As of a queue's lane: `newest`, or before the first line that waits here. */
int64_t
slack_crowds_position(const struct slack_crowds *crowds, enum slack_lane lane, int64_t newest);

#endif
