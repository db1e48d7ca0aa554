#include "controller/support/mqtt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "controller/support/mqtt_backoff.h"
#include "controller/support/mqtt_intake.h"
#include "controller/support/mqtt_link.h"
#include "controller/support/mqtt_outbox.h"
#include "controller/support/mqtt_settings.h"

#define GOODBYE_MS 200
/* Paho's reading thread waits for a second at most, and then sleeps for 100 ms. */
#define STAY_AWAKE_MS 800
/* Each message given to Paho waits for its lock; in between, the loop has other work. */
#define MOVE_AT_ONCE 32
#define STOP_POLL_MS 2
#define LOOK_MS 500

struct mqtt {
    struct mqtt_settings settings;
    struct mqtt_intake intake;
    struct outbox *outbox;
    const struct mqtt_link_operations *operations;
    struct mqtt_link *link;
    int epoll; /* of a direct link, -1 for others */
    bool more; /* may be read, and nothing will say so */
    struct mono_time read_at;
    bool may_doze;
    bool started;
    bool connected; /* as far as the loop has read the inbox */
    bool connecting;
    struct mqtt_backoff backoff;
    bool (*perishes)(const char *topic);
    struct mono_time silent_since; /* nothing went out, so that nothing had to come back */
    uint64_t published_then;
    struct mqtt_counts counts; /* connects and published; the outbox has the others */
};

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
    mqtt->perishes = options->perishes;
    mqtt->may_doze = options->may_doze;
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

/* Takes note of what the broker has acknowledged. */
static void reap(struct mqtt *mqtt)
{
    struct outbox_message *message = mqtt->link == NULL ? NULL : mqtt->operations->done(mqtt->link);

    while (message != NULL) {
        struct outbox_message *next = message->next_done;
        outbox_done(mqtt->outbox, message);
        message = next;
    }
}

void mqtt_on_disconnected(struct mqtt *mqtt, struct mono_time now)
{
    struct mqtt_link *broken = mqtt->link;

    mqtt->connected = false;
    mqtt->connecting = false;
    /* Acknowledged before it broke: not to be sent again. */
    reap(mqtt);
    /* The new one first: Paho ends its threads, and waits for that, with its last client. */
    if (make_link(mqtt, &mqtt->link) != STATUS_OK) {
        mqtt->link = NULL; /* once more when it is time to connect */
    }
    mqtt->operations->free(broken);
    outbox_break(mqtt->outbox, mqtt->perishes);
    mqtt_backoff_plan(&mqtt->backoff, now);
}

static bool may_move(const struct mqtt *mqtt)
{
    const struct outbox_counts counts = outbox_counts(mqtt->outbox);
    return counts.waiting > 0 && counts.in_flight < MQTT_IN_FLIGHT_MAX &&
           counts.in_flight_bytes < MQTT_IN_FLIGHT_BYTES_MAX && mqtt->operations->takes(mqtt->link);
}

/* Hands the oldest messages that wait to Paho. True: it could take more at once. */
static bool move_outbox(struct mqtt *mqtt, int count)
{
    struct outbox_message *message;

    while (count-- > 0 && may_move(mqtt)) {
        if (!mqtt_intake_enter(&mqtt->intake)) {
            return false;
        }
        message = outbox_take(mqtt->outbox);
        enum status status = mqtt->operations->publish(mqtt->link, message);
        mqtt_intake_leave(&mqtt->intake);
        if (status != STATUS_OK) {
            outbox_untake(mqtt->outbox, message);
            return false;
        }
        mqtt->counts.published++;
    }
    return may_move(mqtt);
}

/* While Paho has all that it may have, an acknowledgement wakes the loop. True: don't wait. */
static bool move_and_watch(struct mqtt *mqtt)
{
    bool more = move_outbox(mqtt, MOVE_AT_ONCE);
    bool waits = outbox_counts(mqtt->outbox).waiting > 0;

    mqtt->operations->watch(mqtt->link, waits && !more);
    if (waits && !more) {
        reap(mqtt); /* what was acknowledged just before woke nobody */
        more = may_move(mqtt) && mqtt->operations->state(mqtt->link) == MQTT_LINK_UP;
    }
    return more;
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
    reap(mqtt);
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
    more = move_and_watch(mqtt);
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

/* What Paho or the broker would refuse, and the broker with the end of the connection. */
static enum status check_message(const char *topic, size_t length, int qos)
{
    size_t topic_length = strlen(topic);

    if (length > MQTT_PAYLOAD_MAX || topic_length > MQTT_STRING_MAX) {
        return STATUS_TOO_LONG;
    }
    if (topic_length == 0 || strpbrk(topic, "+#") != NULL || qos < 0 || qos > 1 ||
        !utf8_is_valid(topic, topic_length)) {
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status mqtt_publish(
    struct mqtt *mqtt, const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    enum status status = check_message(topic, length, qos);
    bool straight;

    if (status != STATUS_OK) {
        return status;
    }
    if (!mqtt->connected &&
        (retain || qos == 0 || (mqtt->perishes != NULL && mqtt->perishes(topic)))) {
        return STATUS_OK; /* the outbox would forget it */
    }
    straight = mqtt->connected && outbox_counts(mqtt->outbox).waiting == 0;
    status = outbox_put(mqtt->outbox, topic, payload, length, qos, retain);
    if (status == STATUS_OK && straight) {
        if (!may_move(mqtt)) {
            reap(mqtt);
        }
        move_outbox(mqtt, 1);
    }
    return status;
}

void mqtt_discard(struct mqtt *mqtt, bool all)
{
    outbox_discard(mqtt->outbox, all);
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
        reap(mqtt);
        move_outbox(mqtt, MOVE_AT_ONCE);
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
