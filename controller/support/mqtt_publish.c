/* From the outbox to Paho, and back from the broker. */
#include <string.h>

#include "controller/support/mqtt_inside.h"

/* Takes note of what the broker has acknowledged. */
void mqtt_reap(struct mqtt *mqtt)
{
    struct outbox_message *message = mqtt->link == NULL ? NULL : mqtt->operations->done(mqtt->link);

    while (message != NULL) {
        struct outbox_message *next = message->next_done;
        outbox_done(mqtt->outbox, message);
        message = next;
    }
}

static bool may_move(const struct mqtt *mqtt)
{
    const struct outbox_message *next = outbox_next(mqtt->outbox);
    const struct outbox_counts counts = outbox_counts(mqtt->outbox);

    return next != NULL && counts.in_flight < MQTT_IN_FLIGHT_MAX &&
           (counts.in_flight_bytes < MQTT_IN_FLIGHT_BYTES_MAX || outbox_is_large(next)) &&
           mqtt->operations->takes(mqtt->link, next);
}

/* Hands the oldest messages that wait to Paho. True: it could take more at once. */
bool mqtt_move(struct mqtt *mqtt, int count)
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
bool mqtt_move_and_watch(struct mqtt *mqtt)
{
    bool more = mqtt_move(mqtt, MOVE_AT_ONCE);
    bool waits = outbox_counts(mqtt->outbox).waiting > 0;

    mqtt->operations->watch(mqtt->link, waits && !more);
    if (waits && !more) {
        mqtt_reap(mqtt); /* what was acknowledged just before woke nobody */
        more = may_move(mqtt) && mqtt->operations->state(mqtt->link) == MQTT_LINK_UP;
    }
    return more;
}

/* What Paho or the broker would refuse, and the broker with the end of the connection. */
static enum status check_message(const struct mqtt *mqtt, const char *topic, size_t length, int qos)
{
    size_t topic_length = strlen(topic);
    size_t most = mqtt->intake.is_owners ? MQTT_DIRECT_PAYLOAD_MAX : MQTT_PAYLOAD_MAX;

    if (length > most || topic_length > MQTT_STRING_MAX) {
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
    enum status status = check_message(mqtt, topic, length, qos);
    struct outbox_counts counts = outbox_counts(mqtt->outbox);
    bool straight = mqtt->connected && counts.waiting == counts.large_waiting;

    if (status != STATUS_OK) {
        return status;
    }
    if (!mqtt->connected &&
        (retain || qos == 0 || (mqtt->perishes != NULL && mqtt->perishes(topic)))) {
        return STATUS_OK; /* the outbox would forget it */
    }
    status = outbox_put(mqtt->outbox, topic, payload, length, qos, retain);
    if (status == STATUS_OK && straight) {
        if (!may_move(mqtt)) {
            mqtt_reap(mqtt);
        }
        mqtt_move(mqtt, 1);
    }
    return status;
}

enum status
mqtt_publish_first(struct mqtt *mqtt, const char *topic, const char *payload, size_t length)
{
    enum status status = check_message(mqtt, topic, length, 1);

    if (status == STATUS_OK && !mqtt->connected) {
        status = STATUS_DISCONNECTED;
    }
    if (status == STATUS_OK) {
        status = outbox_put_first(mqtt->outbox, topic, payload, length);
    }
    if (status == STATUS_OK) {
        mqtt_reap(mqtt);
        mqtt_move(mqtt, 1);
    }
    return status;
}

void mqtt_discard(struct mqtt *mqtt, bool all)
{
    outbox_discard(mqtt->outbox, all);
}
