#include "topics/report.h"

#include <string.h>

#include "topics/member.h"

static const char *const number_keys[REPORT_NUMBER_COUNT] = {
    [REPORT_WIFI_SIGNAL_DB] = "wifi_signal_db",
    [REPORT_WIFI_SIGNAL_PERCENT] = "wifi_signal_percent",
    [REPORT_INTERNAL_TEMPERATURE_C] = "internal_temperature_c",
    [REPORT_AMPS] = "amps",
};

const char *report_number_key(enum report_number number)
{
    return number_keys[number];
}

/* A card's number must not get into a log: the reason never quotes it. */
static void read_card(struct members *members, struct report *report)
{
    const char *card = NULL;

    if (!member_string(members, "rfid_value", REQUIRED, &card)) {
        return;
    }
    if (!text_is_printable_ascii(card)) {
        member_fail(members, "rfid_value", "not printable ASCII");
    } else if (strlen(card) >= REPORT_CARD_SIZE) {
        member_fail(members, "rfid_value", "over %d characters", REPORT_CARD_SIZE - 1);
    } else {
        card_pad(report->card, card);
    }
}

static void read_boot(struct members *members, struct report *report)
{
    const char *boot = NULL;
    uint64_t seq = 0;

    if (member_string(members, "boot_id", OPTIONAL, &boot)) {
        if (boot[0] == '\0') {
            member_fail(members, "boot_id", "empty");
        } else if (!text_is_printable_ascii(boot) || strpbrk(boot, "\"\\") != NULL) {
            member_fail(members, "boot_id", "not printable ASCII without \" and \\");
        } else if (strlen(boot) >= REPORT_BOOT_SIZE) {
            member_fail(members, "boot_id", "over %d characters", REPORT_BOOT_SIZE - 1);
        } else {
            text_copy(report->boot_id, sizeof report->boot_id, boot);
        }
    }
    if (member_integer(members, "seq", OPTIONAL, 1, UINT32_MAX, &seq)) {
        report->seq = (uint32_t)seq;
    }
}

static void read_ack(struct members *members, struct report *report)
{
    struct members inner = {.place = "/ack", .why = members->why};
    uint64_t epoch = 0;
    uint64_t rev = 0;

    if (!member_container(members, "ack", OPTIONAL, JSON_OBJECT, &inner.object)) {
        return;
    }
    member_integer(&inner, "epoch", REQUIRED, 0, VERSION_EPOCH_MAX, &epoch);
    member_integer(&inner, "rev", REQUIRED, 0, VERSION_REV_MAX, &rev);
    member_bool(&inner, "oops", REQUIRED, &report->ack_oops);
    member_bool(&inner, "lockout", REQUIRED, &report->ack_lockout);
    report->has_ack = true;
    report->ack = (struct version){.epoch = epoch, .rev = (uint32_t)rev};
    members->failed = inner.failed;
    members->flaw = inner.flaw;
}

static void read_relay(struct members *members, const char *key, enum report_relay *ret_relay)
{
    bool on = false;

    if (member_bool(members, key, OPTIONAL, &on)) {
        *ret_relay = on ? REPORT_RELAY_ON : REPORT_RELAY_OFF;
    }
}

static void read_feedback(struct members *members, struct report *report)
{
    const char *word = NULL;

    if (!member_string(members, "relay_feedback", OPTIONAL, &word)) {
        return;
    }
    report->has_feedback = true;
    report->feedback_is_contact = strcmp(word, "contact") == 0;
    if (!report->feedback_is_contact && strcmp(word, "output") != 0) {
        member_fail(members, "relay_feedback", "neither \"contact\" nor \"output\"");
    }
}

static void read_members(struct members *members, struct report *report)
{
    const size_t word_max = (REPORT_WORD_SIZE - 1) / 4;

    member_bool(members, "oops", REQUIRED, &report->oops);
    read_card(members, report);
    if (member_number(members, "uptime", REQUIRED, &report->uptime_s) && report->uptime_s < 0) {
        member_fail(members, "uptime", "%.17g is below 0", report->uptime_s);
    }
    read_boot(members, report);
    read_ack(members, report);
    read_relay(members, "relay_state", &report->relay_state);
    read_relay(members, "second_relay_state", &report->second_relay_state);
    read_feedback(members, report);
    member_bool(members, "emergency", OPTIONAL, &report->emergency);
    report->has_reader_ok = member_bool(members, "reader_ok", OPTIONAL, &report->reader_ok);
    member_text(members, "fw", OPTIONAL, word_max, report->fw, sizeof report->fw);
    member_text(
        members, "reset_reason", OPTIONAL, word_max, report->reset_reason,
        sizeof report->reset_reason);
    for (size_t i = 0; i < REPORT_NUMBER_COUNT; i++) {
        report->has_number[i] =
            member_number(members, number_keys[i], OPTIONAL, &report->number[i]);
    }
}

enum status report_parse_flaw(
    const char *payload, size_t length, struct report *ret_report, struct text *why,
    enum member_flaw *ret_flaw)
{
    struct json *document = NULL;
    struct members members = members_of(payload, length, REPORT_BYTES_MAX, &document, why);
    struct report report = {0};

    read_members(&members, &report);
    json_free(document);
    if (members.failed) {
        *ret_flaw = members.flaw;
        return STATUS_INVALID;
    }
    *ret_report = report;
    return STATUS_OK;
}

enum status
report_parse(const char *payload, size_t length, struct report *ret_report, struct text *why)
{
    enum member_flaw flaw;

    return report_parse_flaw(payload, length, ret_report, why, &flaw);
}

static void print_ack(const struct report *report, struct json_out *out)
{
    if (!report->has_ack) {
        return;
    }
    json_out_open(out, "ack", '{');
    json_out_integer(out, "epoch", (int64_t)report->ack.epoch);
    json_out_integer(out, "rev", report->ack.rev);
    json_out_bool(out, "oops", report->ack_oops);
    json_out_bool(out, "lockout", report->ack_lockout);
    json_out_close(out, '}');
}

static void print_relay(struct json_out *out, const char *key, enum report_relay relay)
{
    if (relay != REPORT_RELAY_ABSENT) {
        json_out_bool(out, key, relay == REPORT_RELAY_ON);
    }
}

static void print_word(struct json_out *out, const char *key, const char *word)
{
    if (word[0] != '\0') {
        json_out_string(out, key, word);
    }
}

enum status report_print(const struct report *report, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_bool(&out, "oops", report->oops);
    json_out_string(&out, "rfid_value", report->card);
    json_out_number(&out, "uptime", report->uptime_s, 3);
    print_word(&out, "boot_id", report->boot_id);
    if (report->seq != 0) {
        json_out_integer(&out, "seq", report->seq);
    }
    print_ack(report, &out);
    print_relay(&out, "relay_state", report->relay_state);
    print_relay(&out, "second_relay_state", report->second_relay_state);
    if (report->has_feedback) {
        print_word(&out, "relay_feedback", report->feedback_is_contact ? "contact" : "output");
    }
    if (report->emergency) {
        json_out_bool(&out, "emergency", true);
    }
    if (report->has_reader_ok) {
        json_out_bool(&out, "reader_ok", report->reader_ok);
    }
    print_word(&out, "fw", report->fw);
    print_word(&out, "reset_reason", report->reset_reason);
    for (size_t i = 0; i < REPORT_NUMBER_COUNT; i++) {
        if (report->has_number[i]) {
            json_out_number(&out, number_keys[i], report->number[i], 3);
        }
    }
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}
