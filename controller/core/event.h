/* What can happen to a machine: the input of a decision. */
#ifndef TAGOUT_CORE_EVENT_H
#define TAGOUT_CORE_EVENT_H

#include "controller/core/machine.h"

enum core_event_type {
    CORE_EVENT_REPORT,       /* the device told its whole state (C3) */
    CORE_EVENT_SET_OOPS,     /* from outside (C6) */
    CORE_EVENT_SET_LOCKOUT,  /* from outside (C6) */
    CORE_EVENT_END,          /* a person ends the session from outside (C6) */
    CORE_EVENT_CONFIG,       /* the configuration was loaded again, or the process started (C4) */
    CORE_EVENT_OFFLINE,      /* `link` says `offline`: the device said goodbye (C4, last line) */
    CORE_EVENT_LINK,         /* `link` says `online` or `lost` */
    CORE_EVENT_PONG,         /* the device answered a probe */
    CORE_EVENT_CONNECTED,    /* the controller reached the broker; also: the machine was added while
                              * it was there. Until the first one nothing is watched (C11.1) */
    CORE_EVENT_DISCONNECTED, /* the controller lost the broker */
    CORE_EVENT_RESTART, /* somebody asks for a restart of the box (C6); effects say what to do */
    CORE_EVENT_WAKE,    /* the time asked for in `wake_at` has come */
    CORE_EVENT_COUNT,
};

struct core_ack {
    struct version version;
    bool oops;
    bool lockout;
};

/* A report that C3 found well-formed. */
struct core_report {
    bool oops;
    bool emergency;
    const char *card;                 /* keyed hash, "" for none */
    const struct core_holder *holder; /* of that card; NULL: unknown or blocked */
    double uptime_s;
    const char *boot_id; /* "" for none */
    uint32_t seq;        /* 0 for none */
    bool has_ack;
    struct core_ack ack;
    enum core_observed relay_seen; /* CORE_UNKNOWN when not told */
    enum core_observed second_relay_seen;
    bool has_reader_ok;
    bool reader_ok;
    bool has_amps;
    double amps;
};

/* C2: what the broker kept (`retained`) is no sign of life and ends no session. For
 * CORE_EVENT_OFFLINE and CORE_EVENT_LINK. */
struct core_link {
    bool retained;
    bool lost;       /* CORE_EVENT_LINK: `lost`, else `online` */
    bool restarting; /* CORE_EVENT_OFFLINE: it announces a restart. One that we asked for is known
                      * to the core and need not be told. */
};

struct core_pong {
    uint32_t id;
    const char *boot_id; /* "" for none */
};

struct core_restart_asked {
    bool force;
    bool when_idle;
};

/* `[liveness]` (C10.1). */
struct core_liveness {
    int64_t recent_report_ms;
    int64_t settle_ms;
    int64_t reprobe_delay_ms;
    int64_t probe_timeout_ms;
};

struct core_set {
    bool value;
};

/* For CORE_EVENT_CONFIG: the person of the open session in the new configuration, NULL when it is
 * not there any more. */
struct core_reconfigured {
    const struct core_holder *holder;
};

struct core_event {
    enum core_event_type type;
    struct now now;
    uint64_t epoch;         /* of the controller that decides */
    uint64_t epoch_ceiling; /* an `ack` above it is ignored (C12.3) */
    bool lead_in_doubt;     /* Redis has not confirmed it: no `ack` raises an epoch (C12.3) */
    struct version loaded;  /* what this process found of the machine; {0, 0}: nothing (C9.4) */
    const struct core_liveness *liveness; /* NULL: C11's defaults */
    union {
        struct core_report report;
        struct core_set set;
        struct core_reconfigured reconfigured;
        struct core_link link;
        struct core_pong pong;
        struct core_restart_asked restart;
    };
};

#endif
