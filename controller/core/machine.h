/* One machine as the decisions see it: its configuration, its state, who holds the card.
 *
 * The state is a plain value without pointers: copying it is saving it. What people only read
 * (who locked it out and why, firmware, telemetry) is the daemon's business and not here.
 * Sources: C4, C8.1, C10.2.
 */
#ifndef TAGOUT_CORE_MACHINE_H
#define TAGOUT_CORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/time.h"
#include "controller/support/version.h"

#define CORE_NAME_SIZE 257 /* 64 characters of UTF-8 and the NUL (C10.2) */
#define CORE_BOOT_SIZE 33  /* C3 */
#define CORE_CARD_SIZE 33  /* a keyed hash in hexadecimal; never the number */
#define CORE_PAST_BOOTS 4  /* C3: boots that are remembered as superseded */

/* An authorization, interned by the configuration: equal numbers are equal strings. Numbers are
 * never used again for another string while the process lives, over reloads too. */
typedef uint32_t core_authorization;

struct core_authorizations {
    const core_authorization *items;
    size_t count;
};

struct core_second_relay_config {
    bool present; /* the rest means nothing without it */
    bool unauthorized_warn_only;
    bool always_enabled;
    struct core_authorizations authorizations_or;
};

/* C10.2, what decides. Borrowed from the loaded configuration. */
struct core_config {
    bool unauthorized_warn_only;
    bool always_enabled;
    struct core_authorizations authorizations_or;
    struct core_second_relay_config second_relay;
    bool mains_switched; /* `mains` "switched": falling silent is no error (C11.4) */
    bool has_idle_amps;
    double idle_amps;
};

/* A person, as far as a session keeps a copy ("goes on as it was opened", C4). */
struct core_user {
    char account_id[CORE_NAME_SIZE];
    char name[CORE_NAME_SIZE]; /* preferred_name */
};

/* The holder of a card in the loaded configuration. */
struct core_holder {
    struct core_user user;
    bool oops_override;
    struct core_authorizations authorizations;
};

/* What the machine is doing. Relay, display and LED follow from it and from nothing else
 * (core_mode_relay, and the texts of C4), so that they can't contradict each other. */
#define CORE_MODE_LIST(X)                                                                          \
    X(CORE_IDLE, "idle")                                                                           \
    X(CORE_IN_USE, "in_use")                                                                       \
    X(CORE_OVERRIDE, "override")                                                                   \
    X(CORE_EMERGENCY, "emergency")                                                                 \
    X(CORE_ALWAYS_ON, "always_on")                                                                 \
    X(CORE_DENIED, "denied")                                                                       \
    X(CORE_UNKNOWN_FOB, "unknown_fob")                                                             \
    X(CORE_OOPS, "oops")                                                                           \
    X(CORE_LOCKOUT, "lockout")

#define CORE_ENUM(name, word) name,
enum core_mode {
    CORE_MODE_LIST(CORE_ENUM) CORE_MODE_COUNT
};

/* `second_relay_authorization` (C4.7). */
#define CORE_SECOND_LIST(X)                                                                        \
    X(CORE_SECOND_NONE, NULL)                                                                      \
    X(CORE_SECOND_DENIED, "denied")                                                                \
    X(CORE_SECOND_GRANTED, "granted")                                                              \
    X(CORE_SECOND_WARN, "warn")                                                                    \
    X(CORE_SECOND_ALWAYS, "always_enabled")

enum core_second {
    CORE_SECOND_LIST(CORE_ENUM) CORE_SECOND_COUNT
};

/* What a relay was last seen to do (C3 `relay_state`), or said to be (C8.1 `confirmed`). */
#define CORE_OBSERVED_LIST(X)                                                                      \
    X(CORE_UNKNOWN, "unknown")                                                                     \
    X(CORE_OFF, "off")                                                                             \
    X(CORE_ON, "on")

enum core_observed {
    CORE_OBSERVED_LIST(CORE_ENUM) CORE_OBSERVED_COUNT
};

/* C11's health. A machine is live, and watched, while it is online, settling or suspect. */
#define CORE_HEALTH_LIST(X)                                                                        \
    X(CORE_HEALTH_UNKNOWN, "unknown")                                                              \
    X(CORE_HEALTH_ONLINE, "online")                                                                \
    X(CORE_HEALTH_SETTLING, "settling")                                                            \
    X(CORE_HEALTH_SUSPECT, "suspect")                                                              \
    X(CORE_HEALTH_ERROR, "error")                                                                  \
    X(CORE_HEALTH_OFFLINE, "offline")

enum core_health {
    CORE_HEALTH_LIST(CORE_ENUM) CORE_HEALTH_COUNT
};

/* Faults are a set of bits, in the order in which `faults` lists them. */
#define CORE_FAULT_LIST(X)                                                                         \
    X(CORE_FAULT_USER_REVOKED, "user_revoked")                                                     \
    X(CORE_FAULT_LINK_LOST, "link_lost")                                                           \
    X(CORE_FAULT_RELAY_STUCK_ON, "relay_stuck_on")                                                 \
    X(CORE_FAULT_RELAY_REFUSED, "relay_refused")                                                   \
    X(CORE_FAULT_TWIN, "twin")                                                                     \
    X(CORE_FAULT_READER_FAILED, "reader_failed")                                                   \
    X(CORE_FAULT_BOOT_LOOP, "boot_loop")                                                           \
    X(CORE_FAULT_CARD_FLOOD, "card_flood")

enum core_fault_index {
    CORE_FAULT_LIST(CORE_ENUM) CORE_FAULT_COUNT
};

#define CORE_FAULT(index) ((uint32_t)1 << (index))

#define CORE_RELAYS 2
#define CORE_LOOP_BOOTS 5 /* so many boots in 10 min are a boot loop */
#define CORE_STRANGERS 10 /* so many unknown cards in a minute are let pass */
#define CORE_TWIN_DROPS 3 /* C3: so many dropped reports in 60 s show a second device */

/* What a queued restart (C6, C11.5) waits for. */
enum core_waiting {
    CORE_WAITING_NONE,
    CORE_WAITING_LIFE, /* the next sign of life */
    CORE_WAITING_IDLE, /* that nobody uses the machine */
};

/* How one relay obeys (C11.7). Times are {0} until there is one. */
struct core_obedience {
    struct version commanded;      /* last version that changed what this relay must do */
    struct mono_time acked_at;     /* the first report that acknowledged it */
    struct mono_time refused_from; /* the first of the reports in a row that say off for on */
    uint8_t stuck_reports;         /* in a row that say on for off */
};

/* The watch over one machine (C11). Of this process only: none of it is saved, and the access
 * decisions look at none of it. */
struct core_watch {
    bool connected;   /* the controller itself; nothing is judged while it is not */
    bool lost;        /* `link` said so, and nothing was heard since */
    bool doubted;     /* since the last report: when what it tells of happened is not known */
    bool restarting;  /* we asked for a restart: a clean `offline` announces it */
    bool lock_wanted; /* a relay is stuck on: lockout as soon as it cuts nobody off */
    enum core_waiting waiting; /* a restart */
    bool waiting_force;
    uint8_t probes;    /* sent in the cycle under way, or in the last one */
    uint32_t probe_id; /* of the last probe */
    struct mono_time probed_at;
    struct mono_time connected_at;
    struct mono_time heard_at; /* last sign of life; {0}: none yet */
    struct wall_time heard_wall;
    struct mono_time quiet_until;  /* before then silence is no doubt */
    struct mono_time lost_at;      /* last time that `link` became `lost` */
    struct mono_time settle_until; /* C11.2 */
    struct mono_time waiting_until;
    struct core_obedience relays[CORE_RELAYS];
    uint8_t amps_reports;                    /* in a row over idle_amps */
    struct mono_time boots[CORE_LOOP_BOOTS]; /* newest first */
    struct mono_time drops[CORE_TWIN_DROPS]; /* likewise: reports that C3 dropped */
    char last_user[CORE_NAME_SIZE];          /* who used it last; "" for nobody known */
};

struct core_state {
    /* What decides. */
    enum core_mode mode;
    enum core_second second; /* in a session: as it was when the session was opened */
    bool second_relay;
    bool oopsed;
    bool locked_out;
    bool card_spent;           /* the card that is in opens nothing until it changes: it was in at
                                * a reboot, or when oops, lockout or the session ended */
    char card[CORE_CARD_SIZE]; /* "" for none */
    bool has_user;
    struct core_user user; /* of the session, or (always on) for the record */
    uint32_t faults;

    /* Which boot of the device this is, and how far it has told. */
    bool heard;                   /* a report was accepted since this process loaded the state */
    bool known;                   /* a report was accepted ever: the fields below mean something */
    char boot_id[CORE_BOOT_SIZE]; /* "" when the device has none */
    uint32_t seq;                 /* 0 when the device has none */
    double uptime_s;
    char past_boots[CORE_PAST_BOOTS][CORE_BOOT_SIZE]; /* newest first; this process's only */

    /* Unknown cards that were put in, newest first, and how long no card is read for there were too
     * many; this process's only. */
    struct mono_time strangers[CORE_STRANGERS];
    struct mono_time cards_ignored_until;

    struct version version;
    struct version switched; /* last version that changed relay, oops or lockout (C8.1) */

    /* What the device says its relays really do; never used in an access decision. */
    enum core_observed relay_seen;
    enum core_observed confirmed;
    struct mono_time reported_at; /* {0} until heard */
    struct version acked;

    enum core_health health;

    /* For people: C8.1. A monotonic start is {0} when another process opened the session. */
    struct wall_time session_since;
    struct mono_time session_started;
    struct wall_time last_report;
    struct wall_time last_update;
    struct wall_time booted_at;

    struct core_watch watch;
};

/* A machine of which nothing is known. */
void core_state_init(struct core_state *state);

/* The primary relay as commanded. */
bool core_mode_relay(enum core_mode mode);

/* The mode is a session with a person or an emergency card behind it. */
bool core_mode_is_session(enum core_mode mode);

/* A watch exists: online, settling or suspect. */
bool core_is_live(const struct core_state *state);

/* C5: whether the relay is on for a card and not because of `always_enabled` alone. */
bool core_needs_card(const struct core_state *state);
bool core_second_needs_card(const struct core_state *state);

/* Words of the wire, and back; the parsers return false for a word that is none of them.
 * core_second_text returns NULL for CORE_SECOND_NONE, which its parser takes in turn. */
const char *core_mode_text(enum core_mode mode);
bool core_mode_parse(const char *word, enum core_mode *ret_mode);
const char *core_second_text(enum core_second second);
bool core_second_parse(const char *word, enum core_second *ret_second);
const char *core_observed_text(enum core_observed observed);
const char *core_health_text(enum core_health health);
bool core_health_parse(const char *word, enum core_health *ret_health);
const char *core_fault_text(enum core_fault_index fault);
bool core_fault_parse(const char *word, enum core_fault_index *ret_fault);

#endif
