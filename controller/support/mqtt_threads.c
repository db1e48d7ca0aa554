/* A link on Paho's own threads: the only user of MQTTAsync.h. Paho holds its one lock while it
 * resolves a name and while it calls back, so a link that is connecting is left alone. Any number
 * of links live in one process. */
#include <MQTTAsync.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/support/mqtt_link.h"
#include "controller/support/mqtt_reason.h"
#include "controller/support/mqtt_socket.h"
#include "controller/support/text.h"

#define REFUSED_FILTER 0x80 /* SUBACK, MQTT 3.1.1 section 3.9.3 */

/* What a SUBACK is matched with; lives as long as its link. */
struct subscription {
    struct mqtt_link *link;
    struct subscription *next;
    size_t count;
    int token;
};

struct mqtt_link {
    struct mqtt_link_options options;
    struct mqtt_link_events events;
    MQTTAsync paho;
    struct subscription *subscriptions;
    _Atomic(struct outbox_message *) done;
    atomic_bool watched;
    atomic_int state;
    atomic_int fd;                         /* of Paho's socket while it is known, else -1 */
    char tls_reason[MQTT_TLS_REASON_SIZE]; /* touched by Paho's threads only */
};

/* The transition to DOWN happens once, whatever Paho calls. */
static void go_down(struct mqtt_link *link, const char *reason)
{
    int state = atomic_load(&link->state);

    while (state == MQTT_LINK_CONNECTING || state == MQTT_LINK_UP) {
        if (atomic_compare_exchange_weak(&link->state, &state, MQTT_LINK_DOWN)) {
            atomic_store(&link->fd, -1);
            link->events.disconnected(link->events.context, reason);
            return;
        }
    }
}

static void on_connection_lost(void *context, char *cause)
{
    go_down(context, cause != NULL ? cause : "connection lost");
}

static int on_message(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct mqtt_link *link = context;

    /* A topic with a NUL in it would be read as another, shorter one. */
    if (topic_length <= 0 || strlen(topic) == (size_t)topic_length) {
        link->events.message(
            link->events.context, topic, message->payload, (size_t)message->payloadlen,
            message->retained != 0);
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1; /* else Paho keeps it, without bound */
}

static void on_connect_success(void *context, MQTTAsync_successData *data)
{
    struct mqtt_link *link = context;
    int connecting = MQTT_LINK_CONNECTING;

    (void)data;
    atomic_store(&link->fd, mqtt_socket_prepare(link->options.url.port));
    if (atomic_compare_exchange_strong(&link->state, &connecting, MQTT_LINK_UP)) {
        link->events.connected(link->events.context);
    }
}

static void on_connect_failure(void *context, MQTTAsync_failureData *data)
{
    struct mqtt_link *link = context;
    TEXT_LOCAL(reason, 512);

    mqtt_connect_reason(
        &link->options.url, data == NULL ? 0 : data->code, link->tls_reason, &reason);
    go_down(link, reason.data);
}

static int on_tls_error(const char *string, size_t length, void *context)
{
    struct mqtt_link *link = context;

    mqtt_keep_tls_reason(link->tls_reason, string, length);
    return 1;
}

static void on_published(void *context, MQTTAsync_successData *data)
{
    struct outbox_message *message = context;
    struct mqtt_link *link = message->carrier;
    struct outbox_message *head = atomic_load(&link->done);

    (void)data;
    do {
        message->next_done = head;
    } while (!atomic_compare_exchange_weak(&link->done, &head, message));
    if (atomic_load(&link->watched)) {
        link->events.progress(link->events.context);
    }
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    const struct subscription *subscription = context;
    struct mqtt_link *link = subscription->link;
    bool granted = true;

    if (subscription->count == 1) {
        granted = data->alt.qos != REFUSED_FILTER;
    }
    for (size_t i = 0; subscription->count > 1 && i < subscription->count; i++) {
        granted = granted && data->alt.qosList[i] != REFUSED_FILTER;
    }
    link->events.subscribed(link->events.context, subscription->token, granted);
}

static void on_subscribe_failed(void *context, MQTTAsync_failureData *data)
{
    const struct subscription *subscription = context;
    struct mqtt_link *link = subscription->link;

    /* Anything else is the end of the connection, which is told by itself. */
    if (data != NULL && data->code == REFUSED_FILTER) {
        link->events.subscribed(link->events.context, subscription->token, false);
    }
}

static void on_goodbye(void *context, MQTTAsync_successData *data)
{
    struct mqtt_link *link = context;

    (void)data;
    atomic_store(&link->fd, -1);
    atomic_store(&link->state, MQTT_LINK_CLOSED);
}

static void link_free(struct mqtt_link *link)
{
    struct subscription *subscription;
    int fd;

    if (link == NULL) {
        return;
    }
    /* Paho would say goodbye by itself, and the broker would then keep the last will. */
    fd = atomic_load(&link->fd);
    if (fd >= 0 && mqtt_socket_is_peer(fd, link->options.url.port)) {
        shutdown(fd, SHUT_RDWR);
    }
    MQTTAsync_destroy(&link->paho);
    while ((subscription = link->subscriptions) != NULL) {
        link->subscriptions = subscription->next;
        free(subscription);
    }
    free(link);
}

/* Paho's threads wait for nobody else's sake. */
static bool link_let_go(struct mqtt_link *link, int timeout_ms)
{
    (void)link;
    (void)timeout_ms;
    return true;
}

static enum status link_new(
    const struct mqtt_link_options *options, const struct mqtt_link_events *events,
    struct mqtt_link **ret_link)
{
    TEXT_LOCAL(address, MQTT_ADDRESS_SIZE);
    struct mqtt_link *link = calloc(1, sizeof *link);

    if (link == NULL) {
        return STATUS_NO_MEMORY;
    }
    link->options = *options;
    link->events = *events;
    atomic_store(&link->fd, -1);
    mqtt_address(&options->url, &address);
    if (MQTTAsync_create(
            &link->paho, address.data, options->client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
        MQTTASYNC_SUCCESS) {
        free(link);
        return STATUS_NO_MEMORY;
    }
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR); /* else it formats lines that nobody reads */
    if (MQTTAsync_setCallbacks(link->paho, link, on_connection_lost, on_message, NULL) !=
        MQTTASYNC_SUCCESS) {
        link_free(link);
        return STATUS_NO_MEMORY;
    }
    *ret_link = link;
    return STATUS_OK;
}

static void fill_tls(struct mqtt_link *link, MQTTAsync_SSLOptions *tls)
{
    tls->trustStore = link->options.ca_file;
    tls->keyStore = link->options.cert_file;
    tls->privateKey = link->options.key_file;
    tls->enableServerCertAuth = 1;
    tls->verify = 1; /* the host name, too */
    tls->disableDefaultTrustStore = link->options.ca_file != NULL;
    tls->ssl_error_cb = on_tls_error;
    tls->ssl_error_context = link;
}

static enum status link_connect(struct mqtt_link *link)
{
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

    if (link->options.will_topic != NULL) {
        will.topicName = link->options.will_topic;
        will.message = link->options.will_payload;
        will.qos = 1;
        will.retained = 1;
        options.will = &will;
    }
    if (link->options.url.tls) {
        fill_tls(link, &tls);
        options.ssl = &tls;
    }
    options.keepAliveInterval = link->options.keep_alive_s;
    options.cleansession = !link->options.persistent_session;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.automaticReconnect = 0;
    options.maxInflight = USHRT_MAX; /* ours is the limit that counts */
    options.connectTimeout = MQTT_CONNECT_TIMEOUT_S;
    options.username = link->options.username;
    options.password = link->options.password;
    options.onSuccess = on_connect_success;
    options.onFailure = on_connect_failure;
    options.context = link;
    atomic_store(&link->state, MQTT_LINK_CONNECTING);
    if (MQTTAsync_connect(link->paho, &options) != MQTTASYNC_SUCCESS) {
        atomic_store(&link->state, MQTT_LINK_DOWN);
        return STATUS_IO;
    }
    return STATUS_OK;
}

static enum mqtt_link_state link_state(const struct mqtt_link *link)
{
    return (enum mqtt_link_state)atomic_load(&link->state);
}

static enum status status_of(int paho_result)
{
    switch (paho_result) {
    case MQTTASYNC_SUCCESS:
        return STATUS_OK;
    case MQTTASYNC_BAD_UTF8_STRING:
    case MQTTASYNC_BAD_QOS:
        return STATUS_INVALID;
    default:
        return STATUS_DISCONNECTED;
    }
}

static enum status link_publish(struct mqtt_link *link, struct outbox_message *message)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;

    if (link_state(link) != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    message->carrier = link;
    message->next_done = NULL;
    response.onSuccess = on_published;
    response.context = message;
    return status_of(MQTTAsync_send(
        link->paho, message->topic, (int)message->length, message->payload, message->qos,
        message->retain, &response));
}

static struct outbox_message *link_done(struct mqtt_link *link)
{
    if (atomic_load(&link->done) == NULL) {
        return NULL;
    }
    return atomic_exchange(&link->done, NULL);
}

static void link_watch(struct mqtt_link *link, bool watch)
{
    atomic_store(&link->watched, watch);
}

static enum status link_subscribe(
    struct mqtt_link *link, const char *const filters[], const int qos[], size_t count, int token)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    struct subscription *subscription;

    if (link_state(link) != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    subscription = malloc(sizeof *subscription);
    if (subscription == NULL) {
        return STATUS_NO_MEMORY;
    }
    *subscription = (struct subscription){
        .link = link, .next = link->subscriptions, .count = count, .token = token};
    link->subscriptions = subscription;
    response.onSuccess = on_subscribed;
    response.onFailure = on_subscribe_failed;
    response.context = subscription;
    return status_of(MQTTAsync_subscribeMany(
        link->paho, (int)count, (char *const *)(uintptr_t)filters, qos, &response));
}

static enum status link_unsubscribe(struct mqtt_link *link, const char *filter)
{
    if (link_state(link) != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    return status_of(MQTTAsync_unsubscribe(link->paho, filter, NULL));
}

static enum status link_goodbye(struct mqtt_link *link)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

    if (link_state(link) != MQTT_LINK_UP) {
        return STATUS_DISCONNECTED;
    }
    options.timeout = 0; /* whoever calls this has waited for what is in flight */
    options.onSuccess = on_goodbye;
    options.context = link;
    return status_of(MQTTAsync_disconnect(link->paho, &options));
}

static bool link_takes(struct mqtt_link *link, const struct outbox_message *message)
{
    (void)link;
    (void)message;
    return true;
}

static void link_flush(struct mqtt_link *link)
{
    (void)link;
}

static bool link_read(struct mqtt_link *link)
{
    (void)link;
    return false;
}

const struct mqtt_link_operations mqtt_link_threads = {
    .make = link_new,
    .free = link_free,
    .let_go = link_let_go,
    .connect = link_connect,
    .state = link_state,
    .takes = link_takes,
    .publish = link_publish,
    .done = link_done,
    .watch = link_watch,
    .subscribe = link_subscribe,
    .unsubscribe = link_unsubscribe,
    .goodbye = link_goodbye,
    .flush = link_flush,
    .read = link_read,
};
