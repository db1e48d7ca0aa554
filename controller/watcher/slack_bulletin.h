/* One message about an outage of storage: whatever alerts came before it could be sent, in one.
 * Pure. */
#ifndef TAGOUT_WATCHER_SLACK_BULLETIN_H
#define TAGOUT_WATCHER_SLACK_BULLETIN_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/text.h"
#include "controller/support/time.h"
#include "controller/watcher/alert.h"

#define SLACK_BULLETIN_NAMES 5

struct slack_bulletin {
    struct wall_time outage; /* which one; {0}: none */
    bool has_fleet;
    struct alert main;      /* the fleet's alert, the end, or else the first machine's */
    uint32_t machine_count; /* machines with an alert of their own */
    char names[SLACK_BULLETIN_NAMES][WATCHED_DISPLAY_SIZE];
};

void slack_bulletin_begin(struct slack_bulletin *bulletin, const struct alert *alert);

/* False when the alert wants a message of its own. */
bool slack_bulletin_merge(struct slack_bulletin *bulletin, const struct alert *alert);

/* Not escaped. */
void slack_bulletin_text(const struct slack_bulletin *bulletin, struct text *out);

#endif
