/* One simulated machine: the device of devices/device.h with hands at its card slot and button, a
 * contactor, a power cord, and a connection of its own; and all that can go wrong with these.
 *
 * The device decides everything that C7 decides. A box only carries out, and tells what happens
 * on its face. It is driven from one thread: box_turn whenever its descriptor is readable or the
 * time that box_turn gave has come.
 */
#ifndef TAGOUT_SIM_BOX_H
#define TAGOUT_SIM_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/mqtt.h"
#include "devices/device.h"
#include "devices/sim/cards.h"
#include "devices/sim/rivals.h"
#include "devices/sim/scenario.h"
#include "devices/sim/teller.h"
#include "topics/topic.h"

#define BOX_NEVER INT64_MAX
#define BOX_NOTES_SIZE 1024

/* What all boxes share; borrowed. */
struct box_world {
    const char *url;
    const char *username;
    const char *password;
    const char *ca_file;
    const char *prefix;
    struct device_config config; /* without the second relay */
    int64_t boot_ms;             /* from power to the first step */
    struct teller *teller;
    struct rivals *rivals;
    /* Something happened on a face. */
    void (*changed)(void *context);
    void *context;
};

enum box_power {
    BOX_OFF,
    BOX_BOOTING,
    BOX_RUNNING,
};

enum box_hang {
    BOX_SOUND,
    BOX_HUNG, /* TCP stays, as the network has a processor of its own */
    BOX_HUNG_WITH_PONGS,
};

enum box_contactor {
    BOX_OBEYS,
    BOX_STUCK_CLOSED, /* once closed it stays so */
    BOX_STUCK_OPEN,
};

struct box_link {
    struct mqtt *mqtt; /* NULL: no connection, and no attempt */
    struct inbox *inbox;
    bool in;          /* the broker has let it in, and not thrown it out */
    bool up;          /* connected and subscribed */
    bool cut;         /* nothing gets through */
    int64_t back_ms;  /* when a short loss is over; BOX_NEVER */
    int64_t flap_ms;  /* until when it goes on being lost; 0 */
    int64_t fail_ms;  /* when an attempt over a cut link has failed; BOX_NEVER */
    int64_t leave_ms; /* by when the last words are out; 0: not leaving */
    bool complained;  /* about the attempts that fail */
};

struct box {
    const struct box_world *world;
    char name[TOPIC_MACHINE_MAX + 1];
    struct device_config config;
    struct device device;
    struct device_keep keep;
    struct device_outputs face; /* as shown last */
    int64_t now_ms;
    int64_t deadline_ms; /* the device's */
    uint32_t seed;
    uint32_t boots;

    enum box_power power;
    int64_t boot_ms; /* when it is up, while booting */
    const char *reset_reason;
    enum box_hang hang;
    struct box_link link;

    bool has_card;
    struct sim_card card;
    bool button_down;
    int64_t release_ms; /* when a tapped button comes up; BOX_NEVER */
    bool reader_lost;
    enum box_contactor contactor;
    bool contact[DEVICE_RELAYS];
    double amps; /* below 0: as the contactor says */

    /* For expectations: what happened since box_forget. */
    char refusals[BOX_NOTES_SIZE];
    char events[BOX_NOTES_SIZE];
    uint32_t boots_before;
    struct json *state; /* the controller's, newest; or NULL */
};

MUST_USE enum status box_init(
    struct box *box, const struct box_world *world, const char *name, bool second_relay,
    uint32_t seed);
/* Without a goodbye, unless box_switch_off came first and is done. */
void box_free(struct box *box);

int box_fd(const struct box *box);

/* A connection `who` of the simulator's has come in, or has gone by the broker's will: says so once
 * it is certain that they throw each other out. */
void box_world_came(const struct box_world *world, const void *who, int64_t now_ms);
void box_world_went(const struct box_world *world, const void *who, int64_t now_ms);

/* Carries out what has come and what is due. Returns when it wants to be called at the latest. */
int64_t box_turn(struct box *box, int64_t now_ms);

/* ACTION_LIFE is not a box's. `card` is for ACTION_CARD_IN. */
void box_act(struct box *box, const struct scenario_step *step, const struct sim_card *card);

void box_card_in(struct box *box, const struct sim_card *card);
void box_card_out(struct box *box);
void box_button(struct box *box, bool down);
void box_tap(struct box *box); /* presses, and lets go a moment later */
void box_power_on(struct box *box);
void box_power_cut(struct box *box, const char *words);
/* A clean stop: `offline`, and then nothing. */
void box_switch_off(struct box *box);
/* Whether a clean stop has said its last words. */
bool box_is_gone(const struct box *box);

bool box_is_connecting(const struct box *box);
/* Connected, and its reader has been seen to be empty or to have a card. */
bool box_is_ready(const struct box *box);

void box_forget(struct box *box);
void box_note(char notes[BOX_NOTES_SIZE], const char *note);

/* The colour of the status LED, as a word. */
const char *box_light(const struct device_led *led);

/* Between the box's own files. */
void box_step(struct box *box, struct device_event event);
void box_read_card(struct box *box);
void box_show(struct box *box, const struct device_event *event, const struct device_outputs *now);
void box_say(const struct box *box, const char *what, enum tone tone, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void box_link_init(struct box_link *link);
void box_link_connect(struct box *box);
void box_link_drop(struct box *box); /* closes the socket without a goodbye */
void box_link_leave(struct box *box);
void box_link_publish(struct box *box, enum topic_id id, const char *payload, size_t length);
int64_t box_link_turn(struct box *box);

void box_send_report(struct box *box, const struct device_report *from);
void box_send_pong(struct box *box, uint32_t id);
/* A message for the device; not while it hangs. */
void box_take_message(struct box *box, enum topic_id id, const struct inbox_entry *entry);

#endif
