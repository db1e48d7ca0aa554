/* The card reader and the Oops button. */
#include <string.h>

#include "devices/device_inside.h"

/* A card went in, a card went out, or Oops was pressed: only an answer to the report that tells
 * of it can switch anything on (C7.1). */
static void mark_edge(struct device *device)
{
    device->changed = true;
    device->edge_seq = device_next_seq(device);
}

/* A card that was in before the press opens nothing any more, whatever the controller made of both
 * in one report: who wants the machine on again shows it by putting the card in again. */
static void press(struct device *device)
{
    device->keep.press = true;
    device->press_heard = false;
    device->emergency = false;
    device->card_emergency = false;
    device->card_seen = false;
    mark_edge(device);
    device->press_seq = device->edge_seq;
    device_cut(device, 0);
    device_cut(device, 1);
}

void device_input_boot(struct device *device, const struct device_boot *boot)
{
    device->reader = DEVICE_READER_UNKNOWN;
    device->reader_ok = true;
    device->out_ms = DEVICE_NEVER;
    device->empty_ms = DEVICE_NEVER;
    device->button_down = boot->button_down;
    if (boot->keep.press || boot->button_down) {
        press(device);
    }
}

static void card_gone(struct device *device)
{
    device->out_ms = DEVICE_NEVER;
    if (device->reader == DEVICE_READER_CARD) {
        device->card[0] = '\0';
        mark_edge(device);
        device_card_left(device);
    }
    device->reader = DEVICE_READER_UNKNOWN;
    device->seen_empty = false;
}

void device_input_time(struct device *device)
{
    if (device->now_ms >= device->out_ms) {
        card_gone(device);
    }
    if (device->now_ms >= device->empty_ms) {
        device->empty_ms = DEVICE_NEVER;
        device->reader = DEVICE_READER_EMPTY;
        device->seen_empty = true;
    }
}

static void copy_card(char to[DEVICE_CARD_SIZE], const char *from)
{
    size_t i;

    for (i = 0; i + 1 < DEVICE_CARD_SIZE && from[i]; i++) {
        to[i] = from[i];
        if (from[i] < 0x20 || from[i] > 0x7E) {
            to[i] = '?';
        }
    }
    to[i] = '\0';
}

void device_card_in(
    const struct device_config *config, struct device *device, const struct device_card *card)
{
    char number[DEVICE_CARD_SIZE];

    copy_card(number, card->card ? card->card : "");
    if (number[0] == '\0') {
        device_card_out(config, device);
        return;
    }
    device->out_ms = DEVICE_NEVER;
    device->empty_ms = DEVICE_NEVER;
    if (device->reader == DEVICE_READER_CARD && strcmp(number, device->card) == 0) {
        if (device->ask_again) {
            device->ask_again = false;
            device->changed = true;
        }
        return;
    }
    if (device->reader == DEVICE_READER_CARD) {
        device_card_left(device);
    }
    device->reader = DEVICE_READER_CARD;
    memcpy(device->card, number, sizeof number);
    device->card_seen = device->seen_empty;
    device->card_emergency = card->emergency;
    device->card_ms = device->now_ms;
    mark_edge(device);
    device->card_seq = device->edge_seq;
}

static uint64_t confirmed_ms(const struct device_config *config, const struct device *device)
{
    return device->now_ms + (config->card_present_line ? 0 : config->confirm_out_ms);
}

/* "Reads nothing" is believed when it has lasted: polled readers miss a card now and then. This
 * holds for the first reading after a boot too, lest a card that was in through a power cut pass
 * for one that was put in. */
void device_card_out(const struct device_config *config, struct device *device)
{
    if (device->reader == DEVICE_READER_EMPTY || device->empty_ms != DEVICE_NEVER) {
        return;
    }
    if (device->out_ms == DEVICE_NEVER) {
        device->out_ms = confirmed_ms(config, device);
    }
    if (device->reader_ok) {
        device->empty_ms = confirmed_ms(config, device);
    }
    device_input_time(device);
}

/* A polled reader that is lost can't tell when the card leaves, so a card that is in counts as on
 * its way out: a reader that hangs for a moment, as they do beside a starting motor, cuts nothing,
 * one that stays lost cuts what needs the card. A card-present line still tells, so there nothing
 * is cut. Either way a card that goes in meanwhile was not seen going in. */
void device_reader_lost(const struct device_config *config, struct device *device)
{
    if (!device->reader_ok) {
        return;
    }
    device->reader_ok = false;
    device->changed = true;
    device->empty_ms = DEVICE_NEVER;
    if (device->reader != DEVICE_READER_CARD) {
        card_gone(device);
    } else if (!config->card_present_line && device->out_ms == DEVICE_NEVER) {
        device->out_ms = confirmed_ms(config, device);
    }
}

void device_reader_back(struct device *device)
{
    if (!device->reader_ok) {
        device->reader_ok = true;
        device->changed = true;
    }
}

void device_button(struct device *device, bool down)
{
    if (device->button_down == down) {
        return;
    }
    device->button_down = down;
    device->changed = true;
    if (down) {
        press(device);
    }
}

void device_release_press(struct device *device)
{
    if (device->keep.press && device->press_heard && !device->button_down) {
        device->keep.press = false;
        device->press_heard = false;
        device->let_go_seq = device->press_seq;
        device->changed = true;
    }
}

void device_press_again(struct device *device)
{
    press(device);
}
