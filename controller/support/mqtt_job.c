#include "controller/support/mqtt_job.h"

#include <MQTTClient.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "controller/support/mqtt_socket.h"

/* A broker that is silent is given up long before. What it sends ahead of an answer may take so
 * long on a slow line. */
#define COMMAND_TIMEOUT_MS 20000
#define REFUSED_FILTER 0x80 /* SUBACK, MQTT 3.1.1 section 3.9.3 */

struct mqtt_job *
mqtt_job_new(enum mqtt_job_kind kind, const char *const filters[], const int qos[], size_t count)
{
    struct mqtt_job *job = calloc(1, sizeof *job);

    if (job == NULL) {
        return NULL;
    }
    job->kind = kind;
    job->fd = -1;
    if (count == 0) {
        return job;
    }
    job->filters = calloc(count, sizeof *job->filters);
    job->qos = calloc(count, sizeof *job->qos);
    if (job->filters == NULL || job->qos == NULL) {
        goto no_memory;
    }
    for (; job->count < count; job->count++) {
        job->filters[job->count] = strdup(filters[job->count]);
        if (job->filters[job->count] == NULL) {
            goto no_memory;
        }
        job->qos[job->count] = qos == NULL ? 0 : qos[job->count];
    }
    return job;

no_memory:
    mqtt_job_free(job);
    return NULL;
}

void mqtt_job_free(struct mqtt_job *job)
{
    if (job == NULL) {
        return;
    }
    while (job->count > 0) {
        free(job->filters[--job->count]);
    }
    free(job->filters);
    free(job->qos);
    free(job);
}

static int on_tls_error(const char *string, size_t length, void *context)
{
    struct mqtt_job *job = context;

    mqtt_keep_tls_reason(job->tls_reason, string, length);
    return 1;
}

static void connect_to_broker(struct mqtt_job *job)
{
    const struct mqtt_link_options *wanted = job->options;
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;

    if (wanted->will_topic != NULL) {
        will.topicName = wanted->will_topic;
        will.message = wanted->will_payload;
        will.qos = 1;
        will.retained = 1;
        options.will = &will;
    }
    if (wanted->url.tls) {
        tls.trustStore = wanted->ca_file;
        tls.keyStore = wanted->cert_file;
        tls.privateKey = wanted->key_file;
        tls.enableServerCertAuth = 1;
        tls.verify = 1; /* the host name, too */
        tls.disableDefaultTrustStore = wanted->ca_file != NULL;
        tls.ssl_error_cb = on_tls_error;
        tls.ssl_error_context = job;
        options.ssl = &tls;
    }
    options.keepAliveInterval = wanted->keep_alive_s;
    options.cleansession = !wanted->persistent_session;
    options.reliable = 0; /* else one message is in flight at a time */
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.maxInflightMessages = USHRT_MAX; /* ours is the limit that counts */
    options.connectTimeout = MQTT_CONNECT_TIMEOUT_S;
    options.username = wanted->username;
    options.password = wanted->password;
    (void)MQTTClient_setCommandTimeout(job->paho, COMMAND_TIMEOUT_MS);
    job->result = MQTTClient_connect(job->paho, &options);
    if (job->result == MQTTCLIENT_SUCCESS) {
        job->fd = mqtt_socket_prepare(wanted->url.port);
    }
}

/* Paho writes what was granted over what was asked for. */
static void subscribe(struct mqtt_job *job)
{
    job->result =
        MQTTClient_subscribeMany(job->paho, (int)job->count, (char *const *)job->filters, job->qos);
    job->granted = job->result == MQTTCLIENT_SUCCESS;
    for (size_t i = 0; i < job->count; i++) {
        job->granted = job->granted && job->qos[i] != REFUSED_FILTER;
    }
}

static void *run(void *argument)
{
    struct mqtt_job *job = argument;

    switch (job->kind) {
    case MQTT_JOB_CONNECT:
        connect_to_broker(job);
        break;
    case MQTT_JOB_SUBSCRIBE:
        subscribe(job);
        break;
    case MQTT_JOB_UNSUBSCRIBE:
        job->result = MQTTClient_unsubscribe(job->paho, job->filters[0]);
        break;
    case MQTT_JOB_GOODBYE:
        /* Whoever asked for it has waited for what is in flight. */
        job->result = MQTTClient_disconnect(job->paho, 0);
        break;
    }
    (void)eventfd_write(job->done_fd, 1);
    return NULL;
}

enum status mqtt_job_start(
    struct mqtt_job *job, void *paho, const struct mqtt_link_options *options, int done_fd)
{
    job->paho = paho;
    job->options = options;
    job->done_fd = done_fd;
    return pthread_create(&job->thread, NULL, run, job) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

void mqtt_job_join(struct mqtt_job *job)
{
    pthread_join(job->thread, NULL);
}
