/* What the firmware writes. */
#include <string.h>

#include "devices/esphome/wire.h"

#define NUMBER_MAX 1e9F /* more than any sensor tells */

struct out {
    char *data;
    size_t size;
    size_t length;
    bool cut;
    bool first; /* of its object */
};

static struct out out_over(char *data, size_t size)
{
    struct out out;

    memset(&out, 0, sizeof out);
    out.data = data;
    out.size = size;
    return out;
}

static void add(struct out *out, char character)
{
    if (out->length + 1 >= out->size) {
        out->cut = true;
        return;
    }
    out->data[out->length++] = character;
    out->data[out->length] = '\0';
}

static void add_text(struct out *out, const char *text)
{
    for (; *text; text++) {
        add(out, *text);
    }
}

static void add_integer(struct out *out, uint64_t value)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        add(out, digits[--count]);
    }
}

/* In thousandths. */
static void add_fixed(struct out *out, uint64_t thousandths)
{
    add_integer(out, thousandths / 1000);
    add(out, '.');
    add(out, (char)('0' + thousandths / 100 % 10));
    add(out, (char)('0' + thousandths / 10 % 10));
    add(out, (char)('0' + thousandths % 10));
}

static void open_object(struct out *out)
{
    add(out, '{');
    out->first = true;
}

static void close_object(struct out *out)
{
    add(out, '}');
    out->first = false;
}

static void key(struct out *out, const char *name)
{
    if (!out->first) {
        add(out, ',');
    }
    out->first = false;
    add(out, '"');
    add_text(out, name);
    add_text(out, "\":");
}

static void put_bool(struct out *out, const char *name, bool value)
{
    key(out, name);
    add_text(out, value ? "true" : "false");
}

static void put_integer(struct out *out, const char *name, uint64_t value)
{
    key(out, name);
    add_integer(out, value);
}

/* Printable ASCII, which is all that the device has to say. */
static void put_string(struct out *out, const char *name, const char *value)
{
    key(out, name);
    add(out, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') {
            add(out, '\\');
        }
        add(out, *value < 0x20 || *value > 0x7E ? '?' : *value);
    }
    add(out, '"');
}

static void put_word(struct out *out, const char *name, const char *value)
{
    if (value && value[0] && strlen(value) <= WIRE_WORD_MAX) {
        put_string(out, name, value);
    }
}

/* NaN compares as false with everything. */
static void put_number(struct out *out, const char *name, float value)
{
    if (!(value > -NUMBER_MAX && value < NUMBER_MAX)) {
        return;
    }
    key(out, name);
    if (value < 0) {
        add(out, '-');
        value = -value;
    }
    add_fixed(out, (uint64_t)(value * 1000.0F + 0.5F));
}

static void put_ack(struct out *out, const struct device_report *report)
{
    if (!report->has_ack) {
        return;
    }
    key(out, "ack");
    open_object(out);
    put_integer(out, "epoch", report->ack.epoch);
    put_integer(out, "rev", report->ack.rev);
    put_bool(out, "oops", report->ack_oops);
    put_bool(out, "lockout", report->ack_lockout);
    close_object(out);
}

static void put_relays(struct out *out, const struct device_report *report)
{
    put_bool(out, "relay_state", report->relay_state);
    if (report->has_second_relay) {
        put_bool(out, "second_relay_state", report->second_relay_state);
    }
    put_string(out, "relay_feedback", report->feedback_is_contact ? "contact" : "output");
    if (report->emergency) {
        put_bool(out, "emergency", true);
    }
    put_bool(out, "reader_ok", report->reader_ok);
}

static size_t finish(const struct out *out)
{
    return out->cut ? 0 : out->length;
}

size_t wire_report(
    const struct device_report *report, const struct wire_extra *extra, char data[WIRE_REPORT_SIZE])
{
    struct out out = out_over(data, WIRE_REPORT_SIZE);

    open_object(&out);
    put_bool(&out, "oops", report->oops);
    put_string(&out, "rfid_value", report->card);
    key(&out, "uptime");
    add_fixed(&out, report->uptime_ms);
    put_string(&out, "boot_id", report->boot_id);
    put_integer(&out, "seq", report->seq);
    put_ack(&out, report);
    put_relays(&out, report);
    put_word(&out, "fw", extra->fw);
    put_word(&out, "reset_reason", extra->reset_reason);
    put_number(&out, "wifi_signal_db", extra->wifi_signal_db);
    put_number(&out, "wifi_signal_percent", extra->wifi_signal_percent);
    put_number(&out, "internal_temperature_c", extra->internal_temperature_c);
    put_number(&out, "amps", extra->amps);
    close_object(&out);
    return finish(&out);
}

size_t wire_pong(uint32_t id, const char *boot_id, char data[WIRE_PONG_SIZE])
{
    struct out out = out_over(data, WIRE_PONG_SIZE);

    open_object(&out);
    put_integer(&out, "id", id);
    put_string(&out, "boot_id", boot_id);
    close_object(&out);
    return finish(&out);
}
