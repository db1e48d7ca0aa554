#include "controller/watcher/alert.h"

#include <string.h>
#include <time.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static const char *const words[ALERT_KIND_COUNT] = {
#define ALERT_WORD(id, word) [id] = word,
    ALERT_LIST(ALERT_WORD)
#undef ALERT_WORD
};

void alert_add_duration(struct text *out, int64_t ms)
{
    int64_t seconds = (ms + 500) / 1000;
    int64_t minutes = (ms + 30000) / 60000;

    if (seconds < 60) {
        text_addf(out, "%lld s", (long long)seconds);
    } else if (minutes < 60) {
        text_addf(out, "%lld min", (long long)minutes);
    } else {
        text_addf(out, "%lld h %lld min", (long long)(minutes / 60), (long long)(minutes % 60));
    }
}

/* A window is told to the second, as it was configured. */
static void add_window(struct text *out, int64_t ms)
{
    if (ms >= 600000 && ms % 60000 == 0) {
        alert_add_duration(out, ms);
    } else {
        text_addf(out, "%.10g s", (double)ms / 1000.0);
    }
}

static void add_over(struct text *out, const struct alert *alert)
{
    if (alert->certain) {
        text_add(out, "Storage answers again after ");
        alert_add_duration(out, alert->lasted_ms);
        text_add(out, "; nothing lost.");
        return;
    }
    text_add(out, "No save has timed out any more: the outage of storage seems to be over after ");
    alert_add_duration(out, alert->lasted_ms);
    text_add(out, ". Check with: tagoutctl status");
}

static void add_certificate(struct text *out, const struct alert *alert)
{
    int64_t days = (alert->ends.ms - alert->at.ms) / DAY_MS;
    time_t seconds = (time_t)(alert->ends.ms / 1000);
    struct tm parts;
    char day[16] = "";

    if (gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(day, sizeof day, "%Y-%m-%d", &parts);
    }
    text_addf(out, "Certificate %s ", alert->reason);
    if (alert->ends.ms <= alert->at.ms) {
        text_addf(out, "has ended, on %s", day);
    } else {
        text_addf(out, "ends in %lld %s, on %s", (long long)days, days == 1 ? "day" : "days", day);
    }
    text_add(
        out, ": from then on nobody who checks it connects to the broker, and no new card opens "
             "anything. Make a new one: tagoutctl ca --force");
}

void alert_text(const struct alert *alert, struct text *out)
{
    static const char next_step[] = "Look at the server's disk and Redis.";

    switch (alert->kind) {
    case ALERT_MACHINE:
        text_addf(out, "%s: storage did not save its state", alert->display_name);
        if (alert->budget_ms > 0) {
            text_addf(out, " within %.10g s", (double)alert->budget_ms / 1000.0);
        }
        text_addf(
            out, ", not for the first time. Its cards still work; do not power-cycle it. %s",
            next_step);
        break;
    case ALERT_REPEATED:
        text_addf(
            out, "%s: storage did not save its state in time, %u times in ", alert->display_name,
            alert->count);
        add_window(out, alert->window_ms);
        text_addf(out, ". Its cards still work; do not power-cycle it. %s", next_step);
        break;
    case ALERT_FLEET:
        text_addf(
            out, "Fleet: storage hangs, %u %s in ", alert->count,
            alert->count == 1 ? "machine" : "machines");
        add_window(out, alert->window_ms);
        text_addf(out, ". Cards still work; do not power-cycle anything. %s", next_step);
        break;
    case ALERT_OVER:
        add_over(out, alert);
        break;
    case ALERT_TEST:
        text_addf(
            out, "Test alert, asked for by %s. Whoever reads this gets alerts; nothing is wrong.",
            alert->by);
        break;
    case ALERT_AUDIT_STOPPED:
        text_add(out, "Audit: its disk has taken nothing for ");
        alert_add_duration(out, alert->lasted_ms);
        text_add(
            out, ". Events wait in memory, up to a limit; everything else goes on. Look at the "
                 "server's disk: is it full, does it hang?");
        break;
    case ALERT_AUDIT_RESUMED:
        text_add(out, "Audit: its disk takes events again.");
        break;
    case ALERT_CERTIFICATE:
        add_certificate(out, alert);
        break;
    case ALERT_SERVICE_ERROR:
    case ALERT_SERVICE_RECOVERED:
    case ALERT_CONFIG_DIFFERS:
    case ALERT_CONFIG_AGREES:
        alert_service_text(alert, out);
        break;
    case ALERT_KIND_COUNT:
        break;
    }
}

static void print_seconds(struct json_out *out, const char *key, int64_t ms)
{
    if (ms > 0) {
        json_out_number(out, key, (double)ms / 1000.0, 3);
    }
}

enum status alert_print(const struct alert *alert, struct text *text)
{
    struct json_out out = json_out(text);
    TEXT_LOCAL(sentence, 1024);

    if (alert->kind >= ALERT_KIND_COUNT) {
        return STATUS_INVALID;
    }
    alert_text(alert, &sentence);
    json_out_open(&out, NULL, '{');
    json_out_string(&out, "alert", alert->kind < ALERT_KIND_COUNT ? words[alert->kind] : NULL);
    json_out_string(&out, "text", sentence.data);
    if (alert->machine[0] != '\0') {
        json_out_string(&out, "machine", alert->machine);
        json_out_string(&out, "display_name", alert->display_name);
    }
    if (alert->count > 0) {
        json_out_integer(&out, "count", alert->count);
    }
    print_seconds(&out, "window_s", alert->window_ms);
    if (alert->budget_ms > 0) {
        json_out_integer(&out, "budget_ms", alert->budget_ms);
    }
    print_seconds(&out, "lasted_s", alert->lasted_ms);
    if (alert->kind == ALERT_OVER) {
        json_out_bool(&out, "certain", alert->certain);
    }
    if (alert->by[0] != '\0') {
        json_out_string(&out, "by", alert->by);
    }
    if (alert->service[0] != '\0') {
        json_out_string(&out, "service", alert->service);
    }
    if (alert->reason[0] != '\0') {
        json_out_string(&out, "reason", alert->reason);
    }
    if (alert->leads) {
        json_out_bool(&out, "leads", true);
    }
    if (alert->ends.ms != 0) {
        json_out_wall(&out, "ends", alert->ends);
    }
    if (alert->since.ms != 0) {
        json_out_wall(&out, "since", alert->since);
    }
    json_out_wall(&out, "at", alert->at);
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}

static void read_string(const struct json *object, const char *key, char *ret, size_t size)
{
    text_copy(ret, size, json_get_string(object, key));
}

enum status alert_read(const struct json *object, struct alert *ret_alert)
{
    struct alert alert = {0};
    char word[64];

    read_string(object, "alert", word, sizeof word);
    while (alert.kind < ALERT_KIND_COUNT && strcmp(words[alert.kind], word) != 0) {
        alert.kind++;
    }
    if (alert.kind == ALERT_KIND_COUNT) {
        return STATUS_NOT_FOUND;
    }
    read_string(object, "machine", alert.machine, sizeof alert.machine);
    read_string(object, "display_name", alert.display_name, sizeof alert.display_name);
    read_string(object, "by", alert.by, sizeof alert.by);
    read_string(object, "service", alert.service, sizeof alert.service);
    read_string(object, "reason", alert.reason, sizeof alert.reason);
    alert.leads = json_get_bool(object, "leads");
    alert.count = (uint32_t)json_get_integer(object, "count", UINT32_MAX);
    alert.window_ms = json_get_ms(object, "window_s");
    alert.budget_ms = (int64_t)json_get_integer(object, "budget_ms", INT32_MAX);
    alert.lasted_ms = json_get_ms(object, "lasted_s");
    alert.certain = json_get_bool(object, "certain");
    alert.since = json_get_wall(object, "since");
    alert.ends = json_get_wall(object, "ends");
    alert.at = json_get_wall(object, "at");
    *ret_alert = alert;
    return STATUS_OK;
}
