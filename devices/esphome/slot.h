/* What the card readers tell, made into what the device wants to know: which card is in now.
 *
 * Each kind of reader tells of cards in a way of its own, and none of them tells all of it.
 */
#ifndef TAGOUT_ESPHOME_SLOT_H
#define TAGOUT_ESPHOME_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum slot_kind {
    SLOT_LINE, /* any reader, above all Wiegand, that tells a card once: a switch in the slot tells
                * that it is in */
    SLOT_REPEATING, /* RDM6300: tells the card again and again while it is there */
    SLOT_HELD,      /* PN532: tells when a card comes and when it goes */
};

/* A Wiegand reader may see the card before it has closed the switch. */
#define SLOT_EARLY_MS 1000
/* An RDM6300 repeats a card about each 65 ms. */
#define SLOT_SILENCE_MS 300

enum slot_reading {
    SLOT_EMPTY,
    SLOT_CARD,
    SLOT_UNKNOWN, /* a card is in, and which is not known: it was in at the boot, or is unreadable
                   */
};

struct slot {
    enum slot_kind kind;
    bool line;
    bool has_card;
    char card[DEVICE_CARD_SIZE];
    uint64_t read_ms;
};

void slot_init(struct slot *slot, enum slot_kind kind);

/* How long the device must wait, after a slot that reads empty, until the card is gone: with what
 * the reader takes to tell, it is C7.3's 1.5 s. */
uint32_t slot_confirm_ms(enum slot_kind kind);

/* The reader tells a card; one that is no text of 1 to 64 characters is ignored. */
void slot_tag(struct slot *slot, const char *card, uint64_t now_ms);

/* The reader tells that the card went; where there is a switch it knows better. */
void slot_removed(struct slot *slot);

/* The switch; `left` if it was open at any time since the last call. */
void slot_line(struct slot *slot, bool in, bool left);

/* slot->card is the card when it says SLOT_CARD. */
enum slot_reading slot_read(struct slot *slot, uint64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
