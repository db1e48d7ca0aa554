/* What the files of the watcher's middle share. */
#ifndef TAGOUT_WATCHER_WATCHER_INSIDE_H
#define TAGOUT_WATCHER_WATCHER_INSIDE_H

#include <stdint.h>

#include "controller/support/json.h"
#include "controller/watcher/alert.h"
#include "controller/watcher/certificate_reader.h"
#include "controller/watcher/heard.h"
#include "controller/watcher/role.h"
#include "controller/watcher/save_timeouts.h"
#include "controller/watcher/services.h"
#include "controller/watcher/slack.h"
#include "controller/watcher/slack_answer.h"
#include "controller/watcher/slack_crowds.h"
#include "controller/watcher/snapshot.h"
#include "controller/watcher/turn.h"
#include "controller/watcher/watcher.h"
#include "topics/request.h"
#include "topics/topic.h"

#define TEST_ALERTS_MAX 8
#define TEST_ALERT_MS 60000
#define WATCHER_BEHIND_MS 5000 /* the disk hangs: said in the log, and no more ready */

/* Somebody who waits to hear whether Slack took a test alert (C6 `test-alert`). */
struct test_alert {
    uint32_t ticket; /* 0: free */
    struct mono_time until;
    char account[TOPIC_MACHINE_MAX + 1];
    char transaction[REQUEST_TRANSACTION_SIZE];
};

struct watcher {
    const struct settings *settings;
    struct audit *audit;
    struct mqtt *mqtt; /* NULL before the first connect */
    struct slack *slack;
    struct watched_table *machines;
    struct heard *heard;
    bool hears_again; /* what may have been heard by the last process */
    struct save_timeouts counting;
    struct services services;
    struct role role;
    struct slack_crowds crowds;
    struct now now; /* of this turn */

    /* The audit. */
    bool has_past; /* the disk has answered */
    int64_t base;
    int64_t line; /* the last one added */
    int64_t saved_line;
    bool save_at_once;
    struct mono_time save_at;
    struct mono_time behind_logged;
    bool audit_alerted;

    /* service/slack */
    bool slack_works;
    char slack_reason[SLACK_REASON_SIZE];
    struct wall_time slack_since;

    struct certificates certificates;
    struct certificate_reading *reading; /* NULL: none is under way */
    struct mono_time certificates_at;    /* the next */

    struct wall_time started;
    bool subscribed;
    struct mono_time subscribe_at; /* again, after a refusal */
    uint32_t tickets;
    struct test_alert tests[TEST_ALERTS_MAX];
    uint64_t bad_messages;
    uint64_t events;        /* heard */
    uint64_t save_timeouts; /* heard, each once */
    uint64_t slack_done;    /* messages that left the queue */
    uint64_t alerts[ALERT_KIND_COUNT];
    struct mono_time bad_logged;
    char away_reason[ALERT_REASON_SIZE]; /* why there is no broker, as logged; "" while there is */
};

/* watcher.c */
void watcher_publish(
    struct watcher *watcher, enum topic_id topic, const char *first, const char *second,
    const struct text *payload);
void publish_slack(struct watcher *watcher);
/* Into the audit, on `fleet/alert`, to Slack; by the silent one of two, nowhere. `ticket` is 0
 * where nobody waits for the outcome; else false means that Slack will not be told. */
bool watcher_raise(struct watcher *watcher, const struct alert *alert, uint32_t ticket);

/* hear.c: what was heard goes into the audit, is counted and told. */
void hear_event(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length);
void hear_save_timeout(struct watcher *watcher, const char *payload, size_t length);
/* Adds a line: `kind` and the time in front of the members of `object`, a JSON object. */
int64_t add_line(struct watcher *watcher, const char *kind, const char *object, size_t length);
/* C8.2: adds a line for a gap in a machine's count, if `event` leaves one behind `last`. */
void mark_gap(
    struct watcher *watcher, const struct watched *last, const struct heard_event *event,
    enum turn turn);
/* Counts a bad message; logs at most one a minute. */
void hear_badly(struct watcher *watcher, const char *topic, const char *why);

/* Gives Slack the posts of an event, or an alert; those with a line up to their lane's position
 * in `delivered` (NULL: none) were delivered before a restart. */
void post_event(
    struct watcher *watcher, const struct heard_event *event, int64_t line, struct wall_time seen,
    const int64_t *delivered);
bool post_alert(
    struct watcher *watcher, const struct alert *alert, int64_t line, uint32_t ticket,
    const int64_t *delivered);

/* hear_services.c */
void publish_service(
    struct watcher *watcher, const char *name, const char *status, const char *reason,
    struct wall_time since);
void hear_controller(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length);
void hear_service(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length);
struct mono_time tick_services(struct watcher *watcher);

/* watch_certificates.c */
void watch_certificates_begin(struct watcher *watcher);
struct mono_time tick_certificates(struct watcher *watcher);

/* test_alert.c */
void hear_test_alert(
    struct watcher *watcher, const struct topic_match *topic, const char *payload, size_t length);
void test_alert_settle(
    struct watcher *watcher, uint32_t ticket, bool delivered, const char *reason);
struct mono_time test_alert_tick(struct watcher *watcher);

/* remember.c: over a restart. */
void remember_save(struct watcher *watcher);

#endif
