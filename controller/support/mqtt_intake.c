#include "controller/support/mqtt_intake.h"

#include <string.h>

#include "controller/support/log.h"

static void push_change(struct mqtt_intake *intake, const struct inbox_entry *entry)
{
    enum status status;

    if (atomic_load(&intake->closed)) {
        return;
    }
    status = inbox_push(intake->inbox, entry);
    if (status != STATUS_OK) {
        log_error("mqtt: a change of the connection was lost: inbox %s", status_text(status));
    }
}

static void on_connected(void *context)
{
    push_change(context, &(struct inbox_entry){.kind = INBOX_CONNECTED});
}

static void on_disconnected(void *context, const char *reason)
{
    push_change(
        context, &(struct inbox_entry){
                     .kind = INBOX_DISCONNECTED,
                     .payload = reason,
                     .payload_length = strlen(reason),
                 });
}

static void on_subscribed(void *context, int token, bool granted)
{
    push_change(
        context, &(struct inbox_entry){
                     .kind = granted ? INBOX_SUBSCRIBED : INBOX_SUBSCRIBE_FAILED,
                     .token = token,
                 });
}

static bool
on_message(void *context, const char *topic, const char *payload, size_t length, bool retained)
{
    struct mqtt_intake *intake = context;
    struct inbox_entry entry = {
        .kind = INBOX_MESSAGE,
        .topic = topic,
        .payload = payload,
        .payload_length = length,
        .retained = retained,
    };
    bool is_request =
        intake->requests != NULL && intake->is_request != NULL && intake->is_request(topic);
    struct inbox *inbox = is_request ? intake->requests : intake->inbox;
    enum status status;

    if (atomic_load(&intake->closed) && !intake->is_kept) {
        return true;
    }
    if (intake->keep != NULL) {
        intake->keep(intake->keep_context, topic, payload, length, retained);
    }
    if (is_request && intake->request_bytes > 0 && length > intake->request_bytes) {
        entry.payload_length = intake->request_bytes;
    }
    if (intake->is_owners && !is_request) {
        status = inbox_put(inbox, &entry);
    } else {
        status = inbox_push(inbox, &entry);
    }
    return status == STATUS_OK && inbox_has_room(inbox); /* if not OK it was dropped, and counted */
}

static void on_progress(void *context)
{
    const struct mqtt_intake *intake = context;
    inbox_wake(intake->inbox);
}

struct mqtt_link_events mqtt_intake_events(struct mqtt_intake *intake)
{
    return (struct mqtt_link_events){
        .context = intake,
        .connected = on_connected,
        .disconnected = on_disconnected,
        .message = on_message,
        .subscribed = on_subscribed,
        .progress = on_progress,
    };
}

bool mqtt_intake_enter(struct mqtt_intake *intake)
{
    if (atomic_load(&intake->closed)) {
        return true;
    }
    if (!inbox_enter(intake->inbox)) {
        return false;
    }
    if (intake->requests != NULL && !inbox_enter(intake->requests)) {
        inbox_leave(intake->inbox);
        return false;
    }
    return true;
}

void mqtt_intake_leave(struct mqtt_intake *intake)
{
    inbox_leave(intake->inbox);
    if (intake->requests != NULL) {
        inbox_leave(intake->requests);
    }
}
