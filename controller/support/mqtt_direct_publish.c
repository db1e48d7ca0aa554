/* What the direct link publishes, and what of it is acknowledged. */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "controller/support/mqtt_direct_parts.h"

/* What is in flight (at most MQTT_IN_FLIGHT_BYTES_MAX) and one such message more are less than
 * MQTT_SEND_BUFFER_BYTES: no call that publishes one has to wait. */
#define DIRECT_BYTES_MAX (32 * 1024)
/* QoS 0 is not acknowledged: where that much has not left yet, it is not worth its place. */
#define UNSENT_BYTES_MAX (32 * 1024)
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

void direct_finish_publish(struct mqtt_link *link, struct outbox_message *message, int result)
{
    if (message->qos > 0) {
        keep_sent(link, message);
    } else {
        keep_done(link, message);
    }
    if (result != MQTTCLIENT_SUCCESS) {
        direct_lost(link);
    }
}

/* A large message that waits for its turn is not overtaken by a newer one of its topic. */
static bool waits_to_publish(const struct mqtt_link *link)
{
    for (const struct mqtt_job *job = link->jobs; job != NULL; job = job->next) {
        if (job->kind == MQTT_JOB_PUBLISH) {
            return true;
        }
    }
    return false;
}

bool direct_takes(const struct mqtt_link *link)
{
    return link->state == MQTT_LINK_UP && link->job == NULL && !waits_to_publish(link);
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

static enum status publish_large(struct mqtt_link *link, struct outbox_message *message)
{
    struct mqtt_job *job;
    enum status status = direct_add_job(link, MQTT_JOB_PUBLISH, NULL, NULL, 0, &job);

    if (status == STATUS_OK) {
        job->message = message;
        direct_start_next_job(link);
    }
    return status;
}

static bool is_congested(const struct mqtt_link *link)
{
    int unsent = 0;
    return ioctl(link->fd, SIOCOUTQ, &unsent) != 0 || unsent > UNSENT_BYTES_MAX;
}

enum status direct_publish(struct mqtt_link *link, struct outbox_message *message)
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
    direct_finish_publish(link, message, result);
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
