/* What the watcher tells of itself, and of what it watches. */
#include "controller/support/clock.h"
#include "controller/support/exposition.h"
#include "controller/watcher/watcher_inside.h"

static void print_alerts(const struct watcher *watcher, struct text *out)
{
#define ALERT_WORD(id, word) word,
    static const char *const words[] = {ALERT_LIST(ALERT_WORD)};
#undef ALERT_WORD
    static const char name[] = "tagout_watcher_alerts_total";

    exposition_family(out, EXPOSITION_COUNTER, name, "Alerts raised");
    for (size_t i = 0; i < ALERT_KIND_COUNT; i++) {
        const char *const labels[] = {"alert", words[i], NULL};
        exposition_sample(out, name, labels, (double)watcher->alerts[i]);
    }
}

/* A service of which nothing is known has no state. */
static void print_services(const struct watcher *watcher, struct text *out)
{
    static const enum service_status states[] = {SERVICE_RUNNING, SERVICE_STOPPED, SERVICE_ERROR};
    static const char name[] = "tagout_service_status";
    const struct service *service;

    exposition_family(out, EXPOSITION_GAUGE, name, "1 for the state that the service is in");
    for (size_t i = 0; (service = services_look(&watcher->services, i)) != NULL; i++) {
        for (size_t s = 0; s < sizeof states / sizeof states[0]; s++) {
            const char *const labels[] = {
                "service", service->name, "status", service_status_text(states[s]), NULL,
            };
            if (service->name[0] != '\0' && service->verdict != SERVICE_UNKNOWN) {
                exposition_sample(out, name, labels, service->verdict == states[s]);
            }
        }
    }
    exposition_gauge(
        out, "tagout_config_differs", "People were told that controllers differ in their files",
        watcher->services.config_alerted);
}

static void print_slack(const struct watcher *watcher, struct text *out)
{
    static const char *const lanes[] = {
        [SLACK_CONTROL] = "control", [SLACK_STORAGE] = "storage",   [SLACK_ACTIVITY] = "activity",
        [SLACK_OOPS] = "oops",       [SLACK_MACHINES] = "machines", [SLACK_RETURNS] = "returns",
        [SLACK_REBOOTS] = "reboots",
    };
    static const char name[] = "tagout_slack_waiting";

    if (!slack_is_configured(watcher->slack)) {
        return;
    }
    exposition_gauge(
        out, "tagout_slack_works", "Slack takes what it is given", watcher->slack_works);
    exposition_counter(
        out, "tagout_slack_done_total", "Messages that Slack took, or that were given up",
        (double)watcher->slack_done);
    exposition_family(out, EXPOSITION_GAUGE, name, "Messages that Slack has not taken");
    for (size_t lane = 0; lane < SLACK_LANE_COUNT; lane++) {
        const char *const labels[] = {"lane", lanes[lane], NULL};
        const struct slack_queue *queue = slack_queue_of(watcher->slack);
        exposition_sample(
            out, name, labels, (double)slack_queue_waiting(queue, (enum slack_lane)lane));
    }
}

static void print_certificates(const struct certificates *certificates, struct text *out)
{
    static const char name[] = "tagout_cert_expiry_timestamp_seconds";

    exposition_family(out, EXPOSITION_GAUGE, name, "When the certificate in the file ends");
    for (size_t i = 0; i < certificates->count; i++) {
        const struct watched_certificate *certificate = &certificates->items[i];
        const char *const labels[] = {"file", certificate->file, NULL};

        if (certificate->ends.ms != 0) {
            exposition_sample(out, name, labels, (double)certificate->ends.ms / 1000);
        }
    }
}

static void print_audit(const struct watcher *watcher, struct text *out)
{
    struct audit_counts counts = audit_counts(watcher->audit);
    int64_t behind_ms = audit_behind_ms(watcher->audit, clock_now().mono);

    exposition_counter(
        out, "tagout_audit_lines_total", "Lines for the audit", (double)counts.added_lines);
    exposition_counter(
        out, "tagout_audit_lines_dropped_total", "Lines of them that found no room",
        (double)counts.dropped_lines);
    exposition_gauge(
        out, "tagout_audit_waiting_bytes", "Lines that wait for the disk",
        (double)counts.waiting_bytes);
    exposition_gauge(
        out, "tagout_audit_behind_seconds", "For how long the disk has not taken what waits",
        behind_ms < 0 ? 0 : (double)behind_ms / 1000);
}

void watcher_metrics(const struct watcher *watcher, struct text *out)
{
    exposition_gauge(
        out, "tagout_watcher_broker_connected", "It is connected to the broker",
        watcher->services.connected);
    exposition_gauge(
        out, "tagout_watcher_speaks", "It is the one of two that tells people",
        role_may_speak(&watcher->role));
    exposition_counter(out, "tagout_watcher_events_total", "Events heard", (double)watcher->events);
    exposition_counter(
        out, "tagout_watcher_save_timeouts_total", "Saves that missed their budget, as heard",
        (double)watcher->save_timeouts);
    exposition_gauge(
        out, "tagout_watcher_save_timeout_machines",
        "Machines with a save that missed its budget within the window",
        (double)save_timeouts_machines(&watcher->counting, clock_now().mono));
    exposition_gauge(
        out, "tagout_watcher_save_outage", "An outage of saving goes on", watcher->counting.open);
    exposition_counter(
        out, "tagout_watcher_bad_messages_total", "Messages that were malformed",
        (double)watcher->bad_messages);
    print_alerts(watcher, out);
    print_services(watcher, out);
    print_slack(watcher, out);
    print_audit(watcher, out);
    print_certificates(&watcher->certificates, out);
}

bool watcher_is_working(
    const struct watcher *watcher, void (*say)(void *context, const char *what), void *context)
{
    int64_t behind_ms = audit_behind_ms(watcher->audit, clock_now().mono);
    bool ready = true;

    if (!watcher->services.connected || !watcher->subscribed) {
        ready = false;
        say(context, watcher->services.connected ? "the broker has not granted the subscription"
                                                 : "not connected to the broker");
    }
    if (!watcher->has_past || behind_ms >= WATCHER_BEHIND_MS) {
        ready = false;
        say(context, "the audit cannot be written");
    }
    return ready;
}
