/* The quick half of the firmware: what cuts a relay though the main loop is busy (C7.3).
 *
 * A task of its own reads the Oops button and the card-present line each millisecond and writes the
 * relays' pins; the main loop asks for relays with guard_put and learns with guard_take what
 * happened. A press or a card that left is kept until the loop has taken it, however short it was,
 * and until then nothing that it cuts can be put on. What was cut stays off until it is put on
 * anew.
 *
 * No locks here: the caller holds one around each call and the pins that it writes after it.
 */
#ifndef TAGOUT_ESPHOME_GUARD_H
#define TAGOUT_ESPHOME_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How long a line must stand before it is believed: longer than the spikes of a starting motor,
 * shorter than any finger, and far within C7.3's 100 ms. */
#define GUARD_BUTTON_MS 5
#define GUARD_CARD_MS 20

struct guard_line {
    bool level; /* as believed */
    bool raw;   /* as read last */
    uint32_t since_ms;
};

struct guard {
    bool has_card_line;
    struct guard_line button; /* true: down */
    struct guard_line card;   /* true: a card is in */
    bool relay[DEVICE_RELAYS];
    bool needs_card[DEVICE_RELAYS];
    bool pressed;   /* since guard_take */
    bool card_left; /* since guard_take */
};

struct guard_news {
    bool pressed;     /* the button went down since the last call */
    bool button_down; /* now */
    bool card_left;   /* the line opened since the last call */
    bool card_in;     /* now; false without a line */
};

void guard_line_start(struct guard_line *line, bool raw, uint32_t now_ms);

/* One reading; true when the line is believed to have changed. */
bool guard_line_follow(struct guard_line *line, bool raw, uint32_t now_ms, uint32_t stable_ms);

/* Both relays off. The lines are believed as they are; a button that is down is a press. */
void guard_init(struct guard *guard, bool has_card_line, bool button, bool card, uint32_t now_ms);

/* One reading; `now_ms` may wrap. */
void guard_sample(struct guard *guard, bool button, bool card, uint32_t now_ms);

struct guard_news guard_take(struct guard *guard);

/* What the device wants. It is not given what has been cut since the last guard_take. */
void guard_put(
    struct guard *guard, const bool relays[DEVICE_RELAYS], const bool needs_card[DEVICE_RELAYS]);

#ifdef __cplusplus
}
#endif

#endif
