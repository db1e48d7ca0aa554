/* What a decision asks of the world. The loop carries it out in the order: command, then state and
 * notices, then save, then counters. Nothing that a person waits for stands behind storage. */
#ifndef TAGOUT_CORE_EFFECT_H
#define TAGOUT_CORE_EFFECT_H

#include "controller/core/machine.h"

/* A single decision makes no more notices than this; the tests watch it. */
#define CORE_NOTICES_MAX 12

/* C8.2 `event_type`. */
#define CORE_NOTICE_LIST(X)                                                                        \
    X(CORE_NOTICE_LOGIN, "login")                                                                  \
    X(CORE_NOTICE_LOGOUT, "logout")                                                                \
    X(CORE_NOTICE_DENIED, "denied")                                                                \
    X(CORE_NOTICE_UNKNOWN_FOB, "unknown_fob")                                                      \
    X(CORE_NOTICE_REFUSED, "refused")                                                              \
    X(CORE_NOTICE_OVERRIDE_LOGIN, "override_login")                                                \
    X(CORE_NOTICE_EMERGENCY_LOGIN, "emergency_login")                                              \
    X(CORE_NOTICE_OOPS, "oops")                                                                    \
    X(CORE_NOTICE_UNOOPS, "unoops")                                                                \
    X(CORE_NOTICE_LOCKOUT, "lockout")                                                              \
    X(CORE_NOTICE_UNLOCK, "unlock")                                                                \
    X(CORE_NOTICE_REBOOT, "reboot")                                                                \
    X(CORE_NOTICE_LINK_LOST, "link_lost")                                                          \
    X(CORE_NOTICE_MACHINE_ERROR, "machine_error")                                                  \
    X(CORE_NOTICE_MACHINE_RECOVERED, "machine_recovered")                                          \
    X(CORE_NOTICE_MACHINE_OFFLINE, "machine_offline")                                              \
    X(CORE_NOTICE_FAULT, "fault")                                                                  \
    X(CORE_NOTICE_FAULT_CLEARED, "fault_cleared")

enum core_notice_type {
    CORE_NOTICE_LIST(CORE_ENUM) CORE_NOTICE_COUNT
};

/* C8.2 `source`. The daemon says "set" or "request" for what comes from outside. */
#define CORE_SOURCE_LIST(X)                                                                        \
    X(CORE_SOURCE_CARD, "card")                                                                    \
    X(CORE_SOURCE_BUTTON, "button")                                                                \
    X(CORE_SOURCE_OUTSIDE, "request")                                                              \
    X(CORE_SOURCE_REBOOT, "reboot")                                                                \
    X(CORE_SOURCE_LIVENESS, "liveness")                                                            \
    X(CORE_SOURCE_CONFIG, "config")

enum core_source {
    CORE_SOURCE_LIST(CORE_ENUM) CORE_SOURCE_COUNT
};

/* C8.2 `reason`: why a session ended. */
#define CORE_REASON_LIST(X)                                                                        \
    X(CORE_REASON_NONE, NULL)                                                                      \
    X(CORE_REASON_CARD_REMOVED, "card_removed")                                                    \
    X(CORE_REASON_CARD_SWAPPED, "card_swapped")                                                    \
    X(CORE_REASON_OOPS, "oops")                                                                    \
    X(CORE_REASON_UNOOPS, "unoops")                                                                \
    X(CORE_REASON_LOCKOUT, "lockout")                                                              \
    X(CORE_REASON_UNLOCK, "unlock")                                                                \
    X(CORE_REASON_REBOOT, "reboot")                                                                \
    X(CORE_REASON_OFFLINE, "offline")                                                              \
    X(CORE_REASON_ENDED, "ended")                                                                  \
    X(CORE_REASON_CONFIG, "config")

enum core_reason {
    CORE_REASON_LIST(CORE_ENUM) CORE_REASON_COUNT
};

struct core_notice {
    enum core_notice_type type;
    enum core_source source;
    enum core_reason reason; /* logout */
    bool warn_only;          /* login: only the setting let them in */
    bool has_user;
    struct core_user user;       /* who: of the session, or the holder of the card */
    enum core_mode session;      /* logout: what kind of session it was */
    int64_t session_ms;          /* logout */
    bool approximate;            /* logout: measured by the wall clock, over a restart (C8.2) */
    enum core_fault_index fault; /* fault, fault_cleared */
    /* link_lost, machine_error, machine_recovered, machine_offline: when it was last heard before,
     * {0} for unknown, and who used it last, "" for nobody known. `user` is there with a session
     * only. */
    struct wall_time since;
    char last_user[CORE_NAME_SIZE];
};

/* What becomes of a restart (C6, C11.5). After CORE_EVENT_RESTART one of these, never NONE; one
 * that was QUEUED is followed, in the effects of a later event, by exactly one GO or refusal. */
#define CORE_RESTART_LIST(X)                                                                       \
    X(CORE_RESTART_NONE, NULL)                                                                     \
    X(CORE_RESTART_GO, "go")                                                                       \
    X(CORE_RESTART_QUEUED, "queued")                                                               \
    X(CORE_RESTART_IN_USE, "in use")                                                               \
    X(CORE_RESTART_ALWAYS_ON, "always on")                                                         \
    X(CORE_RESTART_PENDING, "another one is waiting")                                              \
    X(CORE_RESTART_UNHEARD, "not heard yet")                                                       \
    X(CORE_RESTART_SIGNED_OFF, "signed off")                                                       \
    X(CORE_RESTART_DEAD, "does not answer")                                                        \
    X(CORE_RESTART_TOO_LATE, "no sign of life within 60 s")

enum core_restart {
    CORE_RESTART_LIST(CORE_ENUM) CORE_RESTART_COUNT
};

/* The rule of C4 that decided, for the audit line and for `why`. */
#define CORE_RULE_LIST(X)                                                                          \
    X(CORE_RULE_NOTHING, "nothing changed")                                                        \
    X(CORE_RULE_DUPLICATE, "C3 duplicate")                                                         \
    X(CORE_RULE_SUPERSEDED, "C3 superseded boot")                                                  \
    X(CORE_RULE_REBOOT, "C4.1 reboot")                                                             \
    X(CORE_RULE_OOPS, "C4.2 oops")                                                                 \
    X(CORE_RULE_ALWAYS_ON, "C4.3 always enabled")                                                  \
    X(CORE_RULE_EMERGENCY, "C4.4 emergency card")                                                  \
    X(CORE_RULE_CARD_OUT, "C4.5 card out")                                                         \
    X(CORE_RULE_UNKNOWN, "C4.5.1 unknown card")                                                    \
    X(CORE_RULE_CARD_FLOOD, "too many unknown cards")                                              \
    X(CORE_RULE_OVERRIDE, "C4.5.2 override")                                                       \
    X(CORE_RULE_REFUSED, "C4.5.3 refused")                                                         \
    X(CORE_RULE_WELCOME, "C4.5.4 welcome")                                                         \
    X(CORE_RULE_DENIED, "C4.5.5 unauthorized")                                                     \
    X(CORE_RULE_ORPHAN, "C4.6 no longer always enabled")                                           \
    X(CORE_RULE_OUTSIDE, "C4 from outside")                                                        \
    X(CORE_RULE_RELOAD, "C4 reload")                                                               \
    X(CORE_RULE_OFFLINE, "C4 clean offline")                                                       \
    X(CORE_RULE_ACK, "C9.4 acknowledged before")                                                   \
    X(CORE_RULE_LIVENESS, "C11 liveness")                                                          \
    X(CORE_RULE_DISOBEYED, "C11.7 relay stuck on")                                                 \
    X(CORE_RULE_TWIN, "C3 twin")                                                                   \
    X(CORE_RULE_RESTART, "C6 restart")                                                             \
    X(CORE_RULE_WAKE, "time")

enum core_rule {
    CORE_RULE_LIST(CORE_ENUM) CORE_RULE_COUNT
};

struct core_effects {
    enum core_rule rule;
    bool command; /* publish the command: always for a valid report, also a duplicate */
    bool changed; /* something in C8.1's `state` but rev changed: publish it */
    bool save;    /* accepted: a new version to be saved */
    bool keep;    /* health or faults changed within the version: to be saved as well,
                   * but without a budget */
    bool dropped; /* the report was not judged (superseded boot, twin). There is no
                   * command, but notices and `changed` may be set: fault twin */
    bool probe;   /* send a probe with `probe_id` */
    uint32_t probe_id;
    enum core_restart restart;
    bool restart_force;       /* CORE_RESTART_GO: what the request said */
    bool flag_changed;        /* from outside: the flag was not what it is now */
    bool repaired;            /* the state contradicted itself and was put to base: damage, or a
                               * defect in here; worth an error in the log */
    struct mono_time wake_at; /* when the core wants CORE_EVENT_WAKE; {0}: never */
    size_t notice_count;
    struct core_notice notices[CORE_NOTICES_MAX];
};

const char *core_notice_text(enum core_notice_type type);
const char *core_source_text(enum core_source source);
const char *core_reason_text(enum core_reason reason); /* NULL for CORE_REASON_NONE */
const char *core_rule_text(enum core_rule rule);
const char *core_restart_text(enum core_restart restart); /* NULL for CORE_RESTART_NONE */

#endif
