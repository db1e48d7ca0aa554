/* What the files of the direct link share; see mqtt_direct.c. Nobody else includes this. */
#ifndef TAGOUT_SUPPORT_MQTT_DIRECT_INSIDE_H
#define TAGOUT_SUPPORT_MQTT_DIRECT_INSIDE_H

#include <MQTTClient.h>

#include "controller/support/mqtt_job.h"
#include "controller/support/mqtt_link.h"
#include "controller/support/time.h"

struct mqtt_link {
    struct mqtt_link_options options;
    struct mqtt_link_events events;
    MQTTClient paho;
    enum mqtt_link_state state;
    int fd;               /* of the socket; -1 while there is no connection */
    int done_fd;          /* a job has finished */
    bool is_heard;        /* the socket is in the owner's epoll */
    size_t room;          /* at least so much the socket's buffer takes at once */
    int published;        /* since the last flush */
    struct mqtt_job *job; /* under way */
    struct mono_time job_since;
    struct mono_time heard_at; /* anything at all */
    bool is_drained;           /* the last read found the end of what had come */
    bool has_waited;           /* a job read messages, and Paho may still have some */
    struct mqtt_job *jobs;     /* that wait */
    /* A job that was answered, while messages that came before the answer are still in Paho. */
    struct mqtt_job *answered;
    struct outbox_message *sent_first; /* in flight, in the order of their tokens in Paho */
    struct outbox_message *sent_last;
    struct outbox_message *done;
};

/* ---- mqtt_direct.c ---- */

/* Whether the owner is woken by what comes: not while a job reads. */
void direct_hear(struct mqtt_link *link, bool on);
/* The end of the link. No job is under way. */
void direct_go_down(struct mqtt_link *link, const char *reason);
void direct_lost(struct mqtt_link *link);

/* ---- mqtt_direct_jobs.c ---- */

/* It waits for its turn. */
MUST_USE enum status direct_add_job(
    struct mqtt_link *link, enum mqtt_job_kind kind, const char *const filters[], const int qos[],
    size_t count, struct mqtt_job **ret_job);
/* If there is one, none is under way, and it may be. */
void direct_start_next_job(struct mqtt_link *link);
/* The one under way has said that it is done. */
void direct_finish_job(struct mqtt_link *link);
/* The one under way has not: it may have taken too long. */
void direct_give_up_job(struct mqtt_link *link);
/* What is answered was behind everything that has been read: to be called when that was told. */
void direct_tell_answer(struct mqtt_link *link);
/* Those that wait are forgotten. */
void direct_drop_jobs(struct mqtt_link *link);
enum status direct_connect(struct mqtt_link *link);
enum status direct_subscribe(
    struct mqtt_link *link, const char *const filters[], const int qos[], size_t count, int token);
enum status direct_unsubscribe(struct mqtt_link *link, const char *filter);
enum status direct_goodbye(struct mqtt_link *link);

/* ---- mqtt_direct_publish.c ---- */

bool direct_takes(struct mqtt_link *link, const struct outbox_message *message);
enum status direct_publish(struct mqtt_link *link, struct outbox_message *message);
void direct_flush(struct mqtt_link *link);
/* Finds what was acknowledged. */
void direct_reap(struct mqtt_link *link);
struct outbox_message *direct_done(struct mqtt_link *link);
void direct_watch(struct mqtt_link *link, bool watch);

#endif
