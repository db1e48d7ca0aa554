/* What Slack is told of an event, where, and in which words. Pure. */
#ifndef TAGOUT_WATCHER_SLACK_POLICY_H
#define TAGOUT_WATCHER_SLACK_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/watcher/heard_event.h"

#define SLACK_TEXT_SIZE 3000 /* Slack's own limit is a little above */
#define SLACK_POSTS_MAX 2

/* Each is kept in order and delivered on its own; storage is the control channel's, too, but what
 * needs a person's hand overtakes it. */
enum slack_lane {
    SLACK_CONTROL,
    SLACK_STORAGE,
    SLACK_ACTIVITY,
    SLACK_OOPS,
    SLACK_MACHINES, /* control's, too, once they have gathered (slack_crowds.h) */
    SLACK_RETURNS,
    SLACK_REBOOTS,
    SLACK_LANE_COUNT
};

struct slack_post {
    enum slack_lane lane;
    bool routine;               /* may be merged into "... and 37 more" before others are */
    char text[SLACK_TEXT_SIZE]; /* escaped */
};

/* Returns how many posts an event is worth. */
size_t
slack_posts_of(const struct heard_event *event, struct slack_post ret_posts[SLACK_POSTS_MAX]);

/* Text from outside cannot mention anybody or make a link: & < > are escaped, control characters
 * are blanks. */
void slack_add_escaped(struct text *out, const char *text);

#endif
