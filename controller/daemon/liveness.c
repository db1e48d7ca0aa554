/* Who is there (C11), as far as it is not the core's: what devices say of themselves besides
 * reports, what is asked of them, and whether the controller itself can hear.
 *
 * Time is the core's: each decision names when it wants to be asked again, and a heap over the
 * fleet knows whose turn is next. Nothing here goes through the fleet but what concerns all of it.
 */
#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"
#include "topics/presence.h"

/* A turn of the loop that came so late was no turn: the process was stopped, or the host was. What
 * devices said meanwhile may not have been read yet. */
#define STALL_MS 1000

static int64_t to_ms(double seconds)
{
    return (int64_t)(seconds * 1000.0 + 0.5);
}

void liveness_init(struct controller *controller)
{
    const struct settings *settings = controller->settings;

    controller->liveness = (struct core_liveness){
        .recent_report_ms = to_ms(settings->liveness.recent_report_s),
        .settle_ms = to_ms(settings->liveness.settle_s),
        .reprobe_delay_ms = to_ms(settings->liveness.reprobe_delay_s),
        .probe_timeout_ms = to_ms(settings->liveness.probe_timeout_s),
    };
}

static void
tell(struct controller *controller, struct machine *machine, const struct core_event *said)
{
    struct core_event event = *said;
    struct origin origin = origin_none();
    struct core_effects effects;

    judge(controller, machine, &event, &origin, &effects);
}

void liveness_on_link(
    struct controller *controller, struct machine *machine, const char *payload, size_t length,
    bool retained)
{
    struct core_event event = {.type = CORE_EVENT_LINK};
    enum link_word word;

    if (link_parse(payload, length, &word) != STATUS_OK) {
        controller->counters.bad_messages++;
        return;
    }
    if (word == LINK_OFFLINE) {
        event.type = CORE_EVENT_OFFLINE;
    }
    event.link = (struct core_link){.retained = retained, .lost = word == LINK_LOST};
    judge_waiting(controller, machine); /* what it said before */
    tell(controller, machine, &event);
}

void liveness_on_pong(
    struct controller *controller, struct machine *machine, const char *payload, size_t length)
{
    struct core_event event = {.type = CORE_EVENT_PONG};
    struct pong pong;
    TEXT_LOCAL(why, 256);

    if (pong_parse(payload, length, &pong, &why) != STATUS_OK) {
        controller->counters.bad_messages++;
        if (strangers_heard(&controller->bad_reporters, machine->record.machine, controller->now)) {
            log_warning("%s: bad pong, ignored: %s", machine->record.machine, why.data);
        }
        return;
    }
    controller->counters.pongs++;
    event.pong = (struct core_pong){.id = pong.id, .boot_id = pong.boot_id};
    judge_waiting(controller, machine);
    tell(controller, machine, &event);
}

void liveness_follow(struct controller *controller, struct machine *machine)
{
    bool is_watched = machine->record.core.watch.connected;
    bool hears = controller->hears && machine->config != NULL;
    struct core_event event = {
        .type = hears ? CORE_EVENT_CONNECTED : CORE_EVENT_DISCONNECTED,
    };

    if (is_watched != hears) {
        tell(controller, machine, &event);
    }
}

static void follow_all(struct controller *controller)
{
    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        liveness_follow(controller, fleet_at(controller->fleet, i));
    }
}

void liveness_hears(struct controller *controller, bool hears)
{
    controller->hears = hears;
    follow_all(controller);
}

void liveness_notice_stall(struct controller *controller)
{
    int64_t late_ms = controller->now.mono.ms - controller->due_at.ms;

    if (!controller->hears || controller->due_at.ms == 0 || late_ms < STALL_MS) {
        return;
    }
    controller->counters.stalls++;
    log_warning("stood still for %lld ms: all silences count anew", (long long)late_ms);
    liveness_hears(controller, false);
    liveness_hears(controller, true);
}

void publish_probe(struct controller *controller, const struct machine *machine, uint32_t id)
{
    TEXT_LOCAL(payload, 64);

    if (probe_print(id, &payload) == STATUS_OK) {
        publish(
            controller, TOPIC_PROBE, machine->record.machine, NULL, payload.data, payload.length);
        controller->counters.probes++;
    }
}

size_t liveness_watched(const struct controller *controller)
{
    size_t count = 0;

    for (size_t i = 0; i < fleet_count(controller->fleet); i++) {
        const struct machine *machine = fleet_at(controller->fleet, i);
        count += machine->config != NULL && core_is_live(&machine->record.core);
    }
    return count;
}
