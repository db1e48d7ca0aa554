#include "controller/daemon/connections.h"

#include "controller/config/broker_options.h"
#include "controller/support/certificate.h"
#include "controller/support/event_loop.h"
#include "topics/request.h"

#define KEEP_ALIVE_S 2 /* C12 */

enum status connections_broker(
    const struct settings *settings, struct connection_names *names,
    struct mqtt_options *ret_options, struct text *why)
{
    static const char will[] = "{\"status\":\"lost\"}";
    struct text id = text_over(names->client_id, sizeof names->client_id);
    enum status status = topic_build(
        names->will_topic, sizeof names->will_topic, settings->controller.prefix,
        TOPIC_CONTROLLER_STATUS, settings->controller.id, NULL);

    if (status != STATUS_OK) {
        text_addf(why, "[controller] id: cannot be part of a topic");
        return status;
    }
    text_addf(&id, "%s-controller-%s", settings->controller.prefix, settings->controller.id);
    *ret_options = broker_options(settings);
    ret_options->client_id = names->client_id;
    ret_options->keep_alive_s = KEEP_ALIVE_S;
    ret_options->direct = true;
    ret_options->will_topic = names->will_topic;
    ret_options->will_payload = will;
    ret_options->request_bytes = REQUEST_BYTES_MAX + 1;
    ret_options->perishes = topic_is_response;
    return STATUS_OK;
}

struct redis_options connections_store(const struct settings *settings, struct event_base *base)
{
    return (struct redis_options){
        .url = settings->redis.url,
        .username = settings->redis.username,
        .password = settings->redis.password,
        .sentinels = settings->redis.sentinels,
        .master = settings->redis.master,
        .sentinel_password = settings->redis.sentinel_password,
        .prefix = settings->controller.prefix,
        .base = base,
    };
}

/* A file that holds none lets no connection come about, ever. */
static enum status check_certificate(const char *key, const char *path, struct text *why)
{
    struct certificate certificate;
    enum status status = STATUS_OK;
    TEXT_LOCAL(reason, 512);

    if (path[0] != '\0') {
        status = certificate_read(path, &certificate, &reason);
    }
    if (status != STATUS_OK) {
        text_addf(why, "[mqtt] %s: %s", key, reason.data);
    }
    return status;
}

static enum status check_store(const struct settings *settings, struct text *why)
{
    const struct store_events nobody = {0}; /* the loop does not turn: nothing is told */
    struct event_loop events;
    struct store *store = NULL;
    enum status status = event_loop_open(&events);

    if (status == STATUS_OK) {
        struct redis_options options = connections_store(settings, events.base);
        status = redis_store_new(&options, &nobody, &store, why);
    }
    if (store != NULL) {
        store->operations->close(store);
    }
    event_loop_close(&events);
    return status;
}

enum status connections_check(const struct settings *settings, struct text *why)
{
    struct connection_names names;
    struct mqtt_options options;
    enum status status = connections_broker(settings, &names, &options, why);

    if (status == STATUS_OK) {
        status = mqtt_check(&options, why);
    }
    if (status == STATUS_OK) {
        status = check_certificate("ca_file", settings->mqtt.ca_file, why);
    }
    if (status == STATUS_OK) {
        status = check_certificate("cert_file", settings->mqtt.cert_file, why);
    }
    if (status == STATUS_OK) {
        status = check_store(settings, why);
    }
    if (status != STATUS_OK && why->length == 0) {
        text_add(why, status_text(status));
    }
    return status;
}
