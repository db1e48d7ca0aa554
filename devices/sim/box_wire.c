/* Between the device's structs and the payloads. */
#include <stdio.h>
#include <string.h>

#include "devices/sim/box.h"
#include "topics/command.h"
#include "topics/member.h"
#include "topics/report.h"

#define IDLE_AMPS 0.05
#define WORKING_AMPS 4.2

/* A machine's Wi-Fi and warmth: the same as long as it stands where it stands. */
static void add_numbers(const struct box *box, struct report *report)
{
    double signal_db = -45 - (double)(box->seed % 30);
    double amps = box->contact[0] ? WORKING_AMPS : IDLE_AMPS;

    for (size_t i = 0; i < REPORT_NUMBER_COUNT; i++) {
        report->has_number[i] = true;
    }
    report->number[REPORT_WIFI_SIGNAL_DB] = signal_db;
    report->number[REPORT_WIFI_SIGNAL_PERCENT] = 2 * (signal_db + 100);
    report->number[REPORT_INTERNAL_TEMPERATURE_C] = 38 + box->seed % 12;
    report->number[REPORT_AMPS] = box->amps >= 0 ? box->amps : amps;
}

void box_send_report(struct box *box, const struct device_report *from)
{
    struct report report = {
        .oops = from->oops,
        .uptime_s = (double)from->uptime_ms / 1000,
        .seq = from->seq,
        .has_ack = from->has_ack,
        .ack = {.epoch = from->ack.epoch, .rev = from->ack.rev},
        .ack_oops = from->ack_oops,
        .ack_lockout = from->ack_lockout,
        .relay_state = from->relay_state ? REPORT_RELAY_ON : REPORT_RELAY_OFF,
        .has_feedback = true,
        .feedback_is_contact = from->feedback_is_contact,
        .emergency = from->emergency,
        .has_reader_ok = true,
        .reader_ok = from->reader_ok,
        .fw = "tagout-sim " TAGOUT_VERSION,
    };
    TEXT_LOCAL(payload, REPORT_BYTES_MAX);

    if (from->has_second_relay) {
        report.second_relay_state = from->second_relay_state ? REPORT_RELAY_ON : REPORT_RELAY_OFF;
    }
    text_copy(report.card, sizeof report.card, from->card);
    text_copy(report.boot_id, sizeof report.boot_id, from->boot_id);
    text_copy(report.reset_reason, sizeof report.reset_reason, box->reset_reason);
    add_numbers(box, &report);
    if (report_print(&report, &payload) == STATUS_OK) {
        box_link_publish(box, TOPIC_REPORT, payload.data, payload.length);
    }
}

void box_send_pong(struct box *box, uint32_t id)
{
    TEXT_LOCAL(payload, 128);
    struct json_out out = json_out(&payload);

    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "id", id);
    json_out_string(&out, "boot_id", box->device.boot_id);
    json_out_close(&out, '}');
    box_link_publish(box, TOPIC_PONG, payload.data, payload.length);
}

static void take_command(struct box *box, const struct inbox_entry *entry)
{
    struct command command;
    struct device_event event = {.type = DEVICE_EVENT_COMMAND};
    TEXT_LOCAL(why, 256);

    if (entry->payload_length == 0) {
        return; /* C7.2 */
    }
    if (command_parse(entry->payload, entry->payload_length, &command, &why) != STATUS_OK) {
        box_say(box, "refused", TONE_WARN, "ignored a command: %s", why.data);
        return;
    }
    event.command = (struct device_command){
        .relay = command.relay,
        .second_relay = command.second_relay,
        .display = command.display,
        .oops_led = command.oops_led,
        .lockout = command.lockout,
        .rgb = {(float)command.rgb[0], (float)command.rgb[1], (float)command.rgb[2]},
        .brightness = (float)command.brightness,
        .needs_card = command.needs_card,
        .second_needs_card = command.second_needs_card,
        .boot_id = command.boot_id[0] != '\0' ? command.boot_id : NULL,
        .seq = command.seq,
        .version = {.epoch = command.version.epoch, .rev = command.version.rev},
    };
    box_step(box, event);
}

/* {"id": n, "force": bool}, of a probe or a restart. */
static bool read_id(const struct inbox_entry *entry, uint32_t *ret_id, bool *ret_force)
{
    struct json *document = NULL;
    TEXT_LOCAL(why, 256);
    struct members members =
        members_of(entry->payload, entry->payload_length, MQTT_PAYLOAD_MAX, &document, &why);
    uint64_t id = 0;

    member_integer(&members, "id", REQUIRED, 0, UINT32_MAX, &id);
    member_bool(&members, "force", OPTIONAL, ret_force);
    json_free(document);
    *ret_id = (uint32_t)id;
    return !members.failed;
}

static void take_probe(struct box *box, const struct inbox_entry *entry)
{
    struct device_event event = {.type = DEVICE_EVENT_PROBE};
    bool force = false;

    if (!read_id(entry, &event.probe_id, &force)) {
        return;
    }
    if (box->hang == BOX_HUNG_WITH_PONGS) {
        box_send_pong(box, event.probe_id);
    }
    box_step(box, event);
}

static void take_restart(struct box *box, const struct inbox_entry *entry)
{
    struct device_event event = {.type = DEVICE_EVENT_RESTART};

    if (!entry->retained && read_id(entry, &event.restart.id, &event.restart.force)) {
        box_say(
            box, "restart", TONE_PLAIN, "told to restart%s", event.restart.force ? " at once" : "");
        box_step(box, event);
    }
}

void box_take_message(struct box *box, enum topic_id id, const struct inbox_entry *entry)
{
    if (id == TOPIC_COMMAND) {
        take_command(box, entry);
    } else if (id == TOPIC_PROBE) {
        take_probe(box, entry);
    } else if (id == TOPIC_RESTART) {
        take_restart(box, entry);
    }
}
