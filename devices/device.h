/* What the box at a machine does (C7): the whole of it, as one function.
 *
 * The simulator links this file and the ESP32 firmware includes the very same one, so it is
 * written in what C and C++ have in common. It reads no clock, does no I/O, allocates nothing and
 * keeps no globals: whoever calls it tells what happened and when, and carries out what comes
 * back.
 *
 * The caller's part: reading pins, the card reader and the broker's messages; JSON; the fixed
 * client id and last will, a clean session; keeping `struct device_keep` over a power cut; the
 * fields of a report that nothing here depends on (firmware, signal, temperature, current).
 *
 * How to call it: DEVICE_EVENT_BOOT first, then one event at a time, and DEVICE_EVENT_TICK no
 * later than `next_deadline_ms`. `relay` and `lcd` and the like are levels, to be put out after
 * every step; what is to be sent or done is for this step alone. Relays before messages.
 */
#ifndef TAGOUT_DEVICES_DEVICE_H
#define TAGOUT_DEVICES_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/device_text.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DEVICE_NEVER UINT64_MAX
#define DEVICE_RELAYS 2
#define DEVICE_CARD_SIZE 65    /* C3: 64 characters */
#define DEVICE_BOOT_ID_SIZE 33 /* C3: 32 characters */

#define DEVICE_LINK_GONE_MS 30000 /* C7.7 */
#define DEVICE_REBOOT_MS 90000
#define DEVICE_REBOOT_IDLE_MS 60000
#define DEVICE_REBOOT_AGAIN_MS 900000

struct device_config {
    uint32_t heartbeat_ms;          /* C7.4: 10000 */
    uint32_t on_window_ms;          /* C7.1: 5000 */
    uint32_t start_delay_ms;        /* C7.5: 10000 */
    uint32_t start_delay_random_ms; /* C7.5: up to this much more, 5000 */
    uint32_t reconnect_random_ms;   /* C7.6: up to this long before each attempt, 3000 */
    bool card_present_line;         /* the slot has a switch; else the reader is polled */
    uint32_t confirm_out_ms;        /* C7.3: how long a polled reader must read nothing, <= 1500 */
    bool second_relay;
    bool contact; /* DEVICE_EVENT_CONTACT tells what the relays really do */
};

/* The contract's values, for a polled reader. */
void device_config_default(struct device_config *config);

/* What outlives a power cut: to be written before anything else is done. */
struct device_keep {
    bool press;         /* an Oops press is latched (C7.3) */
    bool last_oops;     /* what the last command showed: bars emergency cards (C7.8) */
    bool last_lockout;  /* likewise */
    bool self_rebooted; /* the reboot under way is the device's own idea (C7.7) */
};

struct device_version {
    uint64_t epoch;
    uint32_t rev;
};

/* C5, parsed. */
struct device_command {
    bool relay;
    bool second_relay;
    const char *display; /* UTF-8, lines separated by \n; NULL as "" */
    bool oops_led;
    bool lockout;
    float rgb[3]; /* 0 to 1 */
    float brightness;
    bool needs_card;
    bool second_needs_card;
    const char *boot_id; /* NULL: null */
    uint32_t seq;        /* 0: null */
    struct device_version version;
};

enum device_event_type {
    DEVICE_EVENT_BOOT,
    DEVICE_EVENT_CARD_IN,  /* the reader reads this card; again and again does no harm */
    DEVICE_EVENT_CARD_OUT, /* the reader reads nothing: to be told once after boot and reader_back
                            * even when nothing changed, since only an insertion that was seen
                            * from empty opens a machine */
    DEVICE_EVENT_READER_LOST, /* the reader does not answer: it reads neither a card nor nothing */
    DEVICE_EVENT_READER_BACK,
    DEVICE_EVENT_BUTTON_DOWN, /* Oops; needs no debouncing */
    DEVICE_EVENT_BUTTON_UP,
    DEVICE_EVENT_CONTACT, /* where config says so: what the contactor really does */
    DEVICE_EVENT_COMMAND,
    DEVICE_EVENT_PROBE,
    DEVICE_EVENT_RESTART,
    DEVICE_EVENT_TICK,
    DEVICE_EVENT_LINK_UP,   /* connected to the broker and subscribed */
    DEVICE_EVENT_LINK_DOWN, /* disconnected, or an attempt to connect failed */
};

struct device_boot {
    const char *boot_id;     /* random for each boot, 1 to 32 characters */
    uint32_t seed;           /* for random delays: makes a run repeatable */
    struct device_keep keep; /* as stored last; all false on a new device */
    bool button_down;
};

struct device_card {
    const char *card; /* printable ASCII, at most 64 characters */
    bool emergency;   /* its salted hash is one of the device's emergency cards (C7.8) */
};

struct device_contact {
    bool relay;
    bool second_relay;
};

struct device_restart {
    uint32_t id;
    bool force;
};

struct device_event {
    enum device_event_type type;
    uint64_t now_ms; /* monotonic */
    union {
        struct device_boot boot;
        struct device_card card;
        struct device_contact contact;
        struct device_command command; /* an empty payload is no command (C7.2) */
        uint32_t probe_id;
        struct device_restart restart;
    };
};

/* Why a part of a command was not obeyed, with words for the log. */
#define DEVICE_REFUSAL_LIST(X)                                                                     \
    X(DEVICE_OBEYED, "obeyed")                                                                     \
    X(DEVICE_REFUSED_OTHER_BOOT, "it is for another boot")                                         \
    X(DEVICE_REFUSED_OLD_VERSION, "its version is older than the last applied")                    \
    X(DEVICE_REFUSED_OLD_SEQ, "it answers a report from before the last card or press")            \
    X(DEVICE_REFUSED_BUTTON_DOWN, "the Oops button is down")                                       \
    X(DEVICE_REFUSED_PRESS_LATCHED, "an Oops press is latched")                                    \
    X(DEVICE_REFUSED_NO_SECOND_RELAY, "there is no second relay")                                  \
    X(DEVICE_REFUSED_FIRST_RELAY_OFF, "the first relay is off")                                    \
    X(DEVICE_REFUSED_NO_CARD, "no card is in")                                                     \
    X(DEVICE_REFUSED_CARD_LEAVING, "the card may be on its way out")                               \
    X(DEVICE_REFUSED_CARD_NOT_SEEN, "the card was not seen going in since the boot or a press")    \
    X(DEVICE_REFUSED_WINDOW, "the card went in too long ago")                                      \
    X(DEVICE_REFUSED_RELAY_ON, "a relay is on")

#define DEVICE_ENUM(id, text) id,
enum device_refusal {
    DEVICE_REFUSAL_LIST(DEVICE_ENUM) DEVICE_REFUSAL_COUNT
};
#undef DEVICE_ENUM

const char *device_refusal_text(enum device_refusal refusal);

/* C3, as far as it is known here. */
struct device_report {
    uint32_t seq;
    uint64_t uptime_ms;
    char boot_id[DEVICE_BOOT_ID_SIZE];
    bool oops;
    char card[DEVICE_CARD_SIZE]; /* "" for none; never to be displayed or logged (C7.9) */
    bool has_ack;
    struct device_version ack;
    bool ack_oops;
    bool ack_lockout;
    bool relay_state;
    bool has_second_relay;
    bool second_relay_state;
    bool feedback_is_contact;
    bool emergency;
    bool reader_ok;
};

struct device_led {
    float rgb[3];
    float brightness;
    bool blink;
};

enum device_link_word {
    DEVICE_LINK_UNCHANGED,
    DEVICE_LINK_ONLINE, /* publish `online` */
    DEVICE_LINK_OFFLINE /* publish `offline`, then disconnect */
};

struct device_outputs {
    /* Levels. */
    bool relay[DEVICE_RELAYS];
    char lcd[DEVICE_LCD_LINES][DEVICE_LCD_COLUMNS + 1]; /* printable ASCII */
    bool oops_led;
    bool oops_led_blink;
    struct device_led status_led;
    uint64_t next_deadline_ms; /* a tick is wanted then; DEVICE_NEVER */

    /* For this step. */
    bool save; /* write `keep` to flash, first of all */
    struct device_keep keep;
    enum device_link_word link;
    bool send_report;
    struct device_report report;
    bool send_pong;
    uint32_t pong_id;
    bool connect; /* try to connect to the broker now */
    bool reboot;  /* after everything else */

    /* For the log: what of this step's command or restart was not done. */
    enum device_refusal refused[DEVICE_RELAYS];
    bool refused_on[DEVICE_RELAYS]; /* it was an "on"; else an "off" */
    enum device_refusal refused_restart;
};

enum device_reader {
    DEVICE_READER_UNKNOWN, /* nothing was read since the boot, or since the reader was lost */
    DEVICE_READER_EMPTY,
    DEVICE_READER_CARD,
};

struct device_relay {
    bool on;
    bool needs_card;    /* as the last command said */
    uint64_t start_ms;  /* C7.5: when it goes on; DEVICE_NEVER: it doesn't */
    uint32_t start_seq; /* of the newest "on" that agreed to it */
};

/* Private to devices/; a plain value, so that copying it is saving it. */
struct device {
    bool running; /* between boot and reboot */
    uint64_t now_ms;
    uint64_t boot_ms;
    uint32_t random;
    char boot_id[DEVICE_BOOT_ID_SIZE];
    struct device_keep keep;
    bool reboot_again; /* this boot was the device's own idea: the next is not soon */
    uint64_t busy_ms;  /* when a relay, a card or the button was last in use */

    enum device_reader reader;
    bool reader_ok;
    bool seen_empty;   /* the reader was seen empty since the boot and since it was lost */
    uint64_t out_ms;   /* when the card counts as gone unless it is read; DEVICE_NEVER */
    uint64_t empty_ms; /* when the reader counts as seen empty unless a card is read; likewise */
    bool ask_again;    /* an "on" came while the card seemed to leave */
    char card[DEVICE_CARD_SIZE];
    bool card_seen;      /* it was seen going in, and Oops was not pressed since */
    bool card_emergency; /* it may open an emergency session */
    uint64_t card_ms;    /* when it went in */
    bool emergency;      /* C7.8: a session is open */

    bool button_down;
    bool press_heard; /* the controller showed that it knows of the latched press */

    bool connected;
    uint64_t connect_ms; /* when the next attempt is due */
    uint32_t connects;
    bool changed;      /* something that is to be reported at once */
    bool ack_changed;  /* something that makes a repeated report a new one */
    uint32_t seq;      /* of the last report */
    uint32_t edge_seq; /* of the newest that told of a card in, a card out or a press */
    uint32_t card_seq; /* of the one that told of the card that is in */
    uint32_t press_seq;
    uint32_t let_go_seq; /* of a press that was let go, and not cleared since; 0: none */
    uint32_t answered_seq;
    uint64_t sent_ms;
    uint32_t repeats;
    uint64_t commanded_ms; /* when the first command since came */
    bool told_relay[DEVICE_RELAYS];

    bool has_applied;
    struct device_version applied;
    uint32_t applied_seq;
    bool shown_oops;
    bool shown_lockout;
    char shown[DEVICE_LCD_LINES][DEVICE_LCD_COLUMNS + 1];
    struct device_led shown_led;
    bool again;          /* only the window was missed */
    uint64_t command_ms; /* the last sign of a controller */

    struct device_relay relays[DEVICE_RELAYS];
    bool contact[DEVICE_RELAYS];
};

/* One event. `outputs` is written whole. Time that runs backwards counts as standing still. */
void device_step(
    const struct device_config *config, struct device *device, const struct device_event *event,
    struct device_outputs *outputs);

#ifdef __cplusplus
}
#endif

#endif
