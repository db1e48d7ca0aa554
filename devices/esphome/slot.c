#include "devices/esphome/slot.h"

#include <string.h>

#define HELD_POLL_MS 400 /* how late a PN532 that is polled each 250 ms may be */
#define CONFIRM_MS 1500  /* C7.3 */

void slot_init(struct slot *slot, enum slot_kind kind)
{
    memset(slot, 0, sizeof *slot);
    slot->kind = kind;
}

uint32_t slot_confirm_ms(enum slot_kind kind)
{
    switch (kind) {
    case SLOT_LINE:
        return 0;
    case SLOT_REPEATING:
        return CONFIRM_MS - SLOT_SILENCE_MS;
    case SLOT_HELD:
        return CONFIRM_MS - HELD_POLL_MS;
    }
    return 0;
}

static void forget(struct slot *slot)
{
    slot->has_card = false;
    slot->card[0] = '\0';
}

void slot_tag(struct slot *slot, const char *card, uint64_t now_ms)
{
    size_t length = strlen(card);

    if (length == 0 || length >= sizeof slot->card) {
        return;
    }
    memcpy(slot->card, card, length + 1);
    slot->has_card = true;
    slot->read_ms = now_ms;
}

void slot_removed(struct slot *slot)
{
    if (slot->kind == SLOT_HELD) {
        forget(slot);
    }
}

void slot_line(struct slot *slot, bool in, bool left)
{
    /* What was read while the switch was closed belongs to the card that went. */
    if (left && slot->line) {
        forget(slot);
    }
    slot->line = in;
}

enum slot_reading slot_read(struct slot *slot, uint64_t now_ms)
{
    uint64_t age_ms = now_ms - slot->read_ms;

    if (slot->kind == SLOT_LINE && !slot->line) {
        if (slot->has_card && age_ms > SLOT_EARLY_MS) {
            forget(slot);
        }
        return SLOT_EMPTY;
    }
    if (slot->kind == SLOT_REPEATING && slot->has_card && age_ms > SLOT_SILENCE_MS) {
        forget(slot);
    }
    if (slot->has_card) {
        return SLOT_CARD;
    }
    return slot->kind == SLOT_LINE ? SLOT_UNKNOWN : SLOT_EMPTY;
}
