#include "controller/support/mqtt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "controller/support/mqtt_inside.h"

#define GOODBYE_MS 200
/* Of a client on Paho's threads: the one that reads waits for a second at most, and then sleeps for
 * 100 ms. */
#define STAY_AWAKE_MS 800
#define STOP_POLL_MS 2
/* Paho minds the connection in calls that read. */
#define LOOK_MS 500

/* The descriptor stays the same whatever connection it is about. */
static enum status choose_link(struct mqtt *mqtt, bool direct)
{
    mqtt->operations = direct ? &mqtt_link_direct : &mqtt_link_threads;
    mqtt->intake.is_owners = direct;
    mqtt->epoll = direct ? epoll_create1(EPOLL_CLOEXEC) : -1;
    mqtt->settings.link.epoll = mqtt->epoll;
    return direct && mqtt->epoll < 0 ? STATUS_IO : STATUS_OK;
}

static enum status make_link(struct mqtt *mqtt, struct mqtt_link **ret_link)
{
    const struct mqtt_link_events events = mqtt_intake_events(&mqtt->intake);
    return mqtt->operations->make(&mqtt->settings.link, &events, ret_link);
}

static void close_epoll(struct mqtt *mqtt)
{
    if (mqtt->epoll >= 0) {
        close(mqtt->epoll);
    }
}

enum status mqtt_new(const struct mqtt_options *options, struct mqtt **ret_mqtt, struct text *why)
{
    struct mqtt_settings settings;
    struct mqtt *mqtt;
    enum status status = mqtt_settings_make(options, &settings, why);

    if (status != STATUS_OK) {
        return status;
    }
    mqtt = calloc(1, sizeof *mqtt);
    if (mqtt == NULL) {
        status = STATUS_NO_MEMORY;
        goto no_mqtt;
    }
    mqtt->settings = settings;
    mqtt->intake.inbox = options->inbox;
    mqtt->intake.requests = options->requests;
    mqtt->intake.is_request = options->is_request;
    mqtt->intake.request_bytes = options->request_bytes;
    mqtt->intake.is_kept = options->persistent_session;
    mqtt->intake.keep = options->keep;
    mqtt->intake.keep_context = options->keep_context;
    mqtt->perishes = options->perishes;
    mqtt->may_doze = options->may_doze || options->direct;
    mqtt->backoff.max_ms = options->retry_max_ms;
    status = outbox_new(MQTT_OUTBOX_EVENTS_MAX, &mqtt->outbox);
    if (status != STATUS_OK) {
        goto no_outbox;
    }
    status = choose_link(mqtt, options->direct);
    if (status != STATUS_OK) {
        goto no_epoll;
    }
    status = make_link(mqtt, &mqtt->link);
    if (status != STATUS_OK) {
        goto no_link;
    }
    *ret_mqtt = mqtt;
    return STATUS_OK;

no_link:
    close_epoll(mqtt);
no_epoll:
    outbox_free(mqtt->outbox);
no_outbox:
    free(mqtt);
no_mqtt:
    mqtt_settings_free(&settings);
    text_add(why, status_text(status));
    return status;
}

void mqtt_free(struct mqtt *mqtt)
{
    if (mqtt == NULL) {
        return;
    }
    mqtt->operations->free(mqtt->link); /* before what its events touch */
    close_epoll(mqtt);
    outbox_free(mqtt->outbox);
    mqtt_settings_free(&mqtt->settings);
    free(mqtt);
}

bool mqtt_let_go(struct mqtt *mqtt, int timeout_ms)
{
    return mqtt->link == NULL || mqtt->operations->let_go(mqtt->link, timeout_ms);
}

static void connect_now(struct mqtt *mqtt, struct mono_time now)
{
    enum status status = STATUS_OK;

    if (mqtt->link == NULL) {
        status = make_link(mqtt, &mqtt->link);
    }
    if (status == STATUS_OK) {
        status = mqtt->operations->connect(mqtt->link);
    }
    mqtt->connecting = status == STATUS_OK;
    if (!mqtt->connecting) {
        log_error("mqtt: can't start to connect: %s", status_text(status));
        mqtt->operations->free(mqtt->link);
        mqtt->link = NULL;
        mqtt_backoff_plan(&mqtt->backoff, now);
    }
}

void mqtt_start(struct mqtt *mqtt, struct mono_time now)
{
    if (!mqtt->started) {
        mqtt->started = true;
        connect_now(mqtt, now);
    }
}

void mqtt_on_connected(struct mqtt *mqtt)
{
    mqtt->connecting = false;
    mqtt->connected = true;
    mqtt->silent_since = (struct mono_time){0};
    mqtt->counts.connects++;
}

void mqtt_on_disconnected(struct mqtt *mqtt, struct mono_time now)
{
    struct mqtt_link *broken = mqtt->link;

    mqtt->connected = false;
    mqtt->connecting = false;
    /* Acknowledged before it broke: not to be sent again. */
    mqtt_reap(mqtt);
    /* The new one first: Paho ends its threads, and waits for that, with its last client. */
    if (make_link(mqtt, &mqtt->link) != STATUS_OK) {
        mqtt->link = NULL; /* once more when it is time to connect */
    }
    mqtt->operations->free(broken);
    outbox_break(mqtt->outbox, mqtt->perishes);
    mqtt_backoff_plan(&mqtt->backoff, now);
}

/* Lets the broker answer before Paho dozes off: UNSUBSCRIBE of nothing is the smallest packet that
 * Paho sends when asked and every broker acknowledges. Returns when it is due next. */
static struct mono_time stay_awake(struct mqtt *mqtt, struct mono_time now)
{
    const struct mono_time never = {0};
    bool silent = mqtt->counts.published == mqtt->published_then && mqtt->silent_since.ms != 0;

    if (mqtt->may_doze) {
        return never;
    }
    if (!silent) {
        mqtt->published_then = mqtt->counts.published;
        mqtt->silent_since = now;
    } else if (now.ms - mqtt->silent_since.ms >= STAY_AWAKE_MS) {
        if (mqtt_unsubscribe(mqtt, "awake") != STATUS_OK) {
            return never; /* the connection is gone, and the inbox is about to say so */
        }
        mqtt->silent_since = now;
    }
    return (struct mono_time){mqtt->silent_since.ms + STAY_AWAKE_MS};
}

int mqtt_fd(const struct mqtt *mqtt)
{
    return mqtt->epoll;
}

void mqtt_read(struct mqtt *mqtt, struct mono_time now)
{
    mqtt->read_at = now;
    mqtt->more = false;
    if (mqtt->link == NULL) {
        return;
    }
    if (mqtt_intake_enter(&mqtt->intake)) {
        mqtt->more = mqtt->operations->read(mqtt->link);
        mqtt_intake_leave(&mqtt->intake);
    } else {
        mqtt->more = true; /* an inbox is full: once something was popped */
    }
}

/* Nothing was heard for a while, and Paho minds its keep-alive in calls that read; or it is known
 * that there is more. */
static void look(struct mqtt *mqtt, struct mono_time now)
{
    if (mqtt->epoll >= 0 && (mqtt->more || now.ms - mqtt->read_at.ms >= LOOK_MS)) {
        mqtt_read(mqtt, now);
        inbox_wake(mqtt->intake.inbox);
    }
}

static struct mono_time earlier(struct mono_time a, struct mono_time b)
{
    return a.ms == 0 || (b.ms != 0 && b.ms < a.ms) ? b : a;
}

struct mono_time mqtt_tick(struct mqtt *mqtt, struct mono_time now)
{
    const struct mono_time never = {0};
    struct mono_time next;
    bool more;

    look(mqtt, now);
    mqtt_reap(mqtt);
    if (!mqtt->started || atomic_load(&mqtt->intake.closed) || mqtt->connecting) {
        return never;
    }
    if (!mqtt->connected) {
        if (now.ms < mqtt->backoff.retry_at.ms) {
            return mqtt->backoff.retry_at;
        }
        connect_now(mqtt, now);
        return mqtt->connecting ? never : mqtt->backoff.retry_at;
    }
    if (mqtt->backoff.connected_at.ms == 0) {
        mqtt->backoff.connected_at = now;
    }
    more = mqtt_move_and_watch(mqtt);
    mqtt->operations->flush(mqtt->link);
    next = more || mqtt->more ? now : stay_awake(mqtt, now);
    if (mqtt->epoll >= 0) {
        next = earlier(next, (struct mono_time){mqtt->read_at.ms + LOOK_MS});
    }
    return next;
}

bool mqtt_is_connected(const struct mqtt *mqtt)
{
    return mqtt->connected;
}

enum status mqtt_subscribe(
    struct mqtt *mqtt, const char *const filters[], const int qos[], size_t count, int token)
{
    enum status status;
    bool entered;

    if (!mqtt->connected) {
        return STATUS_DISCONNECTED;
    }
    entered = mqtt_intake_enter(&mqtt->intake); /* if not, it may take as long as a push waits */
    status = mqtt->operations->subscribe(mqtt->link, filters, qos, count, token);
    if (entered) {
        mqtt_intake_leave(&mqtt->intake);
    }
    return status;
}

enum status mqtt_unsubscribe(struct mqtt *mqtt, const char *filter)
{
    enum status status;
    bool entered;

    if (!mqtt->connected) {
        return STATUS_DISCONNECTED;
    }
    entered = mqtt_intake_enter(&mqtt->intake);
    status = mqtt->operations->unsubscribe(mqtt->link, filter);
    if (entered) {
        mqtt_intake_leave(&mqtt->intake);
    }
    return status;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

void mqtt_stop(struct mqtt *mqtt, int timeout_ms)
{
    const int64_t end_ms = clock_now().mono.ms + timeout_ms;
    struct outbox_counts counts;

    atomic_store(&mqtt->intake.closed, true);
    if (mqtt->link == NULL) {
        return;
    }
    do {
        mqtt_read(mqtt, clock_now().mono);
        mqtt_reap(mqtt);
        mqtt_move(mqtt, MOVE_AT_ONCE);
        mqtt->operations->flush(mqtt->link);
        counts = outbox_counts(mqtt->outbox);
        if (counts.waiting + counts.in_flight == 0) {
            break;
        }
        pause_ms(STOP_POLL_MS);
    } while (mqtt->operations->state(mqtt->link) == MQTT_LINK_UP &&
             clock_now().mono.ms < end_ms - GOODBYE_MS);
    if (mqtt->operations->goodbye(mqtt->link) != STATUS_OK) {
        return; /* there is nobody to say it to */
    }
    while (mqtt->operations->state(mqtt->link) == MQTT_LINK_UP && clock_now().mono.ms < end_ms) {
        pause_ms(STOP_POLL_MS);
        mqtt_read(mqtt, clock_now().mono);
    }
    mqtt->connected = false;
}

struct mqtt_counts mqtt_counts(const struct mqtt *mqtt)
{
    const struct outbox_counts outbox = outbox_counts(mqtt->outbox);
    struct mqtt_counts counts = mqtt->counts;

    counts.merged = outbox.merged;
    counts.dropped = outbox.dropped;
    counts.waiting = outbox.waiting;
    counts.in_flight = outbox.in_flight;
    return counts;
}
