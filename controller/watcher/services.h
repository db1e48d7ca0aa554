/* Which services are alive (C11.6): controllers, their leader, Redis as controllers see it, and the
 * broker. Pure: what was heard goes in, with the time; what is to be published, and what people
 * are to be told, comes out.
 *
 * Two things are kept apart: the *verdict*, what is so, and what was *told*, by this watcher, by
 * the process before it or by the other one. Only the difference is news, so that a restart and a
 * change of watchers invent no death and tell none twice.
 *
 * A clean stop is no death. While the broker is away nothing but the broker is judged; after it,
 * each controller has `settle_ms` to be heard again. If this process itself stood still, what was
 * pending gets the time back.
 */
#ifndef TAGOUT_WATCHER_SERVICES_H
#define TAGOUT_WATCHER_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/text.h"
#include "controller/support/time.h"
#include "controller/watcher/alert.h"
#include "topics/topic.h"

#define SERVICES_CONTROLLERS_MAX 16
#define SERVICE_NAME_SIZE ALERT_SERVICE_SIZE
#define SERVICE_REASON_SIZE ALERT_REASON_SIZE
#define SERVICES_CONFIG_SIZE 129

/* A last will waits so long: a broker that stops cleanly sends them all, just before our own
 * connection breaks, too. */
#define SERVICES_DOUBT_MS 500
#define SERVICES_OUTAGE_MS 3000 /* C11.6; also the time to hand the lead over */
/* The same of the broker, and the second that Paho may take to see that it is back. */
#define SERVICES_BROKER_MS 4000
/* What comes back and falls again within this was never back: a crash loop is one alert. */
#define SERVICES_STEADY_MS 10000
#define SERVICES_CONFIG_MS 10000 /* a reload reaches all controllers within it */
#define SERVICES_STALL_MS 1000   /* so late a turn means that this process stood still */

enum service_status {
    SERVICE_UNKNOWN,
    SERVICE_RUNNING,
    SERVICE_STOPPED,
    SERVICE_ERROR,
};

/* "running", "stopped", "error"; SERVICE_UNKNOWN for any other word. */
const char *service_status_text(enum service_status status);
enum service_status service_status_of(const char *text);

struct service {
    char name[SERVICE_NAME_SIZE]; /* "" : none */
    enum service_status verdict;
    char verdict_reason[SERVICE_REASON_SIZE];
    struct mono_time ran_at; /* since when it runs without a break */
    struct wall_time ran_wall;
    struct wall_time ended; /* when it last did, if its verdict is an error */
    bool fell;              /* it ended and was back before anybody was told */

    enum service_status told;
    char told_reason[SERVICE_REASON_SIZE];
    struct wall_time since;
    bool owned;     /* told by this process: what the broker brings of it is no news */
    bool published; /* on this connection */

    bool alerted; /* people know of its death, and are owed its recovery */
    struct wall_time died;
};

/* C2 `controller/<id>/status`, of one that runs. */
struct controller_status {
    bool leader;
    bool redis_up;
    const char *redis_refuses; /* what Redis has against its account; NULL or "" for nothing */
    struct wall_time since;
    const char *config;
};

struct service_controller {
    char id[TOPIC_MACHINE_MAX + 1];
    enum {
        CONTROLLER_UNHEARD, /* since the connect */
        CONTROLLER_RUNNING,
        CONTROLLER_STOPPED,
        CONTROLLER_LOST,
    } said;
    struct mono_time dead_at; /* lost: when that is believed */
    bool leader;
    bool redis_up;
    char redis_refuses[SERVICE_REASON_SIZE];
    struct wall_time since; /* {0}: never heard running */
    char config[SERVICES_CONFIG_SIZE];
    struct service service;
};

struct services {
    int64_t settle_ms;
    struct service_controller controllers[SERVICES_CONTROLLERS_MAX];
    size_t controller_count;
    struct service leader;
    struct service redis;
    struct service broker;

    bool connected;
    struct mono_time settled_at; /* of this connection */
    struct mono_time broker_dead_at;
    char broker_reason[SERVICE_REASON_SIZE];

    char led_by[TOPIC_MACHINE_MAX + 1]; /* the last leader; "" when not known */
    struct mono_time leader_dead_at;    /* {0}: there is one */
    struct mono_time redis_down_at;
    struct mono_time config_at; /* until when a difference may be a reload */
    bool config_alerted;

    struct mono_time due; /* as told at the end of the last tick */
};

/* A fresh start, not connected. */
void services_begin(struct services *services, int64_t settle_ms, struct now now);

/* What was told before: by the process before this one, or by the other watcher. Of what this
 * process has told itself nothing is changed. */
struct service_memory {
    const char *name;
    enum service_status told;
    const char *reason;
    struct wall_time since;
    struct wall_time died; /* {0}: people are owed no recovery */
    bool heard;            /* from the broker, which does not know `died` */
};
void services_recall(struct services *services, const struct service_memory *memory);

/* All of it is somebody else's to tell, from now on. */
void services_disown(struct services *services);

void services_on_connected(struct services *services, struct now now);
/* Also after each attempt that failed. */
void services_on_disconnected(struct services *services, const char *reason, struct now now);

/* What a controller says of itself. */
void services_on_running(
    struct services *services, const char *id, const struct controller_status *status,
    struct now now);
void services_on_stopped(struct services *services, const char *id, struct now now);
void services_on_lost(struct services *services, const char *id, struct now now);

/* Judges. Returns when to look again; {0}: not by itself. */
struct mono_time services_tick(struct services *services, struct now now);

struct service_news {
    const struct service *publish; /* NULL: nothing to publish */
    bool has_alert;
    struct alert alert;
};

/* The next piece of news, which then counts as told. False when there is none. */
bool services_next(struct services *services, struct now now, struct service_news *ret_news);

/* Every service there is, for whoever remembers them; NULL at the end. */
struct service *services_at(struct services *services, size_t index);
const struct service *services_look(const struct services *services, size_t index);

#endif
