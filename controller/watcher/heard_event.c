#include "controller/watcher/heard_event.h"

#include "controller/support/version.h"
#include "topics/member.h"
#include "topics/topic.h"

enum status
heard_event_read(const struct json *object, struct heard_event *ret_event, struct text *why)
{
    struct members members = {.object = object, .place = "", .why = why};
    struct heard_event event = {
        .display_name = "", .user = "", .text = "", .fault = "", .reason = "", .source = ""};
    uint64_t n = 0;
    uint64_t epoch = 0;

    member_string(&members, "event_type", REQUIRED, &event.event_type);
    member_string(&members, "machine", REQUIRED, &event.machine);
    member_string(&members, "display_name", OPTIONAL, &event.display_name);
    member_string(&members, "user", OPTIONAL, &event.user);
    member_string(&members, "text", OPTIONAL, &event.text);
    member_string(&members, "fault", OPTIONAL, &event.fault);
    member_string(&members, "reason", OPTIONAL, &event.reason);
    member_string(&members, "source", OPTIONAL, &event.source);
    member_integer(&members, "n", OPTIONAL, 0, UINT32_MAX, &n);
    member_integer(&members, "epoch", OPTIONAL, 0, VERSION_EPOCH_MAX, &epoch);
    member_ms(&members, "at", OPTIONAL, &event.at.ms);
    if (!members.failed && !text_is_name(event.machine, TOPIC_MACHINE_MAX)) {
        member_fail(&members, "machine", "is no machine's name");
    }
    if (members.failed) {
        return STATUS_INVALID;
    }
    if (event.display_name[0] == '\0') {
        event.display_name = event.machine;
    }
    event.n = (uint32_t)n;
    event.epoch = epoch;
    *ret_event = event;
    return STATUS_OK;
}

void heard_event_mark_late(struct heard_event *event, struct wall_time seen)
{
    event->late = true;
    event->age_ms = event->at.ms > 0 && seen.ms > event->at.ms ? seen.ms - event->at.ms : 0;
}
