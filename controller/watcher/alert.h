/* What operators must know: told on `fleet/alert`, written into the audit, posted to Slack. */
#ifndef TAGOUT_WATCHER_ALERT_H
#define TAGOUT_WATCHER_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "controller/watcher/watched.h"

#define ALERT_BYTES_MAX 2048
#define ALERT_BY_SIZE 384
#define ALERT_SERVICE_SIZE 80
#define ALERT_REASON_SIZE 256

#define ALERT_LIST(X)                                                                              \
    X(ALERT_MACHINE, "machine_save_timeouts")           /* C9.5: its second one ever */            \
    X(ALERT_REPEATED, "machine_repeated_save_timeouts") /* five within 10 min, no fleet alert */   \
    X(ALERT_FLEET, "fleet_save_timeouts")               /* C9.5: many machines in the window */    \
    X(ALERT_OVER, "save_timeouts_over")                                                            \
    X(ALERT_AUDIT_STOPPED, "audit_stopped")                                                        \
    X(ALERT_AUDIT_RESUMED, "audit_resumed")                                                        \
    X(ALERT_SERVICE_ERROR, "service_error") /* C11.6 */                                            \
    X(ALERT_SERVICE_RECOVERED, "service_recovered")                                                \
    X(ALERT_CONFIG_DIFFERS, "config_differs") /* C12.4 */                                          \
    X(ALERT_CONFIG_AGREES, "config_agrees")                                                        \
    X(ALERT_CERTIFICATE, "cert_expiry")                                                            \
    X(ALERT_TEST, "test")

#define ALERT_ENUM(id, word) id,
enum alert_kind {
    ALERT_LIST(ALERT_ENUM) ALERT_KIND_COUNT
};
#undef ALERT_ENUM

struct alert {
    enum alert_kind kind;
    char machine[WATCHED_NAME_SIZE]; /* "" when it is about no single one */
    char display_name[WATCHED_DISPLAY_SIZE];
    uint32_t count;         /* machine: its lifetime count; repeated: timeouts; fleet: machines */
    int64_t window_ms;      /* repeated, fleet: within which */
    int64_t budget_ms;      /* machine: what the save missed; 0 when not known */
    int64_t lasted_ms;      /* over, audit stopped, service recovered */
    bool certain;           /* over: every machine was heard to be saved again */
    char by[ALERT_BY_SIZE]; /* test: who asked for it */
    char service[ALERT_SERVICE_SIZE];
    char reason[ALERT_REASON_SIZE]; /* service error; leader recovered: who leads; certificate: its
                                     * file */
    bool leads;                     /* controller: nobody leads since its death; it leads again */
    struct wall_time since;         /* when the outage began, by which it is known; {0}: none */
    struct wall_time ends;          /* certificate */
    struct wall_time at;
};

/* The sentence: machine, cause, next step. */
void alert_text(const struct alert *alert, struct text *out);

/* The payload of `fleet/alert`. */
MUST_USE enum status alert_print(const struct alert *alert, struct text *out);

/* Reads back what alert_print wrote. */
MUST_USE enum status alert_read(const struct json *object, struct alert *ret_alert);

/* The same for the alerts about services. */
void alert_service_text(const struct alert *alert, struct text *out);

/* "12 s", "4 min", "1 h 5 min". */
void alert_add_duration(struct text *out, int64_t ms);

#endif
