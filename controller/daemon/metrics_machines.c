/* Metrics of each machine. All samples of a family stand together, so the fleet is gone through
 * family by family, in pieces: thousands of machines must not hold up a decision.
 *
 * Names and labels are those of the system that Tagout replaces, where it had them. What is not
 * known of a machine is left out. */
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/daemon/render.h"
#include "controller/support/exposition.h"

/* Room for one line: two names of 64 characters, each of four bytes or escaped, and all else. */
#define LINE_BYTES_MAX 2048
/* So many are looked at for one piece, whether there is something to tell of them or not: each is
 * out of the processor's caches. */
#define VISITS_MAX 512

struct sample {
    const struct machine *machine;
    size_t variant; /* of those that differ in their extra label */
};

struct family {
    const char *name;
    const char *help;
    enum exposition_type type;
    bool (*value)(const struct sample *sample, double *ret_value); /* false: left out */
    const char *extra;                                             /* label; NULL for none */
    size_t variants;
    const char *(*extra_value)(const struct sample *sample);
};

static const struct core_state *core_of(const struct sample *sample)
{
    return &sample->machine->record.core;
}

static const struct core_config *config_of(const struct sample *sample)
{
    return &sample->machine->config->config;
}

static bool seconds(struct wall_time moment, double *ret_value)
{
    *ret_value = (double)moment.ms / 1000;
    return moment.ms != 0;
}

static bool flag(bool value, double *ret_value)
{
    *ret_value = value ? 1 : 0;
    return true;
}

static bool number(const struct sample *sample, enum report_number which, double *ret_value)
{
    *ret_value = sample->machine->telemetry.told[which];
    return sample->machine->telemetry.has[which];
}

static bool relay(const struct sample *sample, double *ret_value)
{
    return flag(core_mode_relay(core_of(sample)->mode), ret_value);
}

static bool oops(const struct sample *sample, double *ret_value)
{
    return flag(core_of(sample)->oopsed, ret_value);
}

static bool lockout(const struct sample *sample, double *ret_value)
{
    return flag(core_of(sample)->locked_out, ret_value);
}

static bool override(const struct sample *sample, double *ret_value)
{
    return flag(core_of(sample)->mode == CORE_OVERRIDE, ret_value);
}

static bool warn_only(const struct sample *sample, double *ret_value)
{
    return flag(config_of(sample)->unauthorized_warn_only, ret_value);
}

static bool last_checkin(const struct sample *sample, double *ret_value)
{
    return seconds(core_of(sample)->last_report, ret_value);
}

static bool last_update(const struct sample *sample, double *ret_value)
{
    return seconds(core_of(sample)->last_update, ret_value);
}

static bool card(const struct sample *sample, double *ret_value)
{
    return flag(core_of(sample)->card[0] != '\0', ret_value);
}

/* Of a card that was in at the start no more is known than when its session began. */
static bool card_since(const struct sample *sample, double *ret_value)
{
    const struct core_state *core = core_of(sample);
    struct wall_time since = sample->machine->card_since;

    if (since.ms == 0 && core_mode_is_session(core->mode)) {
        since = core->session_since;
    }
    return core->card[0] != '\0' && seconds(since, ret_value);
}

static bool amps(const struct sample *sample, double *ret_value)
{
    return number(sample, REPORT_AMPS, ret_value);
}

static bool known_user(const struct sample *sample, double *ret_value)
{
    return flag(core_of(sample)->has_user, ret_value);
}

static bool uptime(const struct sample *sample, double *ret_value)
{
    *ret_value = core_of(sample)->uptime_s;
    return core_of(sample)->known;
}

static bool wifi_db(const struct sample *sample, double *ret_value)
{
    return number(sample, REPORT_WIFI_SIGNAL_DB, ret_value);
}

static bool wifi_percent(const struct sample *sample, double *ret_value)
{
    return number(sample, REPORT_WIFI_SIGNAL_PERCENT, ret_value);
}

static bool temperature(const struct sample *sample, double *ret_value)
{
    return number(sample, REPORT_INTERNAL_TEMPERATURE_C, ret_value);
}

static bool led(const struct sample *sample, double *ret_value)
{
    double light[RENDER_LIGHTS];

    render_light(core_of(sample), light);
    *ret_value = light[sample->variant];
    return true;
}

static const char *led_attribute(const struct sample *sample)
{
    static const char *const words[RENDER_LIGHTS] = {"red", "green", "blue", "brightness"};

    return words[sample->variant];
}

/* ---- the second relay: of machines that have none, only that ---- */

static bool second(const struct sample *sample, double *ret_value)
{
    return config_of(sample)->second_relay.present &&
           flag(core_of(sample)->second_relay, ret_value);
}

static bool second_configured(const struct sample *sample, double *ret_value)
{
    return flag(config_of(sample)->second_relay.present, ret_value);
}

static bool second_warn_only(const struct sample *sample, double *ret_value)
{
    return config_of(sample)->second_relay.present &&
           flag(config_of(sample)->second_relay.unauthorized_warn_only, ret_value);
}

static bool second_always(const struct sample *sample, double *ret_value)
{
    return config_of(sample)->second_relay.present &&
           flag(config_of(sample)->second_relay.always_enabled, ret_value);
}

static const char *second_alias(const struct sample *sample)
{
    return sample->machine->config->second_alias;
}

/* ---- Tagout's own ---- */

static bool save_timeouts(const struct sample *sample, double *ret_value)
{
    *ret_value = sample->machine->record.save_timeouts;
    return true;
}

static bool confirmed(const struct sample *sample, double *ret_value)
{
    enum core_observed seen = core_of(sample)->confirmed;

    return seen != CORE_UNKNOWN && flag(seen == CORE_ON, ret_value);
}

static bool health(const struct sample *sample, double *ret_value)
{
    return flag(core_of(sample)->health == (enum core_health)sample->variant, ret_value);
}

static const char *health_word(const struct sample *sample)
{
    return core_health_text((enum core_health)sample->variant);
}

static bool problem(const struct sample *sample, double *ret_value)
{
    const struct core_state *core = core_of(sample);

    return flag(
        core->faults != 0 || sample->machine->save_late || core->health == CORE_HEALTH_ERROR,
        ret_value);
}

/* Only those that there are: eight zeros for each machine would tell nothing. */
static bool fault(const struct sample *sample, double *ret_value)
{
    bool is_there = sample->variant == CORE_FAULT_COUNT
                        ? sample->machine->save_late
                        : (core_of(sample)->faults & CORE_FAULT(sample->variant)) != 0;

    return is_there && flag(true, ret_value);
}

static const char *fault_word(const struct sample *sample)
{
    return sample->variant == CORE_FAULT_COUNT
               ? "save_timeout"
               : core_fault_text((enum core_fault_index)sample->variant);
}

#define GAUGE(name, help, value)                                                                   \
    {                                                                                              \
        name, help, EXPOSITION_GAUGE, value, NULL, 1, NULL                                         \
    }
#define SECOND(name, help, value)                                                                  \
    {                                                                                              \
        name, help, EXPOSITION_GAUGE, value, "second_relay_alias", 1, second_alias                 \
    }

static const struct family families[] = {
    GAUGE("machine_relay_state", "The relay, as commanded", relay),
    GAUGE("machine_oops_state", "The machine is oopsed", oops),
    GAUGE("machine_lockout_state", "The machine is locked out", lockout),
    GAUGE("machine_override_login_state", "An override session is open", override),
    GAUGE("machine_unauth_warn_only_state", "It is configured unauthorized_warn_only", warn_only),
    GAUGE("machine_last_checkin_timestamp", "The last report, in Unix seconds", last_checkin),
    GAUGE(
        "machine_last_update_timestamp",
        "Last change of card, relay, oops, lockout or user, in Unix seconds", last_update),
    GAUGE("machine_rfid_present", "A card is in", card),
    GAUGE(
        "machine_rfid_present_since_timestamp", "Since when a card is in, in Unix seconds",
        card_since),
    GAUGE("machine_current_amps", "Current that the machine draws", amps),
    GAUGE("machine_known_user", "A person uses the machine", known_user),
    GAUGE("machine_uptime_seconds", "Uptime of the machine's box at its last report", uptime),
    GAUGE("machine_wifi_signal_db", "Wi-Fi signal of the machine's box", wifi_db),
    GAUGE("machine_wifi_signal_percent", "Wi-Fi signal of the machine's box", wifi_percent),
    GAUGE("machine_esp_temperature_c", "Temperature inside the machine's box", temperature),
    {"machine_status_led", "The status light, as commanded", EXPOSITION_GAUGE, led, "led_attribute",
     RENDER_LIGHTS, led_attribute},
    SECOND("machine_second_relay_state", "The second relay, as commanded", second),
    SECOND("machine_second_relay_configured", "There is a second relay", second_configured),
    SECOND(
        "machine_second_relay_unauth_warn_only",
        "The second relay is configured unauthorized_warn_only", second_warn_only),
    SECOND(
        "machine_second_relay_always_enabled", "The second relay is configured always_enabled",
        second_always),
    {"mac_state_save_timeouts_total", "Saves of the machine's state that missed their budget, ever",
     EXPOSITION_COUNTER, save_timeouts, NULL, 1, NULL},
    GAUGE("tagout_machine_relay_confirmed", "The relay, as the machine itself says", confirmed),
    {"tagout_machine_health", "1 for the health that the machine has", EXPOSITION_GAUGE, health,
     "health", CORE_HEALTH_COUNT, health_word},
    GAUGE("tagout_machine_problem", "It has a fault, or does not answer", problem),
    {"tagout_machine_fault", "1 for each fault that the machine has", EXPOSITION_GAUGE, fault,
     "fault", CORE_FAULT_COUNT + 1, fault_word},
};

#define FAMILIES (sizeof families / sizeof families[0])

static void print_machine(const struct family *family, struct sample *sample, struct text *out)
{
    for (sample->variant = 0; sample->variant < family->variants; sample->variant++) {
        double value;

        if (!family->value(sample, &value)) {
            continue;
        }
        text_add(out, family->name);
        exposition_label(out, '{', "machine_name", sample->machine->record.machine);
        exposition_label(out, ',', "display_name", sample->machine->config->display_name);
        if (family->extra != NULL) {
            exposition_label(out, ',', family->extra, family->extra_value(sample));
        }
        text_add(out, "}");
        exposition_value(out, value);
    }
}

static bool has_room(const struct text *out, size_t lines)
{
    return out->size - out->length > lines * LINE_BYTES_MAX;
}

bool controller_machine_metrics(
    const struct controller *controller, size_t position[2], struct text *out)
{
    size_t count = fleet_count(controller->fleet);
    unsigned visits = 0;

    if (controller->phase != PHASE_READY) {
        return false; /* the leader tells: what two of them said would be counted twice */
    }
    for (; position[0] < FAMILIES; position[0]++, position[1] = 0) {
        const struct family *family = &families[position[0]];

        if (position[1] == 0) {
            /* With the first machine behind it: the head is written once. */
            if (!has_room(out, family->variants + 1) || visits == VISITS_MAX) {
                return true;
            }
            exposition_family(out, family->type, family->name, family->help);
        }
        for (; position[1] < count; position[1]++) {
            struct sample sample = {.machine = fleet_at(controller->fleet, position[1])};

            if (!has_room(out, family->variants) || visits == VISITS_MAX) {
                return true;
            }
            visits++;
            if (sample.machine->config != NULL) {
                print_machine(family, &sample, out);
            }
        }
    }
    return false;
}
