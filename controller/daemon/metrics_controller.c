/* Metrics of the controller as a whole. */
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/exposition.h"

static void print_bad_reports(const struct counters *counters, struct text *out)
{
#define FLAW_WORD(id, word) word,
    static const char *const words[] = {MEMBER_FLAW_LIST(FLAW_WORD)};
#undef FLAW_WORD
    static const char name[] = "tagout_bad_reports_total";

    exposition_family(
        out, EXPOSITION_COUNTER, name, "Reports that were malformed and changed nothing");
    for (size_t i = MEMBER_FLAW_NONE + 1; i < MEMBER_FLAW_COUNT; i++) {
        const char *const labels[] = {"reason", words[i], NULL};
        exposition_sample(out, name, labels, (double)counters->bad_reports[i]);
    }
}

static void print_events(const struct counters *counters, struct text *out)
{
    static const char name[] = "tagout_events_total";

    exposition_family(out, EXPOSITION_COUNTER, name, "Events published");
    for (size_t i = 0; i <= CORE_NOTICE_COUNT; i++) {
        const char *type =
            i < CORE_NOTICE_COUNT ? core_notice_text((enum core_notice_type)i) : "save_timeout";
        const char *const labels[] = {"event_type", type, NULL};
        exposition_sample(out, name, labels, (double)counters->events[i]);
    }
}

static void print_answers(const struct counters *counters, struct text *out)
{
    static const char name[] = "tagout_answers_total";

    exposition_family(out, EXPOSITION_COUNTER, name, "Answers to requests, by verb and outcome");
    for (size_t verb = 0; verb <= REQUEST_VERB_COUNT; verb++) {
        for (size_t status = 0; status < RESPONSE_STATUS_COUNT; status++) {
            const char *const labels[] = {
                "verb",
                verb < REQUEST_VERB_COUNT ? request_verb_text((enum request_verb)verb) : "unknown",
                "status",
                response_status_text((enum response_status)status),
                NULL,
            };
            if (verb != REQUEST_TEST_ALERT) { /* the watcher's */
                exposition_sample(out, name, labels, (double)counters->answers[verb][status]);
            }
        }
    }
}

/* The word of a topic that tells its kind: the last, or the first where that one varies. */
static void add_kind(const char *topic, struct text *out)
{
    const char *last = strrchr(topic, '/') + 1;

    if (last[0] == '%') {
        text_add_bytes(out, topic, strcspn(topic, "/"));
    } else {
        text_add(out, last);
    }
}

static void print_published(const struct counters *counters, struct text *out)
{
    static const char name[] = "tagout_published_total";

    exposition_family(out, EXPOSITION_COUNTER, name, "Messages published, by kind of topic");
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        const struct topic_info *info = topic_info((enum topic_id)i);
        TEXT_LOCAL(kind, 32);
        const char *const labels[] = {"kind", kind.data, NULL};

        add_kind(info->name, &kind);
        if (strcmp(info->writer, "controller") == 0) {
            exposition_sample(out, name, labels, (double)counters->published[i]);
        }
    }
}

static void print_counters(const struct counters *counters, struct text *out)
{
#define COUNTER_PRINT(name, help)                                                                  \
    exposition_counter(out, "tagout_" #name "_total", help, (double)counters->name);
    COUNTER_LIST(COUNTER_PRINT)
#undef COUNTER_PRINT
    print_bad_reports(counters, out);
    print_events(counters, out);
    print_answers(counters, out);
    print_published(counters, out);
    histogram_print(
        &counters->decisions, "tagout_decision_seconds",
        "From a report's arrival to its command's leaving", out);
    histogram_print(
        &counters->save_times, "tagout_save_seconds", "From a save's start to Redis' answer", out);
}

static void print_lead(const struct controller *controller, struct text *out)
{
    const struct watcher_watch *watch = &controller->watcher_watch;

    exposition_gauge(out, "tagout_leader", "It leads, and is sure of it", is_at_work(controller));
    exposition_gauge(
        out, "tagout_epoch", "The epoch that it leads or last led under, 0 for none",
        (double)controller->lease.epoch);
    exposition_gauge(
        out, "tagout_broker_connected", "It is connected to the broker", controller->connected);
    exposition_gauge(out, "tagout_redis_up", "Redis answers", store_answers(controller));
    exposition_gauge(
        out, "tagout_watcher_seen", "The watcher is known to run", watch->known && !watch->missing);
    exposition_gauge(
        out, "tagout_watcher_missing", "The watcher is known not to run", watch->missing);
}

static void print_fleet(const struct controller *controller, struct text *out)
{
    const struct roster *roster = controller->roster;

    exposition_gauge(
        out, "tagout_machines", "Machines that are configured",
        (double)roster_machine_count(roster));
    exposition_gauge(
        out, "tagout_machines_watched", "Machines that are live, and watched",
        (double)liveness_watched(controller));
    exposition_gauge(
        out, "tagout_strangers", "Names that were heard and are not configured, of late",
        (double)controller->strangers.count);
    exposition_gauge(
        out, "tagout_blocked_cards", "Cards that are blocked",
        (double)controller->block_keeping.blocks.count);
    exposition_gauge(
        out, "tagout_timers", "Machines that wait for a moment",
        (double)fleet_deadlines(controller->fleet)->count);
    exposition_gauge(
        out, "tagout_saves_in_flight", "Saves that Redis has not answered",
        (double)controller->saves.in_flight);
    exposition_gauge(
        out, "tagout_save_budgets", "Changes that are not confirmed saved, within their budget",
        (double)controller->saves.budgets.count);
    exposition_gauge(
        out, "tagout_held_bytes", "Messages that wait until it is sure that it leads",
        (double)controller->held.bytes);
}

/* Prometheus keeps the ending _count for histograms, and complains about any other type but none;
 * the names are those of the system that Tagout replaces. */
static void print_count(const char *name, const char *help, size_t count, struct text *out)
{
    exposition_family(out, EXPOSITION_UNTYPED, name, help);
    exposition_sample(out, name, NULL, (double)count);
}

static void print_configuration(const struct roster *roster, struct text *out)
{
    const char *const config[] = {"config", roster_fingerprint(roster), NULL};

    exposition_family(
        out, EXPOSITION_GAUGE, "tagout_config_info", "1; the hash of users and machines");
    exposition_sample(out, "tagout_config_info", config, 1);
    print_count("user_count", "Users that are configured", roster_user_count(roster), out);
    print_count("fob_count", "Fobs that are configured", roster_fob_count(roster), out);
    exposition_moment(
        out, "machine_config_load_timestamp", "When the machines were read, in Unix seconds",
        roster_loaded_at(roster));
    exposition_moment(
        out, "user_config_load_timestamp", "When the users were read, in Unix seconds",
        roster_loaded_at(roster));
    exposition_moment(
        out, "user_config_file_mtime", "When the users' file was last changed, in Unix seconds",
        roster_users_changed_at(roster));
}

void controller_metrics(const struct controller *controller, struct text *out)
{
    print_lead(controller, out);
    print_fleet(controller, out);
    print_configuration(controller->roster, out);
    print_counters(&controller->counters, out);
}
