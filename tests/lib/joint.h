/* A device, the network and the controller's core together, as one state that can be explored.
 *
 * The device is devices/device.c, the controller is core_decide(); between them are up to two
 * reports and two commands that may come in any order, any number of times, or never. A message in
 * flight is not removed when it is delivered (so it may come again), and being lost is the same as
 * not being delivered; when a third is sent, any of the three may be the one to go.
 *
 * Two things are taken from MQTT: a report of an older boot does not come after one of a newer boot
 * was heard, and a device that is not connected gets nothing. So what is left of an older boot's
 * reports can as well have come before the power cut, and they need not be followed.
 *
 * So that there are finitely many states, sequence numbers, versions and boots are replaced by
 * their order, and time passes in steps that are a little longer than `on_window_s`.
 */
#ifndef TAGOUT_TESTS_LIB_JOINT_H
#define TAGOUT_TESTS_LIB_JOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOINT_FLIGHT 2
#define JOINT_BOOT 2     /* the device's present boot */
#define JOINT_OLD_BOOT 1 /* any before it; 0 is none */

enum joint_card {
    JOINT_NO_CARD,
    JOINT_MEMBER,
    JOINT_STRANGER, /* unknown to the controller; in some worlds an emergency card */
};

/* What can happen, in which kind of shop, and what is broken in its device. */
struct joint_world {
    const char *name;
    bool member;    /* may use the machine */
    bool stranger;  /* may not */
    bool always;    /* `always_enabled` is switched on and off by reloads */
    bool override;  /* the member may override oops and lockout */
    bool emergency; /* the stranger's is an emergency card, and links can be gone */
    bool lockout;   /* people lock out and unlock */
    bool offline;   /* the device may lose its link and come back */
    bool hold;      /* the button may be held; else it is up again at once */
    bool loss;      /* the controller may lose its state */

    bool without_on_seq;
    bool without_off_seq;
    bool without_off_version;
    bool without_latch;
    bool without_delay;
    bool without_window;
    bool without_seen_empty;
};

struct joint_report {
    uint8_t seq; /* 0: no message */
    uint8_t card;
    uint8_t oops;
    uint8_t emergency;
    uint8_t ack_oops;
    uint8_t ack_lockout;
    uint8_t tells_card;  /* of the card that is in now, as it was put in last */
    uint8_t tells_press; /* of a press that the controller has not heard of */
};

struct joint_command {
    uint8_t used;
    uint8_t own; /* for the device's present boot */
    uint8_t seq;
    uint8_t version;
    uint8_t relay;
    uint8_t oops;
    uint8_t lockout;
    uint8_t needs_card;
    uint8_t knows_card; /* made after a report that told of the card that is in now */
};

/* Only bytes, so that equal states are equal memory. */
struct joint_device {
    uint8_t press, press_heard, button;
    uint8_t last_oops, last_lockout;
    uint8_t reader, seen_empty, card, card_seen, card_emergency, card_young, emergency;
    uint8_t connected, gone;
    uint8_t seq, edge_seq, card_seq, press_seq;
    uint8_t has_applied, applied, shown_oops, shown_lockout;
    uint8_t on, needs_card, starting, start_seq;
};

struct joint_core {
    uint8_t mode, oopsed, locked_out, spent, card, has_user;
    uint8_t known, boot, seq, version;
    uint8_t always; /* its configuration's `always_enabled` */
};

/* What neither of them knows, and the properties are about. */
struct joint_truth {
    uint8_t inserted; /* a card was put in after the last boot, press and card-out */
    uint8_t young;    /* ... at most `on_window_s` ago */
    uint8_t owed;     /* a press that the controller has not heard of */
    uint8_t stopped;  /* a press that nobody has cleared since */
    uint8_t core_knows_card;
};

struct joint {
    struct joint_device device;
    struct joint_core core;
    struct joint_truth truth;
    struct joint_report reports[JOINT_FLIGHT];
    struct joint_command commands[JOINT_FLIGHT];
};

enum joint_event {
    /* At the device. */
    JOINT_MEMBER_IN,
    JOINT_STRANGER_IN,
    JOINT_CARD_OUT,
    JOINT_PRESS,
    JOINT_RELEASE,
    JOINT_TIME,
    JOINT_HEARTBEAT,
    JOINT_LINK_GONE,
    JOINT_POWER_CUT,
    JOINT_LINK_UP,
    JOINT_LINK_DOWN,
    JOINT_COMMAND_0,
    JOINT_COMMAND_1,
    /* At the controller. */
    JOINT_REPORT_0,
    JOINT_REPORT_1,
    JOINT_REPORT_0_LATE, /* it knows nothing, and hears of a device that booted long ago */
    JOINT_REPORT_1_LATE,
    JOINT_SET_OOPS,
    JOINT_CLEAR_OOPS,
    JOINT_SET_LOCKOUT,
    JOINT_CLEAR_LOCKOUT,
    JOINT_END,
    JOINT_RELOAD,
    JOINT_CONTROLLER_RESTART,
    JOINT_CONTROLLER_LOSS,
    JOINT_EVENT_COUNT,
};

/* The properties. */
#define JOINT_INSERTION                                                                            \
    "after a press, a card-out or a boot, what needs a card is on only after an insertion"
#define JOINT_WINDOW "what needs a card goes on at most on_window_s after the insertion"
#define JOINT_STRANGERS "a stranger's card runs nothing"
#define JOINT_DELAY "what needs no card starts after its delay"
#define JOINT_STALE_OFF "a stale off never cuts"
#define JOINT_LATCH "a press is told until the controller has heard of it"
#define JOINT_HEARD "a press that the controller hears of ends oopsed"
#define JOINT_STOPPED "after a press nothing is on until it is cleared, but by an override"

const char *joint_event_text(enum joint_event event);

/* ---- the two ends ---- */

/* What an end does with an event, from what it is and the message that it gets, and nothing else.
 */
struct joint_device_step {
    struct joint_device after;
    struct joint_report report; /* `seq` is 0 for none; what it tells of is not filled in */
    uint8_t refused;
};

struct joint_core_step {
    struct joint_core after;
    struct joint_command command; /* `used` is 0 for none; what it knows of is not filled in */
    uint8_t dropped;
};

void joint_device_step(
    const struct joint_world *world, enum joint_event event, const struct joint_device *before,
    const struct joint_command *command, struct joint_device_step *ret_step);

void joint_core_step(
    const struct joint_world *world, enum joint_event event, const struct joint_core *before,
    const struct joint_report *report, struct joint_core_step *ret_step);

/* ---- all together ---- */

/* The state with everything left out that no future depends on. */
void joint_reduce(const struct joint_world *world, struct joint *joint);

/* Some lines about a state, for a failure. */
void joint_print(const struct joint *joint);

struct joint_findings {
    size_t states;
    size_t steps;
    size_t started_by_card; /* that something happens at all */
    size_t started_alone;
    size_t refused;
    const char *broken; /* the first property that a step breaks, or NULL */
};

/* Goes everywhere from a device that has booted beside a controller that knows nothing, until all
 * was seen or a property is broken; then prints how, with `tell`. */
void joint_explore(const struct joint_world *world, bool tell, struct joint_findings *ret_findings);

#endif
