#include "devices/sim/box.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define INBOX_BYTES 16384
#define BOOT_ID_DIGITS 8

enum status box_init(
    struct box *box, const struct box_world *world, const char *name, bool second_relay,
    uint32_t seed)
{
    memset(box, 0, sizeof *box);
    box->world = world;
    text_copy(box->name, sizeof box->name, name);
    box->config = world->config;
    box->config.second_relay = second_relay;
    box->config.contact = true;
    box->seed = seed;
    box->deadline_ms = BOX_NEVER;
    box->boot_ms = BOX_NEVER;
    box->release_ms = BOX_NEVER;
    box->amps = -1;
    box->reset_reason = "power on";
    box_link_init(&box->link);
    return inbox_new((struct inbox_limits){.bytes = INBOX_BYTES}, &box->link.inbox);
}

void box_free(struct box *box)
{
    mqtt_free(box->link.mqtt);
    inbox_free(box->link.inbox);
    json_free(box->state);
}

int box_fd(const struct box *box)
{
    return inbox_fd(box->link.inbox);
}

void box_say(const struct box *box, const char *what, enum tone tone, const char *format, ...)
{
    char words[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    teller_say(box->world->teller, box->name, what, tone, "%s", words);
}

void box_note(char notes[BOX_NOTES_SIZE], const char *note)
{
    struct text text = {.data = notes, .size = BOX_NOTES_SIZE, .length = strlen(notes)};

    text_addf(&text, "%s\n", note);
}

void box_forget(struct box *box)
{
    box->refusals[0] = '\0';
    box->events[0] = '\0';
    box->boots_before = box->boots;
}

static bool contact_of(const struct box *box, int relay, bool output)
{
    if (relay == 0 && box->contactor == BOX_STUCK_OPEN) {
        return false;
    }
    if (relay == 0 && box->contactor == BOX_STUCK_CLOSED) {
        return output || box->contact[0];
    }
    return output;
}

/* True when a contact moved. */
static bool move_contacts(struct box *box, const bool outputs[DEVICE_RELAYS])
{
    bool moved = false;

    for (int i = 0; i < DEVICE_RELAYS; i++) {
        bool contact = contact_of(box, i, outputs[i]);
        moved = moved || contact != box->contact[i];
        box->contact[i] = contact;
    }
    return moved;
}

static void go_dark(struct box *box)
{
    const bool off[DEVICE_RELAYS] = {false};
    const struct device_outputs dark = {0};
    const struct device_event nothing = {.type = DEVICE_EVENT_TICK};

    move_contacts(box, off);
    box_show(box, &nothing, &dark);
    box->deadline_ms = BOX_NEVER;
}

static void start_booting(struct box *box, const char *reason)
{
    box->power = BOX_BOOTING;
    box->boot_ms = box->now_ms + box->world->boot_ms;
    box->reset_reason = reason;
}

/* Relays before messages, and what is to be remembered before both. */
static void carry_out(struct box *box, const struct device_outputs *outputs)
{
    if (outputs->link == DEVICE_LINK_ONLINE) {
        box_link_publish(box, TOPIC_LINK, "online", strlen("online"));
    }
    if (outputs->send_report) {
        box_send_report(box, &outputs->report);
    }
    if (outputs->send_pong) {
        box_send_pong(box, outputs->pong_id);
    }
    if (outputs->link == DEVICE_LINK_OFFLINE) {
        box_link_publish(box, TOPIC_LINK, "offline", strlen("offline"));
        box_link_leave(box);
    } else if (outputs->reboot) {
        box_link_drop(box);
    }
    if (outputs->connect) {
        box_link_connect(box);
    }
}

void box_step(struct box *box, struct device_event event)
{
    struct device_outputs outputs;
    bool moved;

    if (box->power != BOX_RUNNING || box->hang != BOX_SOUND) {
        return;
    }
    event.now_ms = (uint64_t)box->now_ms;
    device_step(&box->config, &box->device, &event, &outputs);
    if (outputs.save) {
        box->keep = outputs.keep;
    }
    moved = move_contacts(box, outputs.relay);
    box_show(box, &event, &outputs);
    box->deadline_ms =
        outputs.next_deadline_ms == DEVICE_NEVER ? BOX_NEVER : (int64_t)outputs.next_deadline_ms;
    carry_out(box, &outputs);
    if (outputs.reboot) {
        box_say(box, "power", TONE_WARN, "reboots");
        go_dark(box);
        start_booting(box, "software");
    } else if (moved) {
        box_step(
            box, (struct device_event){
                     .type = DEVICE_EVENT_CONTACT,
                     .contact = {.relay = box->contact[0], .second_relay = box->contact[1]}});
    }
}

void box_read_card(struct box *box)
{
    struct device_event event = {.type = DEVICE_EVENT_CARD_OUT};

    if (box->reader_lost) {
        return;
    }
    if (box->has_card) {
        event.type = DEVICE_EVENT_CARD_IN;
        event.card.card = box->card.number;
        event.card.emergency = box->card.emergency;
    }
    box_step(box, event);
}

static void boot(struct box *box)
{
    struct device_event event = {.type = DEVICE_EVENT_BOOT};
    char boot_id[BOOT_ID_DIGITS + 1];
    uint32_t random = 0;

    /* Never from the seed: a boot id that came before is one that the controller drops. */
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = (uint32_t)box->now_ms;
    }
    (void)snprintf(boot_id, sizeof boot_id, "%0*x", BOOT_ID_DIGITS, random);
    box->power = BOX_RUNNING;
    box->boot_ms = BOX_NEVER;
    box->boots++;
    event.boot.boot_id = boot_id;
    event.boot.seed = box->seed + box->boots * 2654435761U;
    event.boot.keep = box->keep;
    event.boot.button_down = box->button_down;
    box_say(box, "power", TONE_DIM, "boots");
    box_step(box, event);
    if (box->reader_lost) {
        box_step(box, (struct device_event){.type = DEVICE_EVENT_READER_LOST});
    }
    box_read_card(box);
    if (box->contact[0] || box->contact[1]) {
        box_step(
            box, (struct device_event){
                     .type = DEVICE_EVENT_CONTACT,
                     .contact = {.relay = box->contact[0], .second_relay = box->contact[1]}});
    }
}

void box_power_on(struct box *box)
{
    if (box->power == BOX_OFF) {
        box_link_drop(box); /* in case that a clean stop still speaks */
        start_booting(box, "power on");
    }
}

void box_power_cut(struct box *box, const char *words)
{
    box_say(box, "power", TONE_BAD, "%s", words);
    box->power = BOX_OFF;
    box->boot_ms = BOX_NEVER;
    box->hang = BOX_SOUND;
    box_link_drop(box);
    go_dark(box);
}

void box_switch_off(struct box *box)
{
    if (box->power == BOX_RUNNING && box->link.up) {
        box_link_publish(box, TOPIC_LINK, "offline", strlen("offline"));
        box_link_leave(box);
    } else if (box->link.leave_ms == 0) {
        box_link_drop(box);
    }
    box->power = BOX_OFF;
    box->boot_ms = BOX_NEVER;
    box->hang = BOX_SOUND;
    go_dark(box);
}

bool box_is_gone(const struct box *box)
{
    return box->link.mqtt == NULL;
}

bool box_is_connecting(const struct box *box)
{
    return box->link.mqtt != NULL && !box->link.up && box->link.leave_ms == 0;
}

bool box_is_ready(const struct box *box)
{
    return box->link.up && box->device.reader != DEVICE_READER_UNKNOWN;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t box_turn(struct box *box, int64_t now_ms)
{
    int64_t next;

    box->now_ms = now_ms;
    if (box->power == BOX_BOOTING && now_ms >= box->boot_ms) {
        boot(box);
    }
    next = box_link_turn(box);
    if (now_ms >= box->release_ms) {
        box_button(box, false);
    }
    if (box->hang == BOX_SOUND && now_ms >= box->deadline_ms) {
        box_step(box, (struct device_event){.type = DEVICE_EVENT_TICK});
    }
    next = earlier(next, earlier(box->boot_ms, box->release_ms));
    return box->hang == BOX_SOUND ? earlier(next, box->deadline_ms) : next;
}
