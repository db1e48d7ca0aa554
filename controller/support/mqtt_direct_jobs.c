/* The direct link's calls that wait, one after the other. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "controller/support/clock.h"
#include "controller/support/mqtt_direct_inside.h"
#include "controller/support/mqtt_socket.h"

/* SUBSCRIBE and UNSUBSCRIBE wait for an answer. When Paho's keep-alive closes the connection
 * meanwhile, the call does not notice, and stays until its own time is over. So they are made only
 * when the broker was heard just before, and given up when it falls silent, before the keep-alive
 * does: the answer may stand behind thousands of retained messages. */
#define HEARD_MS 1000
#define ANSWER_MS 1800
/* Meanwhile Paho reads into a queue without bound: in a flood they wait for its end; a subscription
 * not for ever. That all was read for a moment does not show the end, since the broker may have a
 * long queue and no processor: the end of a subscription also waits until all that was published is
 * acknowledged, for the acknowledgements stand in that queue. */
#define DRAINED_MS 5000

void direct_drop_jobs(struct mqtt_link *link)
{
    struct mqtt_job *job;

    while ((job = link->jobs) != NULL) {
        link->jobs = job->next;
        mqtt_job_free(job);
    }
    mqtt_job_free(link->answered);
    link->answered = NULL;
}

enum status direct_add_job(
    struct mqtt_link *link, enum mqtt_job_kind kind, const char *const filters[], const int qos[],
    size_t count, struct mqtt_job **ret_job)
{
    struct mqtt_job **last = &link->jobs;
    struct mqtt_job *job = mqtt_job_new(kind, filters, qos, count);

    if (job == NULL) {
        return STATUS_NO_MEMORY;
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    job->since = clock_now().mono;
    *last = job;
    *ret_job = job;
    return STATUS_OK;
}

static bool awaits_answer(const struct mqtt_job *job)
{
    return job->kind == MQTT_JOB_SUBSCRIBE || job->kind == MQTT_JOB_UNSUBSCRIBE;
}

/* If not, Paho asks the broker for a sign of life in one of the next looks. */
static bool may_start(const struct mqtt_link *link, const struct mqtt_job *job)
{
    int64_t now_ms = clock_now().mono.ms;
    bool in_flood = job->kind == MQTT_JOB_UNSUBSCRIBE
                        ? !link->is_drained || link->sent_first != NULL
                        : !link->is_drained && now_ms - job->since.ms < DRAINED_MS;

    return !awaits_answer(job) || (now_ms - link->heard_at.ms < HEARD_MS && !in_flood);
}

void direct_start_next_job(struct mqtt_link *link)
{
    struct mqtt_job *job = link->jobs;

    if (link->job != NULL || link->answered != NULL || job == NULL || !may_start(link, job)) {
        return;
    }
    direct_hear(link, false);
    if (mqtt_job_start(job, link->paho, &link->options, link->done_fd) != STATUS_OK) {
        direct_go_down(link, "no thread to talk to the broker on");
        return;
    }
    link->jobs = job->next;
    job->next = NULL;
    link->job = job;
    link->job_since = clock_now().mono;
}

static void finish_connect(struct mqtt_link *link, const struct mqtt_job *job)
{
    TEXT_LOCAL(reason, 512);

    if (job->result != MQTTCLIENT_SUCCESS) {
        mqtt_connect_reason(&link->options.url, job->result, job->tls_reason, &reason);
        direct_go_down(link, reason.data);
    } else if (job->fd < 0) {
        direct_go_down(link, "the connection's socket is not to be found in /proc/self/fd");
    } else {
        link->fd = job->fd;
        link->room = 0;
        link->state = MQTT_LINK_UP;
        link->is_drained = true;
        link->events.connected(link->events.context);
    }
}

void direct_finish_job(struct mqtt_link *link)
{
    struct mqtt_job *job = link->job;

    mqtt_job_join(job);
    link->job = NULL;
    link->has_waited = true;
    if (job->result == MQTTCLIENT_SUCCESS) {
        link->heard_at = clock_now().mono;
    }
    switch (job->kind) {
    case MQTT_JOB_CONNECT:
        finish_connect(link, job);
        break;
    case MQTT_JOB_SUBSCRIBE:
        if (job->result == MQTTCLIENT_SUCCESS) {
            link->answered = job;
            return;
        }
        direct_lost(link); /* else nobody would hear that there is no answer */
        break;
    case MQTT_JOB_GOODBYE:
        link->state = MQTT_LINK_CLOSED;
        break;
    case MQTT_JOB_UNSUBSCRIBE:
        if (job->result != MQTTCLIENT_SUCCESS) {
            direct_lost(link); /* a packet may have left by half */
        }
        break;
    }
    mqtt_job_free(job);
}

/* What is answered was behind everything that has been read: that is told first. */
void direct_tell_answer(struct mqtt_link *link)
{
    struct mqtt_job *job = link->answered;

    if (job != NULL) {
        link->answered = NULL;
        link->events.subscribed(link->events.context, job->token, job->granted);
        mqtt_job_free(job);
    }
}

static enum status start_job(struct mqtt_link *link, enum mqtt_job_kind kind)
{
    struct mqtt_job *job;
    enum status status = direct_add_job(link, kind, NULL, NULL, 0, &job);

    if (status == STATUS_OK) {
        direct_start_next_job(link);
    }
    return status;
}

enum status direct_connect(struct mqtt_link *link)
{
    enum status status;

    link->state = MQTT_LINK_CONNECTING;
    status = start_job(link, MQTT_JOB_CONNECT);
    if (status != STATUS_OK) {
        link->state = MQTT_LINK_DOWN;
    }
    return status;
}

enum status direct_subscribe(
    struct mqtt_link *link, const char *const filters[], const int qos[], size_t count, int token)
{
    struct mqtt_job *job;
    enum status status;

    if (link->state != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    status = direct_add_job(link, MQTT_JOB_SUBSCRIBE, filters, qos, count, &job);
    if (status != STATUS_OK) {
        direct_go_down(link, status_text(status)); /* else it would be up, and hear nothing */
        return status;
    }
    job->token = token;
    direct_start_next_job(link);
    return STATUS_OK;
}

enum status direct_unsubscribe(struct mqtt_link *link, const char *filter)
{
    struct mqtt_job *job;
    enum status status;

    if (link->state != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    status = direct_add_job(link, MQTT_JOB_UNSUBSCRIBE, &filter, NULL, 1, &job);
    if (status == STATUS_OK) {
        direct_start_next_job(link);
    }
    return status;
}

enum status direct_goodbye(struct mqtt_link *link)
{
    if (link->state != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    direct_drop_jobs(link); /* it has no time to stand behind them */
    return start_job(link, MQTT_JOB_GOODBYE);
}

static bool is_silent(const struct mqtt_link *link)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;

    return clock_now().mono.ms - link->job_since.ms >= ANSWER_MS &&
           (getsockopt(link->fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
            info.tcpi_last_data_recv >= ANSWER_MS);
}

void direct_give_up_job(struct mqtt_link *link)
{
    if (awaits_answer(link->job) && mqtt_socket_is_peer(link->fd, link->options.url.port) &&
        is_silent(link)) {
        shutdown(link->fd, SHUT_RDWR);
    }
}
