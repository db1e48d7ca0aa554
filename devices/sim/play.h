/* Carries out scenario lines, one after the other, and watches what they expect.
 *
 * Pure but for what it is lent: boxes, the observer, the teller. Lines come from a file, or while
 * it runs from a pipe.
 */
#ifndef TAGOUT_SIM_PLAY_H
#define TAGOUT_SIM_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/sim/box.h"
#include "devices/sim/cards.h"
#include "devices/sim/observer.h"
#include "devices/sim/scenario.h"

#define PLAY_ANSWER_SIZE 4097
#define PLAY_EXPLAINED_SIZE 1024
#define PLAY_ALERTS_SIZE 4096

struct play_line;

struct play {
    struct box *boxes;
    size_t box_count;
    const struct cards *cards;
    struct observer *observer;
    struct teller *teller;
    /* ACTION_LIFE. */
    void (*life)(void *context, size_t box, double per_hour);
    void *context;
    double pace;  /* `wait`s last this many times as long */
    bool goes_on; /* after a failure */

    struct play_line *first; /* the one that is under way, or next */
    struct play_line **last;
    bool begun;       /* the first line is under way */
    int64_t since_ms; /* since when */
    int64_t done_ms;  /* when the line before was done */
    int64_t start_ms;
    bool met; /* what is expected was so for a moment, or was not so where it had to be */
    char explained[PLAY_EXPLAINED_SIZE]; /* what was so instead, when it was not */
    char answer[PLAY_ANSWER_SIZE];       /* the newest to a request; "" */
    char alerts[PLAY_ALERTS_SIZE]; /* since the last that was expected: KIND TEXT, a line each */
    unsigned failures;
    bool stop; /* a `stop` was reached */
};

void play_init(struct play *play, int64_t now_ms);
void play_free(struct play *play);

/* Parses a line, checks its machines and cards, and appends it. `file` is borrowed for good. */
MUST_USE enum status
play_add(struct play *play, const char *file, unsigned number, const char *line, struct text *why);
MUST_USE enum status play_add_file(struct play *play, const char *path, struct text *why);

/* Carries out what is due. Returns when it wants to be called at the latest. */
int64_t play_turn(struct play *play, int64_t now_ms);

/* Something has just changed: an expectation that is under way looks at it at once, so that no
 * moment is too short. */
void play_look(struct play *play);

/* An alert was told on `fleet/alert`. */
void play_hear_alert(struct play *play, const char *kind, const char *text);

bool play_is_done(const struct play *play);

/* Throws away what has not been carried out. */
void play_clear(struct play *play);

#endif
