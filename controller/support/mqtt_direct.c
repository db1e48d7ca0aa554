/* A link that reads and writes on its owner's thread.
 *
 * Paho's synchronous client, without callbacks, works in the calls that are made to it. Those that
 * would wait (connect, subscribe, unsubscribe, a message too large for the socket's buffer) are
 * jobs, one after the other, each on a thread of its own; meanwhile the handle is the job's, and
 * the owner publishes and reads nothing. Nothing else waits: what is in flight always finds room in
 * the socket's buffer, see DIRECT_BYTES_MAX.
 */
#include <MQTTClient.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/mqtt_job.h"
#include "controller/support/mqtt_link.h"
#include "controller/support/mqtt_socket.h"

/* What is in flight (at most MQTT_IN_FLIGHT_BYTES_MAX) and one such message more are less than
 * MQTT_SEND_BUFFER_BYTES. */
#define DIRECT_BYTES_MAX (32 * 1024)
/* QoS 0 is not acknowledged: where that much has not left yet, it is not worth its place. */
#define UNSENT_BYTES_MAX (32 * 1024)
/* Packets and bytes that are read at once; then those who sent them are answered. */
#define PACKETS_AT_ONCE 256
#define BYTES_AT_ONCE (1024 * 1024)
/* SUBSCRIBE and UNSUBSCRIBE wait for an answer. When Paho's keep-alive closes the connection
 * meanwhile, the call does not notice, and stays until its own time is over, five seconds. So they
 * are made only when the broker was heard just before, and given up before the keep-alive does. */
#define HEARD_MS 1000
#define ANSWER_MS 1800
/* The first message of a turn leaves at once, a command mostly. Those behind it share segments, and
 * each time so many have come they leave. */
#define CORKED_MAX 32
/* PUBACK, and about what else brings no message: what one such packet takes of what is unread. */
#define ACK_BYTES 4

struct mqtt_link {
    struct mqtt_link_options options;
    struct mqtt_link_events events;
    MQTTClient paho;
    enum mqtt_link_state state;
    int fd;               /* of the socket; -1 while there is no connection */
    int done_fd;          /* a job has finished */
    bool is_heard;        /* the socket is in the owner's epoll */
    int published;        /* since the last flush */
    struct mqtt_job *job; /* under way */
    struct mono_time job_since;
    struct mono_time heard_at; /* anything at all */
    bool has_waited;           /* a job read messages, and Paho may still have some */
    struct mqtt_job *jobs;     /* that wait */
    /* A job that was answered, while messages that came before the answer are still in Paho. */
    struct mqtt_job *answered;
    struct outbox_message *sent_first; /* in flight, in the order of their tokens in Paho */
    struct outbox_message *sent_last;
    struct outbox_message *done;
};

static void hear(struct mqtt_link *link, bool on)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (on != link->is_heard && link->fd >= 0) {
        epoll_ctl(link->options.epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, link->fd, &event);
        link->is_heard = on;
    }
}

static void drop_jobs(struct mqtt_link *link)
{
    struct mqtt_job *job;

    while ((job = link->jobs) != NULL) {
        link->jobs = job->next;
        mqtt_job_free(job);
    }
    mqtt_job_free(link->answered);
    link->answered = NULL;
}

/* No job is under way. */
static void go_down(struct mqtt_link *link, const char *reason)
{
    if (link->state == MQTT_LINK_CONNECTING || link->state == MQTT_LINK_UP) {
        link->state = MQTT_LINK_DOWN;
        hear(link, false);
        drop_jobs(link);
        link->events.disconnected(link->events.context, reason);
    }
}

static void lost(struct mqtt_link *link)
{
    go_down(link, "connection lost");
}

static void direct_free(struct mqtt_link *link)
{
    if (link == NULL) {
        return;
    }
    /* Paho would say goodbye by itself, and the broker would then keep the last will. The socket
     * may be closed by now, and its number another's. */
    if (link->fd >= 0 && mqtt_socket_is_peer(link->fd, link->options.url.port)) {
        hear(link, false);
        shutdown(link->fd, SHUT_RDWR);
    }
    if (link->job != NULL) {
        mqtt_job_join(link->job);
        mqtt_job_free(link->job);
    }
    if (link->state != MQTT_LINK_CLOSED) {
        (void)MQTTClient_disconnect(link->paho, 0);
    }
    MQTTClient_destroy(&link->paho);
    drop_jobs(link);
    close(link->done_fd);
    free(link);
}

static enum status direct_new(
    const struct mqtt_link_options *options, const struct mqtt_link_events *events,
    struct mqtt_link **ret_link)
{
    struct epoll_event readable = {.events = EPOLLIN};
    TEXT_LOCAL(address, MQTT_ADDRESS_SIZE);
    struct mqtt_link *link = calloc(1, sizeof *link);
    enum status status = STATUS_NO_MEMORY;

    if (link == NULL) {
        return STATUS_NO_MEMORY;
    }
    link->options = *options;
    link->events = *events;
    link->fd = -1;
    link->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (link->done_fd < 0 ||
        epoll_ctl(options->epoll, EPOLL_CTL_ADD, link->done_fd, &readable) != 0) {
        status = STATUS_IO;
        goto no_fd;
    }
    mqtt_address(&options->url, &address);
    if (MQTTClient_create(
            &link->paho, address.data, options->client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
        MQTTCLIENT_SUCCESS) {
        goto no_fd;
    }
    MQTTClient_setTraceLevel(MQTTCLIENT_TRACE_ERROR); /* else it formats lines that nobody reads */
    *ret_link = link;
    return STATUS_OK;

no_fd:
    if (link->done_fd >= 0) {
        close(link->done_fd);
    }
    free(link);
    return status;
}

/* ---- jobs ---- */

static enum status add_job(
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
    return !awaits_answer(job) || clock_now().mono.ms - link->heard_at.ms < HEARD_MS;
}

static void start_next_job(struct mqtt_link *link)
{
    struct mqtt_job *job = link->jobs;

    if (link->job != NULL || link->answered != NULL || job == NULL || !may_start(link, job)) {
        return;
    }
    hear(link, false);
    if (mqtt_job_start(job, link->paho, &link->options, link->done_fd) != STATUS_OK) {
        go_down(link, "no thread to talk to the broker on");
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
        go_down(link, reason.data);
    } else if (job->fd < 0) {
        go_down(link, "the connection's socket is not to be found in /proc/self/fd");
    } else {
        link->fd = job->fd;
        link->state = MQTT_LINK_UP;
        link->events.connected(link->events.context);
    }
}

static void keep_sent(struct mqtt_link *link, struct outbox_message *message)
{
    message->next_done = NULL;
    if (link->sent_first == NULL) {
        link->sent_first = message;
    } else {
        link->sent_last->next_done = message;
    }
    link->sent_last = message;
}

static void keep_done(struct mqtt_link *link, struct outbox_message *message)
{
    message->next_done = link->done;
    link->done = message;
}

static void finish_publish(struct mqtt_link *link, struct outbox_message *message, int result)
{
    if (message->qos > 0) {
        keep_sent(link, message);
    } else {
        keep_done(link, message);
    }
    if (result != MQTTCLIENT_SUCCESS) {
        lost(link);
    }
}

static void finish_job(struct mqtt_link *link)
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
        break;
    case MQTT_JOB_PUBLISH:
        finish_publish(link, job->message, job->result);
        break;
    case MQTT_JOB_GOODBYE:
        link->state = MQTT_LINK_CLOSED;
        break;
    case MQTT_JOB_UNSUBSCRIBE:
        break;
    }
    mqtt_job_free(job);
}

/* What is answered was behind everything that has been read: that is told first. */
static void tell_answer(struct mqtt_link *link)
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
    enum status status = add_job(link, kind, NULL, NULL, 0, &job);

    if (status == STATUS_OK) {
        start_next_job(link);
    }
    return status;
}

static enum status direct_connect(struct mqtt_link *link)
{
    enum status status;

    link->state = MQTT_LINK_CONNECTING;
    status = start_job(link, MQTT_JOB_CONNECT);
    if (status != STATUS_OK) {
        link->state = MQTT_LINK_DOWN;
    }
    return status;
}

static enum status direct_subscribe(
    struct mqtt_link *link, const char *const filters[], const int qos[], size_t count, int token)
{
    struct mqtt_job *job;
    enum status status;

    if (link->state != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    status = add_job(link, MQTT_JOB_SUBSCRIBE, filters, qos, count, &job);
    if (status == STATUS_OK) {
        job->token = token;
        start_next_job(link);
    }
    return status;
}

static enum status direct_unsubscribe(struct mqtt_link *link, const char *filter)
{
    struct mqtt_job *job;
    enum status status;

    if (link->state != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    status = add_job(link, MQTT_JOB_UNSUBSCRIBE, &filter, NULL, 1, &job);
    if (status == STATUS_OK) {
        start_next_job(link);
    }
    return status;
}

static enum status direct_goodbye(struct mqtt_link *link)
{
    return link->state == MQTT_LINK_UP ? start_job(link, MQTT_JOB_GOODBYE) : STATUS_DISCONNECTED;
}

/* ---- publishing ---- */

static bool direct_takes(const struct mqtt_link *link)
{
    return link->state == MQTT_LINK_UP && link->job == NULL;
}

static void cork(const struct mqtt_link *link, int on)
{
    setsockopt(link->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static void uncork(struct mqtt_link *link)
{
    if (link->published > 1) {
        cork(link, 0);
    }
    link->published = 0;
}

/* When a write of QoS 1 fails, Paho closes the connection and says that all is well. */
static void direct_flush(struct mqtt_link *link)
{
    if (link->published > 0 && link->state == MQTT_LINK_UP) {
        uncork(link);
        if (!MQTTClient_isConnected(link->paho)) {
            lost(link);
        }
    }
}

/* Before a message is published. */
static void gather(struct mqtt_link *link)
{
    if (link->published > CORKED_MAX) {
        uncork(link);
    }
    if (++link->published == 2) {
        cork(link, 1);
    }
}

static enum status publish_large(struct mqtt_link *link, struct outbox_message *message)
{
    struct mqtt_job *job;
    enum status status = add_job(link, MQTT_JOB_PUBLISH, NULL, NULL, 0, &job);

    if (status == STATUS_OK) {
        job->message = message;
        start_next_job(link);
    }
    return status;
}

static bool is_congested(const struct mqtt_link *link)
{
    int unsent = 0;
    return ioctl(link->fd, SIOCOUTQ, &unsent) != 0 || unsent > UNSENT_BYTES_MAX;
}

static enum status direct_publish(struct mqtt_link *link, struct outbox_message *message)
{
    int result;

    if (link->state != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    if (!direct_takes(link)) {
        return STATUS_BUSY;
    }
    if (message->length > DIRECT_BYTES_MAX) {
        return publish_large(link, message);
    }
    if (message->qos == 0 && is_congested(link)) {
        keep_done(link, message);
        return STATUS_OK;
    }
    gather(link);
    result = MQTTClient_publish(
        link->paho, message->topic, (int)message->length, message->payload, message->qos,
        message->retain, &message->token);
    finish_publish(link, message, result);
    return STATUS_OK;
}

/* What Paho does not count among what is in flight any more, the broker has acknowledged. Paho
 * keeps the order in which it was sent. */
static void reap(struct mqtt_link *link)
{
    struct outbox_message *message = link->sent_first;
    MQTTClient_deliveryToken *tokens = NULL;
    size_t next = 0;

    if (message == NULL ||
        MQTTClient_getPendingDeliveryTokens(link->paho, &tokens) != MQTTCLIENT_SUCCESS) {
        return;
    }
    link->sent_first = link->sent_last = NULL;
    while (message != NULL) {
        struct outbox_message *following = message->next_done;
        if (tokens != NULL && tokens[next] == message->token) {
            keep_sent(link, message);
            next++;
        } else {
            keep_done(link, message);
        }
        message = following;
    }
    if (tokens != NULL) {
        MQTTClient_free(tokens);
    }
}

static struct outbox_message *direct_done(struct mqtt_link *link)
{
    struct outbox_message *done = link->done;

    link->done = NULL;
    return done;
}

/* Acknowledgements are read where messages are, which wakes the owner in any case. */
static void direct_watch(struct mqtt_link *link, bool watch)
{
    (void)link;
    (void)watch;
}

/* ---- reading ---- */

/* What a batch may still take. */
struct batch {
    size_t bytes; /* of payload, until it is enough */
    int unread;   /* about what the socket still has */
    int silent;   /* receives in a row that brought no message */
    bool had_silence;
};

static int unread_bytes(const struct mqtt_link *link)
{
    int unread = 0;
    return ioctl(link->fd, FIONREAD, &unread) == 0 ? unread : 0;
}

static void deliver(
    struct mqtt_link *link, struct batch *batch, const char *topic,
    const MQTTClient_message *message)
{
    size_t length = (size_t)message->payloadlen;
    bool goes_on = link->events.message(
        link->events.context, topic, message->payload, length, message->retained != 0);

    batch->bytes = goes_on && length < batch->bytes ? batch->bytes - length : 0;
    batch->unread -= (int)(strlen(topic) + length);
}

/* One packet, or none. False: the connection is gone. */
static bool read_packet(struct mqtt_link *link, struct batch *batch)
{
    char *topic = NULL;
    int topic_length = 0;
    MQTTClient_message *message = NULL;
    int result = MQTTClient_receive(link->paho, &topic, &topic_length, &message, 0);

    batch->unread -= ACK_BYTES;
    batch->silent = message == NULL ? batch->silent + 1 : 0;
    if (message != NULL) {
        /* A topic with a NUL in it would be read as another, shorter one. */
        if (result != MQTTCLIENT_TOPICNAME_TRUNCATED) {
            deliver(link, batch, topic, message);
        }
        MQTTClient_freeMessage(&message);
        MQTTClient_free(topic);
    }
    return result == MQTTCLIENT_SUCCESS || result == MQTTCLIENT_TOPICNAME_TRUNCATED;
}

/* Paho itself may hold something back: messages that came while a job waited, or, with TLS, what
 * OpenSSL has decrypted. A receive without a message finds the end of the former, and two of the
 * latter. */
static int silence_wanted(const struct mqtt_link *link)
{
    return link->options.url.tls ? 2 : link->has_waited ? 1 : 0;
}

/* True: there may be more. */
static bool read_packets(struct mqtt_link *link, struct batch *batch)
{
    batch->unread = unread_bytes(link);
    if (batch->unread > 0) {
        link->heard_at = clock_now().mono;
    }
    for (int count = 0; count < PACKETS_AT_ONCE && batch->bytes > 0; count++) {
        if (!read_packet(link, batch)) {
            lost(link);
            return false;
        }
        if (batch->silent > 0) {
            batch->had_silence = true;
            link->has_waited = false;
            tell_answer(link);
        }
        if (batch->unread <= 0 && batch->silent >= silence_wanted(link)) {
            batch->unread = unread_bytes(link);
            if (batch->unread == 0) {
                return false;
            }
        }
    }
    return true;
}

static void give_up_job(struct mqtt_link *link)
{
    if (awaits_answer(link->job) && clock_now().mono.ms - link->job_since.ms >= ANSWER_MS &&
        mqtt_socket_is_peer(link->fd, link->options.url.port)) {
        shutdown(link->fd, SHUT_RDWR);
    }
}

static bool direct_read(struct mqtt_link *link)
{
    eventfd_t count;
    struct batch batch = {.bytes = BYTES_AT_ONCE};
    bool more;

    if (link->job != NULL) {
        if (eventfd_read(link->done_fd, &count) != 0) {
            give_up_job(link);
            return false;
        }
        finish_job(link);
    }
    if (link->state != MQTT_LINK_UP) {
        return false;
    }
    more = read_packets(link, &batch);
    if (link->state != MQTT_LINK_UP) {
        return false;
    }
    if (batch.had_silence) {
        reap(link);
    }
    start_next_job(link);
    if (link->job == NULL) {
        hear(link, true);
    }
    return more && link->job == NULL;
}

static enum mqtt_link_state direct_state(const struct mqtt_link *link)
{
    return link->state;
}

const struct mqtt_link_operations mqtt_link_direct = {
    .make = direct_new,
    .free = direct_free,
    .connect = direct_connect,
    .state = direct_state,
    .takes = direct_takes,
    .publish = direct_publish,
    .done = direct_done,
    .watch = direct_watch,
    .subscribe = direct_subscribe,
    .unsubscribe = direct_unsubscribe,
    .goodbye = direct_goodbye,
    .flush = direct_flush,
    .read = direct_read,
};
