#include "persistence/record.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/record_table.h"

#define ROW(name, kind, weight, member)                                                            \
    {                                                                                              \
        name, sizeof name - 1, kind, weight, offsetof(struct record, member),                      \
            sizeof(((struct record *)NULL)->member)                                                \
    }

/* In the order in which HGETALL shows them. `mode` stands before what follows from it. */
const struct record_row record_rows[RECORD_ROWS] = {
    ROW("format", KIND_FORMAT, WEIGHT_DECIDES, machine),
    ROW("machine", KIND_MACHINE, WEIGHT_DECIDES, machine),
    ROW("health", KIND_HEALTH, WEIGHT_READ, core.health),
    ROW("mode", KIND_MODE, WEIGHT_DECIDES, core.mode),
    ROW("relay", KIND_RELAY, WEIGHT_DECIDES, core.mode),
    ROW("confirmed", KIND_CONFIRMED, WEIGHT_READ, core.confirmed),
    ROW("second_relay", KIND_BOOL, WEIGHT_DECIDES, core.second_relay),
    ROW("second_relay_authorization", KIND_SECOND, WEIGHT_DECIDES, core.second),
    ROW("oops", KIND_BOOL, WEIGHT_FLAG, core.oopsed),
    ROW("oops_by", KIND_TEXT, WEIGHT_READ, oops_by),
    ROW("oops_at", KIND_WALL, WEIGHT_READ, oops_at),
    ROW("lockout", KIND_BOOL, WEIGHT_FLAG, core.locked_out),
    ROW("lockout_by", KIND_TEXT, WEIGHT_READ, lockout_by),
    ROW("lockout_reason", KIND_TEXT, WEIGHT_READ, lockout_reason),
    ROW("lockout_at", KIND_WALL, WEIGHT_READ, lockout_at),
    ROW("override", KIND_OVERRIDE, WEIGHT_DECIDES, core.mode),
    ROW("emergency", KIND_EMERGENCY, WEIGHT_DECIDES, core.mode),
    ROW("has_user", KIND_BOOL, WEIGHT_DECIDES, core.has_user),
    ROW("user", KIND_TEXT, WEIGHT_DECIDES, core.user.name),
    ROW("account_id", KIND_TEXT, WEIGHT_DECIDES, core.user.account_id),
    ROW("last_user", KIND_TEXT, WEIGHT_READ, core.watch.last_user),
    ROW("session_since", KIND_WALL, WEIGHT_READ, core.session_since),
    ROW("last_update", KIND_WALL, WEIGHT_READ, core.last_update),
    ROW("last_report", KIND_WALL, WEIGHT_READ, core.last_report),
    ROW("booted_at", KIND_WALL, WEIGHT_READ, core.booted_at),
    ROW("known", KIND_BOOL, WEIGHT_BOOT, core.known),
    ROW("boot_id", KIND_TOKEN, WEIGHT_BOOT, core.boot_id),
    ROW("seq", KIND_U32, WEIGHT_BOOT, core.seq),
    ROW("uptime", KIND_SECONDS, WEIGHT_BOOT, core.uptime_s),
    ROW("fw", KIND_TEXT, WEIGHT_READ, fw),
    ROW("card", KIND_TOKEN, WEIGHT_CARD, core.card),
    ROW("card_key", KIND_TOKEN, WEIGHT_CARD, card_key),
    ROW("card_spent", KIND_BOOL, WEIGHT_DECIDES, core.card_spent),
    ROW("faults", KIND_FAULTS, WEIGHT_READ, core.faults),
    ROW("event_n", KIND_U32, WEIGHT_READ, event_n),
    ROW("save_timeouts", KIND_U32, WEIGHT_READ, save_timeouts),
    ROW("switched_epoch", KIND_EPOCH, WEIGHT_SWITCHED, core.switched.epoch),
    ROW("switched_rev", KIND_U32, WEIGHT_SWITCHED, core.switched.rev),
    ROW("epoch", KIND_EPOCH, WEIGHT_VERSION, core.version.epoch),
    ROW("rev", KIND_U32, WEIGHT_VERSION, core.version.rev),
};

static_assert(RECORD_ROWS <= RECORD_FIELDS_MAX, "every row has a field");

static const char *bool_word(bool value)
{
    return value ? "true" : "false";
}

/* Into the values' buffer. Every printed value is short, and the buffer holds RECORD_FIELDS_MAX of
 * the longest. */
static const char *print_text(struct record_fields *fields, const char *string)
{
    char *start = fields->values + fields->used;
    size_t size = strlen(string) + 1;

    assert(sizeof fields->values - fields->used >= size);
    memcpy(start, string, size);
    fields->used += size;
    return start;
}

static const char *print_number(struct record_fields *fields, uint64_t number)
{
    char *start = fields->values + fields->used;

    assert(sizeof fields->values - fields->used > TEXT_DIGITS_MAX);
    fields->used += text_digits(start, number);
    fields->values[fields->used++] = '\0';
    return start;
}

/* Below it a double tells thousandths apart, and "%.15g" writes no exponent. */
#define SECONDS_PLAIN_MAX 1e11

static const char *print_wall(struct record_fields *fields, struct wall_time time)
{
    if (time.ms <= 0) {
        return "0";
    }
    const unsigned ms = (unsigned)(time.ms % 1000);
    const char *start = print_number(fields, (uint64_t)(time.ms / 1000));
    char *end = fields->values + fields->used - 1;

    *end++ = '.';
    *end++ = (char)('0' + ms / 100);
    *end++ = (char)('0' + ms / 10 % 10);
    *end++ = (char)('0' + ms % 10);
    *end++ = '\0';
    fields->used = (size_t)(end - fields->values);
    return start;
}

/* As short as it comes back the same: a rounded uptime would look like a reboot (C4.1). */
static const char *print_seconds(struct record_fields *fields, double seconds)
{
    const bool is_plain = seconds >= 0 && seconds < SECONDS_PLAIN_MAX;
    const uint64_t thousandths = is_plain ? (uint64_t)(seconds * 1000 + 0.5) : 0;
    const double again = (double)thousandths / 1000;
    char shorter[32];

    if (again >= seconds && again <= seconds) {
        struct text text = text_over(shorter, sizeof shorter);
        text_add_thousandths(&text, thousandths);
        return print_text(fields, shorter);
    }
    (void)snprintf(shorter, sizeof shorter, "%.15g", seconds);
    if (strtod(shorter, NULL) >= seconds && strtod(shorter, NULL) <= seconds) {
        return print_text(fields, shorter);
    }
    (void)snprintf(shorter, sizeof shorter, "%.17g", seconds);
    return print_text(fields, shorter);
}

static const char *print_faults(struct record_fields *fields, uint32_t faults)
{
    TEXT_LOCAL(words, 1024);

    for (int i = 0; i < CORE_FAULT_COUNT; i++) {
        if ((faults & CORE_FAULT(i)) != 0) {
            text_addf(
                &words, "%s%s", words.length > 0 ? " " : "",
                core_fault_text((enum core_fault_index)i));
        }
    }
    return print_text(fields, words.data);
}

static const char *
value_of(struct record_fields *fields, const struct record *record, const struct record_row *row)
{
    const void *member = (const char *)record + row->offset;
    const char *word = NULL;

    switch (row->kind) {
    case KIND_FORMAT:
        return RECORD_FORMAT;
    case KIND_MACHINE:
    case KIND_TEXT:
    case KIND_TOKEN:
        return member;
    case KIND_BOOL:
        return bool_word(*(const bool *)member);
    case KIND_U32:
        return print_number(fields, *(const uint32_t *)member);
    case KIND_EPOCH:
        return print_number(fields, *(const uint64_t *)member);
    case KIND_SECONDS:
        return print_seconds(fields, *(const double *)member);
    case KIND_WALL:
        return print_wall(fields, *(const struct wall_time *)member);
    case KIND_MODE:
        return core_mode_text(record->core.mode);
    case KIND_SECOND:
        word = core_second_text(record->core.second);
        return word == NULL ? "" : word;
    case KIND_HEALTH:
        return core_health_text(record->core.health);
    case KIND_FAULTS:
        return print_faults(fields, record->core.faults);
    case KIND_RELAY:
        return bool_word(core_mode_relay(record->core.mode));
    case KIND_OVERRIDE:
        return bool_word(record->core.mode == CORE_OVERRIDE);
    case KIND_EMERGENCY:
        return bool_word(record->core.mode == CORE_EMERGENCY);
    case KIND_CONFIRMED:
        return core_observed_text(record->core.confirmed);
    }
    return "";
}

void record_write(const struct record *record, struct record_fields *ret_fields)
{
    ret_fields->count = RECORD_ROWS;
    ret_fields->bytes = 0;
    ret_fields->used = 0;
    for (size_t i = 0; i < RECORD_ROWS; i++) {
        const struct record_row *row = &record_rows[i];
        struct record_field *field = &ret_fields->fields[i];

        field->name = row->name;
        field->name_length = row->name_length;
        field->value = value_of(ret_fields, record, row);
        field->value_length = strlen(field->value);
        ret_fields->bytes += field->name_length + field->value_length;
    }
}
