/* The calls of Paho's synchronous client that wait for the broker, each on a thread of its own.
 *
 * While a job runs, Paho's handle is the job's and nobody else may use it. When it has finished it
 * says so on an eventfd, and the owner joins it and takes the handle back.
 */
#ifndef TAGOUT_SUPPORT_MQTT_JOB_H
#define TAGOUT_SUPPORT_MQTT_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "controller/support/mqtt_link.h"
#include "controller/support/mqtt_reason.h"
#include "controller/support/time.h"

enum mqtt_job_kind {
    MQTT_JOB_CONNECT,
    MQTT_JOB_SUBSCRIBE,
    MQTT_JOB_UNSUBSCRIBE,
    MQTT_JOB_GOODBYE,
};

struct mqtt_job {
    struct mqtt_job *next; /* its owner's queue */
    enum mqtt_job_kind kind;
    struct mono_time since; /* when it was asked for */
    int token;              /* of a subscription */

    /* What came of it. */
    int result;   /* Paho's; 0 for success */
    bool granted; /* every filter of a subscription */
    int fd;       /* of the connection's socket; -1 if it was not found */
    char tls_reason[MQTT_TLS_REASON_SIZE];

    pthread_t thread;
    void *paho;
    int done_fd;
    const struct mqtt_link_options *options;
    size_t count;
    char **filters;
    int *qos;
};

/* NULL: no memory. `filters` are copied; NULL with a count of 0 for all but subscriptions. */
struct mqtt_job *
mqtt_job_new(enum mqtt_job_kind kind, const char *const filters[], const int qos[], size_t count);
/* Not while it runs. Takes NULL. */
void mqtt_job_free(struct mqtt_job *job);

/* `paho` and `options` are borrowed until mqtt_job_join. */
MUST_USE enum status mqtt_job_start(
    struct mqtt_job *job, void *paho, const struct mqtt_link_options *options, int done_fd);
void mqtt_job_join(struct mqtt_job *job);

#endif
