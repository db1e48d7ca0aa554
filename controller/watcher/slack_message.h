/* One message that waits for Slack, and its words. */
#ifndef TAGOUT_WATCHER_SLACK_MESSAGE_H
#define TAGOUT_WATCHER_SLACK_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/text.h"
#include "controller/support/time.h"
#include "controller/watcher/slack_bulletin.h"
#include "controller/watcher/slack_policy.h"

#define SLACK_LATE_MS 120000 /* older ones say how old they are */

struct slack_message {
    struct slack_message *next;
    enum slack_lane lane;
    int64_t line; /* its audit line; the first of them */
    struct wall_time seen;
    struct mono_time not_before;
    bool routine;
    uint32_t merged; /* over 0: stands for so many that found no room */
    uint32_t ticket; /* over 0: somebody waits for its outcome */
    unsigned tries;
    struct slack_bulletin *bulletin;
    char *text;
};

/* NULL when there is no memory. */
struct slack_message *slack_message_new(enum slack_lane lane, int64_t line, struct wall_time seen);
/* Takes NULL. */
void slack_message_free(struct slack_message *message);

void slack_message_text(
    const struct slack_message *message, struct wall_time now, struct text *out);
/* In a thread, but for everybody in the room. */
bool slack_message_is_for_all(const struct slack_message *message);

#endif
