/* What the direct link publishes, and what of it is acknowledged.
 *
 * What the socket's buffer does not take at once, Paho goes on writing in the call: in steps of
 * 100 ms, until the broker has read enough, whenever that is. So a message is published only when
 * it finds room in one piece. The kernel tells how much there is, bookkeeping included, and is
 * asked again when that is used up. Two thirds of the buffer are used: with more in it the socket
 * is not writable to poll, and from such a one Paho does not read either. Of what is asked for
 * (MQTT_SEND_BUFFER_BYTES) that is 278 KB in large pieces and 260 KB in small ones, of 425 KB that
 * fit; 210 KB and 307 KB where the peer's window is tiny. */
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/support/mqtt_direct_inside.h"

/* A message may get a segment of its own, and that is what the kernel counts for one. */
#define SEGMENT_BYTES 1536
/* Behind a large message there is room for others; and QoS 0, which is not acknowledged, is not
 * worth the last room. */
#define RESERVE_BYTES (48 * 1024)
/* The first message of a turn leaves at once, a command mostly. Those behind it share segments, and
 * each time so many have come they leave. */
#define CORKED_MAX 32

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

/* What it takes of the socket's buffer at most: TLS writes pieces of 16 KiB. */
static size_t cost_of(const struct outbox_message *message)
{
    size_t bytes = strlen(message->topic) + message->length;
    return bytes + bytes / 8 + SEGMENT_BYTES;
}

static bool has_room(struct mqtt_link *link, size_t bytes)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    size_t usable;
    size_t used;

    if (link->room >= bytes) {
        return true;
    }
    if (getsockopt(link->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) {
        return true; /* Paho has closed it, and whoever publishes finds that out */
    }
    usable = (size_t)memory[SK_MEMINFO_SNDBUF] / 3 * 2;
    used = memory[SK_MEMINFO_WMEM_QUEUED];
    link->room = used < usable ? usable - used : 0;
    /* A host may grant a smaller buffer than was asked for: nothing waits for ever. */
    return link->room >= bytes || used == 0;
}

bool direct_takes(struct mqtt_link *link, const struct outbox_message *message)
{
    size_t reserve = outbox_is_large(message) ? RESERVE_BYTES : 0;

    return link->state == MQTT_LINK_UP && link->job == NULL &&
           (message->qos == 0 || has_room(link, cost_of(message) + reserve));
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
void direct_flush(struct mqtt_link *link)
{
    if (link->published > 0 && link->state == MQTT_LINK_UP) {
        uncork(link);
        if (link->job == NULL && !MQTTClient_isConnected(link->paho)) {
            direct_lost(link);
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

static void publish_now(struct mqtt_link *link, struct outbox_message *message)
{
    size_t cost = cost_of(message);
    int result;

    gather(link);
    result = MQTTClient_publish(
        link->paho, message->topic, (int)message->length, message->payload, message->qos,
        message->retain, &message->token);
    /* After a large one it is looked again: what that took depends on the peer's window. */
    link->room = cost < link->room && !outbox_is_large(message) ? link->room - cost : 0;
    if (message->qos > 0) {
        keep_sent(link, message);
    } else {
        keep_done(link, message);
    }
    if (result != MQTTCLIENT_SUCCESS) {
        direct_lost(link);
    }
}

enum status direct_publish(struct mqtt_link *link, struct outbox_message *message)
{
    if (link->state != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    if (!direct_takes(link, message)) {
        return STATUS_BUSY;
    }
    if (message->qos == 0 && !has_room(link, cost_of(message) + RESERVE_BYTES)) {
        keep_done(link, message);
    } else {
        publish_now(link, message);
    }
    return STATUS_OK;
}

/* What Paho does not count among what is in flight any more, the broker has acknowledged. Paho
 * keeps the order in which it was sent. */
void direct_reap(struct mqtt_link *link)
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

struct outbox_message *direct_done(struct mqtt_link *link)
{
    struct outbox_message *done = link->done;

    link->done = NULL;
    return done;
}

/* Acknowledgements are read where messages are, which wakes the owner in any case. */
void direct_watch(struct mqtt_link *link, bool watch)
{
    (void)link;
    (void)watch;
}
