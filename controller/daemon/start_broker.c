/* The broker's half of a start (C9.4), and what every connect brings: which topics are subscribed
 * when, and what was retained on them. */
#include <sodium.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/daemon/restore.h"
#include "controller/support/json.h"
#include "controller/support/log.h"

enum {
    TOKEN_COLLECT = 1,
    TOKEN_LIVE = 2,
    TOKEN_STATES = 3,
};

#define MARKER_AGAIN_MS 1000
#define UNHEARD_MS 10000
#define FILTERS_MAX 12
/* Who leads at once subscribes then. Who has to wait hears meanwhile what will be his to answer. */
#define LISTEN_SOON_MS 500

static void subscribe(
    struct controller *controller, const enum topic_id *ids, const int *qos, size_t count,
    int token)
{
    char filters[FILTERS_MAX][TOPIC_SIZE];
    const char *pointers[FILTERS_MAX];
    int all_qos[FILTERS_MAX];

    for (size_t i = 0; i < count; i++) {
        /* Of all services only the watcher is this controller's business (C11.6). */
        enum status status =
            ids[i] == TOPIC_SERVICE
                ? topic_build(
                      filters[i], sizeof filters[i], prefix(controller), ids[i], "watcher", NULL)
                : topic_filter(filters[i], sizeof filters[i], prefix(controller), ids[i]);
        if (status != STATUS_OK) {
            return;
        }
        pointers[i] = filters[i];
        all_qos[i] = qos[i];
    }
    if (token == TOKEN_LIVE && discovery_birth_filter(controller, filters[count]) == STATUS_OK) {
        pointers[count] = filters[count];
        all_qos[count] = 0; /* what Home Assistant publishes it with */
        count++;
    }
    if (controller->ports.broker.subscribe(
            controller->ports.broker.context, pointers, all_qos, count, token) != STATUS_OK) {
        log_warning("could not subscribe; the connection is lost and will be made again");
    }
}

static void subscribe_retained(struct controller *controller)
{
    /* At QoS 1 the broker's queue would drop most of a large fleet's states. */
    static const enum topic_id ids[] = {
        TOPIC_STATE, TOPIC_BLOCKS, TOPIC_CONTROLLER_STATUS, TOPIC_CONTROLLER_MARKER};
    static const int qos[] = {0, 0, 0, 0};

    subscribe(controller, ids, qos, 4, TOKEN_COLLECT);
}

void subscribe_live(struct controller *controller)
{
    static const enum topic_id ids[] = {
        TOPIC_REPORT,      TOPIC_LINK,    TOPIC_PONG,    TOPIC_SET_OOPS,
        TOPIC_SET_LOCKOUT, TOPIC_REQUEST, TOPIC_SERVICE, TOPIC_CONTROLLER_STATUS};
    /* Reports at QoS 0 (C2): an acknowledgement of each costs Paho two wake-ups more, and protects
     * from nothing, since a device says again what no command has answered (C7.4). */
    static const int qos[] = {0, 1, 0, 1, 1, 1, 1, 0};

    controller->listen_at = (struct mono_time){0};
    subscribe(controller, ids, qos, sizeof ids / sizeof ids[0], TOKEN_LIVE);
    watcher_watch_begin(controller);
}

/* Also what the retained states tell: somebody may have led while this leader was away. */
static void subscribe_states(struct controller *controller)
{
    static const enum topic_id id = TOPIC_STATE;
    static const int qos = 0;

    subscribe(controller, &id, &qos, 1, TOKEN_STATES);
    beside_listen(controller);
}

void unsubscribe_retained(struct controller *controller)
{
    static const enum topic_id ids[] = {TOPIC_STATE, TOPIC_CONTROLLER_MARKER};
    char filter[TOPIC_SIZE];

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (topic_filter(filter, sizeof filter, prefix(controller), ids[i]) == STATUS_OK) {
            enum status status =
                controller->ports.broker.unsubscribe(controller->ports.broker.context, filter);
            (void)status; /* without a connection there is nothing to unsubscribe */
        }
    }
}

void start_collecting(struct controller *controller)
{
    controller->phase = PHASE_COLLECTING;
    judge_drop_waiting(controller); /* newer ones may have been missed */
    controller->said_standby = false;
    controller->listen_at = (struct mono_time){0};
    subscribe_retained(controller);
}

void controller_on_connected(struct controller *controller)
{
    refresh_now(controller);
    controller->connected = true;
    controller->broker_trouble[0] = '\0';
    controller->unheard_at.ms = controller->now.mono.ms + UNHEARD_MS;
    log_info("connected to the broker at %s", controller->settings->mqtt.url);
    if (controller->phase == PHASE_READY) {
        subscribe_live(controller);
        subscribe_states(controller);
    } else if (controller->phase == PHASE_TAKING) {
        subscribe_retained(controller);
        subscribe_live(controller);
    } else {
        start_collecting(controller);
    }
    /* The broker may have forgotten, or remember too much (C2): everything is published again as
     * soon as it is certain that nobody else leads (C12.2). */
    lead_event(controller, LEASE_BROKER_UP);
}

void controller_on_disconnected(struct controller *controller, const char *reason)
{
    refresh_now(controller);
    if (controller->connected) {
        log_warning(
            "the broker is gone (%s): running machines keep running, no new card opens", reason);
    } else if (strcmp(reason, controller->broker_trouble) != 0) {
        log_warning(
            "no broker at %s (%s); trying again, for ever", controller->settings->mqtt.url, reason);
    }
    text_copy(controller->broker_trouble, sizeof controller->broker_trouble, reason);
    controller->connected = false;
    start_is_heard(controller);
    liveness_hears(controller, false);
    watcher_watch_pause(controller);
    lead_event(controller, LEASE_BROKER_DOWN);
    controller->marker_again = (struct mono_time){0};
}

void start_is_heard(struct controller *controller)
{
    controller->unheard_at = (struct mono_time){0};
    controller->is_unheard = false;
}

/* A broker never says that it swallows what an account may not publish, or may not read. */
void start_tell_unheard(struct controller *controller)
{
    const struct settings *settings = controller->settings;
    bool has_account = settings->mqtt.username[0] != '\0';

    controller->unheard_at = (struct mono_time){0};
    controller->is_unheard = true;
    log_warning(
        "the broker brings back nothing of what this controller says to itself "
        "(%s/controller/%s/marker), so it waits: does the broker's access list let %s%s write and "
        "read what stands under [controller] prefix \"%s\"? When it does, restart the broker",
        settings->controller.prefix, settings->controller.id,
        has_account ? "account " : "clients without an account", settings->mqtt.username,
        settings->controller.prefix);
}

void publish_marker(struct controller *controller)
{
    controller->marker_again.ms = controller->now.mono.ms + MARKER_AGAIN_MS;
    publish(
        controller, TOPIC_CONTROLLER_MARKER, controller->settings->controller.id, NULL,
        controller->marker, strlen(controller->marker));
}

void controller_on_subscribed(struct controller *controller, int token, bool granted)
{
    unsigned char nonce[(sizeof controller->marker - 1) / 2];

    refresh_now(controller);
    if (!granted) {
        log_error("the broker refuses a subscription: check its access list for this account");
    }
    if (token == TOKEN_LIVE && granted) {
        liveness_hears(controller, controller->phase == PHASE_READY); /* a standby judges nobody */
        if (controller->phase == PHASE_READY || controller->said_standby) {
            say_ready(controller);
        }
    }
    if (token != TOKEN_COLLECT || controller->phase != PHASE_COLLECTING) {
        return; /* all was collected before the connection broke */
    }
    randombytes_buf(nonce, sizeof nonce);
    sodium_bin2hex(controller->marker, sizeof controller->marker, nonce, sizeof nonce);
    publish_marker(controller);
}

void start_collected(struct controller *controller, const char *payload, size_t length)
{
    if (controller->phase != PHASE_COLLECTING || length != strlen(controller->marker) ||
        memcmp(payload, controller->marker, length) != 0) {
        return;
    }
    start_is_heard(controller);
    controller->phase = PHASE_STANDBY;
    controller->marker_again = (struct mono_time){0};
    controller->listen_at.ms = controller->now.mono.ms + LISTEN_SOON_MS;
    lead_event(controller, LEASE_BROKER_READ);
}

static void
hear_state(struct controller *controller, struct machine *machine, const struct record *found)
{
    /* What a device made its machine's version be (C12.3) deposes nobody: it is known here. */
    if (version_compare(found->core.version, machine->record.core.version) > 0) {
        lead_on_epoch(controller, found->core.version.epoch);
    }
    if (controller->phase == PHASE_READY) {
        beside_hear(controller, machine, found);
        return;
    }
    merge_copy(machine, found, false);
    judge_forget_kept(machine);
    held_forget_reports(controller, machine);
}

void start_retained_state(
    struct controller *controller, const char *name, const char *payload, size_t length)
{
    struct state_copy copy;
    struct record found;
    struct machine *machine;
    TEXT_LOCAL(why, 256);

    if (length == 0) {
        return;
    }
    if (state_parse(payload, length, &copy, &why) != STATUS_OK) {
        controller->counters.bad_messages++;
        log_warning("%s: its retained state is not used: %s", name, why.data);
        return;
    }
    lease_hear(&controller->lease, copy.state.version.epoch);
    if (strcmp(copy.state.machine, name) == 0 &&
        fleet_add(controller->fleet, name, &machine) == STATUS_OK) {
        restore_record(&copy.state, &found);
        hear_state(controller, machine, &found);
    }
    state_copy_free(&copy);
}

void start_controller_status(
    struct controller *controller, const char *id, const char *payload, size_t length)
{
    struct lease_status said = {.id = id};
    struct json *document;
    TEXT_LOCAL(why, 256);

    if (length == 0) {
        return;
    }
    if (json_parse(payload, length, &document, &why) != STATUS_OK) {
        controller->counters.bad_messages++;
        return;
    }
    said.epoch = json_get_integer(document, "epoch", VERSION_EPOCH_HEARD_MAX);
    said.runs = strcmp(json_get_string(document, "status"), "running") == 0;
    said.leads = json_get_bool(document, "leader");
    said.without_redis = strcmp(json_get_string(document, "redis"), "down") == 0;
    lead_on_status(controller, &said);
    json_free(document);
}
