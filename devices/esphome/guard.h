/* The quick half of the firmware: what cuts a relay though the main loop is busy (C7.3).
 *
 * A task of its own reads the Oops button and the card-present line each millisecond and writes the
 * relays' pins; the main loop asks for relays with guard_put. A press or a card that left is kept,
 * however short it was, until the loop has told the device of it: guard_look says what there is,
 * guard_told that it was told. Until then nothing that it cuts can be put on, and what was cut
 * stays off until it is put on anew.
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
    uint32_t presses; /* since the boot */
    uint32_t presses_told;
    uint32_t exits; /* how often a card left */
    uint32_t exits_told;
};

struct guard_news {
    bool pressed;     /* the button went down, and was not told */
    bool button_down; /* now */
    bool card_left;   /* the line opened, and was not told */
    bool card_in;     /* now; false without a line */
    uint32_t presses;
    uint32_t exits;
};

void guard_line_start(struct guard_line *line, bool raw, uint32_t now_ms);

/* One reading; true when the line is believed to have changed. */
bool guard_line_follow(struct guard_line *line, bool raw, uint32_t now_ms, uint32_t stable_ms);

/* Both relays off. The lines are believed as they are; a button that is down is a press. */
void guard_init(struct guard *guard, bool has_card_line, bool button, bool card, uint32_t now_ms);

/* One reading; `now_ms` may wrap. */
void guard_sample(struct guard *guard, bool button, bool card, uint32_t now_ms);

struct guard_news guard_look(const struct guard *guard);

/* The device knows `news`; what happened since guard_look stays. */
void guard_told(struct guard *guard, const struct guard_news *news);

/* What the device wants. It is not given what something cuts that it was not told of. */
void guard_put(
    struct guard *guard, const bool relays[DEVICE_RELAYS], const bool needs_card[DEVICE_RELAYS]);

#ifdef __cplusplus
}
#endif

#endif
