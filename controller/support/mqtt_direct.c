/* A link that reads and writes on its owner's thread.
 *
 * Paho's synchronous client, without callbacks, works in the calls that are made to it. Those that
 * would wait (connect, subscribe, unsubscribe) are jobs, one after the other, each on a thread of
 * its own; meanwhile the handle is the job's, and the owner publishes and reads nothing. Nothing
 * else waits: a message is published when the socket's buffer takes all of it, see
 * mqtt_direct_publish.c.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/mqtt_direct_inside.h"
#include "controller/support/mqtt_socket.h"

/* Packets and bytes that are read at once; then those who sent them are answered. */
#define PACKETS_AT_ONCE 256
#define BYTES_AT_ONCE (1024 * 1024)
/* PUBACK, and about what else brings no message: what one such packet takes of what is unread. */
#define ACK_BYTES 4

void direct_hear(struct mqtt_link *link, bool on)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (on != link->is_heard && link->fd >= 0) {
        epoll_ctl(link->options.epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, link->fd, &event);
        link->is_heard = on;
    }
}

/* No job is under way. */
void direct_go_down(struct mqtt_link *link, const char *reason)
{
    if (link->state == MQTT_LINK_CONNECTING || link->state == MQTT_LINK_UP) {
        link->state = MQTT_LINK_DOWN;
        direct_hear(link, false);
        direct_drop_jobs(link);
        link->events.disconnected(link->events.context, reason);
    }
}

void direct_lost(struct mqtt_link *link)
{
    direct_go_down(link, "connection lost");
}

/* Paho would say goodbye by itself, and the broker would then keep the last will. The socket may
 * be closed by now, and its number another's. */
static void cut(struct mqtt_link *link)
{
    if (link->fd >= 0 && mqtt_socket_is_peer(link->fd, link->options.url.port)) {
        direct_hear(link, false);
        shutdown(link->fd, SHUT_RDWR);
    }
}

static bool direct_let_go(struct mqtt_link *link, int timeout_ms)
{
    struct pollfd done = {.fd = link->done_fd, .events = POLLIN};

    if (link->job == NULL) {
        return true;
    }
    cut(link);
    return poll(&done, 1, timeout_ms) == 1;
}

static void direct_free(struct mqtt_link *link)
{
    if (link == NULL) {
        return;
    }
    cut(link);
    if (link->job != NULL) {
        mqtt_job_join(link->job);
        mqtt_job_free(link->job);
    }
    if (link->state != MQTT_LINK_CLOSED) {
        (void)MQTTClient_disconnect(link->paho, 0);
    }
    MQTTClient_destroy(&link->paho);
    direct_drop_jobs(link);
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
 * latter, if they were not acknowledgements: with TLS a batch that read anything has one behind. */
static int silence_wanted(const struct mqtt_link *link)
{
    return link->options.url.tls ? 2 : link->has_waited ? 1 : 0;
}

/* True: there may be more. */
static bool read_packets(struct mqtt_link *link, struct batch *batch)
{
    bool any = false;

    batch->unread = unread_bytes(link);
    if (batch->unread > 0) {
        link->heard_at = clock_now().mono;
        any = true;
    }
    for (int count = 0; count < PACKETS_AT_ONCE && batch->bytes > 0; count++) {
        if (!read_packet(link, batch)) {
            direct_lost(link);
            return false;
        }
        if (batch->silent > 0) {
            batch->had_silence = true;
            link->has_waited = false;
            direct_tell_answer(link);
        }
        if (batch->unread <= 0 && batch->silent >= silence_wanted(link)) {
            batch->unread = unread_bytes(link);
            if (batch->unread == 0) {
                return link->options.url.tls && any;
            }
        }
    }
    return true;
}

static bool direct_read(struct mqtt_link *link)
{
    eventfd_t count;
    struct batch batch = {.bytes = BYTES_AT_ONCE};
    bool more;

    if (link->job != NULL) {
        if (eventfd_read(link->done_fd, &count) != 0) {
            direct_give_up_job(link);
            return false;
        }
        direct_finish_job(link);
    }
    if (link->state != MQTT_LINK_UP) {
        return false;
    }
    more = read_packets(link, &batch);
    if (link->state != MQTT_LINK_UP) {
        return false;
    }
    if (batch.had_silence) {
        /* Paho closes a connection by itself when nobody answers its ping, says nothing, and has
         * then forgotten what was in flight: that is not acknowledged. */
        if (!MQTTClient_isConnected(link->paho)) {
            direct_lost(link);
            return false;
        }
        direct_reap(link);
    }
    link->is_drained = !more;
    direct_start_next_job(link);
    if (link->job == NULL) {
        direct_hear(link, true);
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
    .let_go = direct_let_go,
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
