/* A terminal taken over for a live picture, and given back as it was.
 *
 * While it is taken, signals that end, stop or resize the program do not interrupt it: they wait
 * in a descriptor, so that the terminal is always given back first.
 */
#ifndef TAGOUT_CTL_SCREEN_H
#define TAGOUT_CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "controller/support/status.h"

struct screen {
    int fd; /* readable while a key or a signal waits */
    int signals;
    bool taken;
    bool has_keys;
    struct termios before;
    char *shown; /* the frame that is on the screen, NULL for none */
};

enum screen_event {
    SCREEN_NOTHING,
    SCREEN_RESIZED,
    SCREEN_QUIT,
};

/* To be called before any thread is started: signals that a thread lets through would not wait. */
MUST_USE enum status screen_open(struct screen *screen);
void screen_close(struct screen *screen);

void screen_take(struct screen *screen);
void screen_give_back(struct screen *screen);

void screen_size(size_t *ret_width, size_t *ret_height);

/* What waits in `fd`. Stops the program when the user wants that, and comes back after. */
enum screen_event screen_read(struct screen *screen);

/* Puts the frame's lines over what is there; a frame that is there already costs nothing. False
 * when the terminal is gone. */
bool screen_show(struct screen *screen, const char *frame);

#endif
