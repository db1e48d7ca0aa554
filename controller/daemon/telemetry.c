/* C2 `telemetry`: the numbers of the last report, never the card. */
#include <math.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/json.h"

#define MOVED_SHARE 0.05
#define MOVED_MS 10000
#define STEADY_MS 60000

static bool has_moved(const struct telemetry *telemetry)
{
    for (int i = 0; i < REPORT_NUMBER_COUNT; i++) {
        double step = fabs(telemetry->told[i] - telemetry->published[i]);
        if (telemetry->has[i] && step > MOVED_SHARE * fabs(telemetry->published[i])) {
            return true;
        }
    }
    return false;
}

static bool is_due(const struct telemetry *telemetry, struct mono_time now)
{
    int64_t age_ms = now.ms - telemetry->published_at.ms;

    return telemetry->published_at.ms == 0 || age_ms >= STEADY_MS ||
           (age_ms >= MOVED_MS && has_moved(telemetry));
}

void telemetry_take(
    struct controller *controller, struct machine *machine, const struct report *report)
{
    struct telemetry *telemetry = &machine->telemetry;
    bool any = false;
    TEXT_LOCAL(payload, 512);
    struct json_out out = json_out(&payload);

    for (int i = 0; i < REPORT_NUMBER_COUNT; i++) {
        if (report->has_number[i]) {
            telemetry->has[i] = true;
            telemetry->told[i] = report->number[i];
        }
        any |= telemetry->has[i];
    }
    if (!any || !is_due(telemetry, controller->now.mono)) {
        return;
    }
    json_out_open(&out, NULL, '{');
    json_out_number(&out, "uptime", report->uptime_s, 3);
    for (int i = 0; i < REPORT_NUMBER_COUNT; i++) {
        if (telemetry->has[i]) {
            json_out_number(&out, report_number_key((enum report_number)i), telemetry->told[i], 3);
            telemetry->published[i] = telemetry->told[i];
        }
    }
    json_out_close(&out, '}');
    telemetry->published_at = controller->now.mono;
    publish(
        controller, TOPIC_TELEMETRY, machine->record.machine, NULL, payload.data, payload.length);
}
