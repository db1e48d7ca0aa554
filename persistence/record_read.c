#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/record.h"
#include "persistence/record_table.h"

#define VALUE_SIZE 512                          /* over the longest string of a record */
#define WALL_SECONDS_MAX UINT64_C(253402300799) /* the end of the year 9999 */

/* What could not be read, by what is lost with it. */
struct damage {
    bool session;
    bool card;
    bool boot;
    bool version;
    bool switched;
    int flags;
    struct text *why;
};

static bool parse_whole(const char *text, size_t length, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (length == 0 || length > 19 || (length > 1 && text[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value > max) {
        return false;
    }
    *ret_value = value;
    return true;
}

static bool parse_u32(const char *text, uint32_t *ret_value)
{
    uint64_t value = 0;

    if (!parse_whole(text, strlen(text), UINT32_MAX, &value)) {
        return false;
    }
    *ret_value = (uint32_t)value;
    return true;
}

static bool parse_wall(const char *text, struct wall_time *ret_time)
{
    uint64_t seconds = 0;
    int64_t ms = 0;
    size_t whole = strcspn(text, ".");

    if (!parse_whole(text, whole, WALL_SECONDS_MAX, &seconds)) {
        return false;
    }
    if (text[whole] == '.') {
        const char *decimals = text + whole + 1;
        size_t count = strspn(decimals, "0123456789");
        if (count != 3 || decimals[count] != '\0') {
            return false;
        }
        ms = (decimals[0] - '0') * 100 + (decimals[1] - '0') * 10 + (decimals[2] - '0');
    }
    ret_time->ms = (int64_t)seconds * 1000 + ms;
    return true;
}

static bool parse_seconds(const char *text, double *ret_seconds)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9' || text[strspn(text, "0123456789.e+-")] != '\0') {
        return false;
    }
    double seconds = strtod(text, &end);
    if (*end != '\0' || !isfinite(seconds)) {
        return false;
    }
    *ret_seconds = seconds;
    return true;
}

static bool parse_bool(const char *text, bool *ret_value)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        return false;
    }
    *ret_value = text[0] == 't';
    return true;
}

static bool parse_faults(const char *text, uint32_t *ret_faults)
{
    uint32_t faults = 0;

    while (*text != '\0') {
        char word[64];
        enum core_fault_index fault;
        size_t length = strcspn(text, " ");

        if (length == 0 || length >= sizeof word) {
            return false;
        }
        memcpy(word, text, length);
        word[length] = '\0';
        if (!core_fault_parse(word, &fault)) {
            return false;
        }
        faults |= CORE_FAULT(fault);
        text += length;
        text += *text == ' ';
    }
    *ret_faults = faults;
    return true;
}

static bool parse_string(const struct record_row *row, const char *text, char *ret_string)
{
    size_t length = strlen(text);

    if (length >= row->size) {
        return false;
    }
    if (row->kind == KIND_TOKEN ? !text_is_printable_ascii(text) || strpbrk(text, "\"\\") != NULL
                                : !utf8_is_valid(text, length)) {
        return false;
    }
    memcpy(ret_string, text, length + 1);
    return true;
}

static bool says(const char *text, bool expected)
{
    bool value = false;
    return parse_bool(text, &value) && value == expected;
}

/* Sets the field in `record`; leaves it alone and returns false when the text is no such value. */
static bool parse(const struct record_row *row, const char *text, struct record *record)
{
    void *member = (char *)record + row->offset;
    const enum core_mode mode = record->core.mode;

    switch (row->kind) {
    case KIND_FORMAT:
        return strcmp(text, RECORD_FORMAT) == 0;
    case KIND_MACHINE:
        return strcmp(text, record->machine) == 0;
    case KIND_TEXT:
    case KIND_TOKEN:
        return parse_string(row, text, member);
    case KIND_BOOL:
        return parse_bool(text, member);
    case KIND_U32:
        return parse_u32(text, member);
    case KIND_EPOCH:
        return parse_whole(text, strlen(text), VERSION_EPOCH_MAX, member);
    case KIND_SECONDS:
        return parse_seconds(text, member);
    case KIND_WALL:
        return parse_wall(text, member);
    case KIND_MODE:
        return core_mode_parse(text, member);
    case KIND_SECOND:
        return core_second_parse(text[0] == '\0' ? NULL : text, member);
    case KIND_HEALTH:
        return core_health_parse(text, member);
    case KIND_FAULTS:
        return parse_faults(text, member);
    case KIND_RELAY:
        return says(text, core_mode_relay(mode));
    case KIND_OVERRIDE:
        return says(text, mode == CORE_OVERRIDE);
    case KIND_EMERGENCY:
        return says(text, mode == CORE_EMERGENCY);
    case KIND_CONFIRMED:
        return true;
    }
    return false;
}

static void note(struct damage *damage, const char *subject, const char *what)
{
    text_addf(damage->why, "%s%s %s", damage->why->length > 0 ? "; " : "", subject, what);
}

static void count(struct damage *damage, const struct record_row *row)
{
    switch (row->weight) {
    case WEIGHT_READ:
        break;
    case WEIGHT_DECIDES:
        damage->session = true;
        break;
    case WEIGHT_CARD:
        damage->session = true;
        damage->card = true;
        break;
    case WEIGHT_BOOT:
        damage->session = true;
        damage->boot = true;
        break;
    case WEIGHT_VERSION:
        damage->version = true;
        break;
    case WEIGHT_SWITCHED:
        damage->switched = true;
        break;
    case WEIGHT_FLAG:
        damage->flags++;
        break;
    }
}

static const struct record_field *
find(const struct record_row *row, const struct record_field *fields, size_t count, size_t hint)
{
    for (size_t i = 0; i < count; i++) {
        const struct record_field *field = &fields[(hint + i) % count];
        if (field->name_length == row->name_length &&
            memcmp(field->name, row->name, row->name_length) == 0) {
            return field;
        }
    }
    return NULL;
}

static void read_row(
    const struct record_row *row, const struct record_field *field, struct record *record,
    struct damage *damage)
{
    char text[VALUE_SIZE];

    if (row->kind == KIND_CONFIRMED) {
        return;
    }
    if (field == NULL) {
        note(damage, row->name, "is missing");
        count(damage, row);
        return;
    }
    if (field->value_length < sizeof text &&
        memchr(field->value, '\0', field->value_length) == NULL) {
        memcpy(text, field->value, field->value_length);
        text[field->value_length] = '\0';
        if (parse(row, text, record)) {
            return;
        }
    }
    note(damage, row->name, "can't be read");
    count(damage, row);
}

/* Whether the mode fits the flags, the user and the card (C4, I1 and I2). */
static bool mode_fits(const struct core_state *core)
{
    bool flagged = core->oopsed || core->locked_out;
    bool card = core->card[0] != '\0';

    switch (core->mode) {
    case CORE_IDLE:
        return !flagged && !core->has_user;
    case CORE_IN_USE:
        return !flagged && core->has_user && card;
    case CORE_OVERRIDE:
        return flagged && core->has_user && card;
    case CORE_EMERGENCY:
    case CORE_DENIED:
    case CORE_UNKNOWN_FOB:
        return !flagged && !core->has_user && card;
    case CORE_ALWAYS_ON:
        return !flagged && (!core->has_user || card);
    case CORE_OOPS:
        return core->oopsed && !core->has_user;
    case CORE_LOCKOUT:
        return core->locked_out && !core->oopsed && !core->has_user;
    case CORE_MODE_COUNT:
        break;
    }
    return false;
}

/* Why no decision can have led to this state; NULL when one can. */
static const char *contradiction(const struct core_state *core)
{
    bool second = core->second == CORE_SECOND_GRANTED || core->second == CORE_SECOND_WARN ||
                  core->second == CORE_SECOND_ALWAYS;

    if (!mode_fits(core)) {
        return "mode and oops, lockout, user or card";
    }
    if (core->second_relay != second) {
        return "second_relay and second_relay_authorization";
    }
    if (core->second_relay && !core_mode_relay(core->mode)) {
        return "second_relay without relay"; /* I3 */
    }
    return NULL;
}

static void end_session(struct core_state *core)
{
    core->mode = core->oopsed ? CORE_OOPS : core->locked_out ? CORE_LOCKOUT : CORE_IDLE;
    core->second = CORE_SECOND_NONE;
    core->second_relay = false;
    core->has_user = false;
    memset(&core->user, 0, sizeof core->user);
    core->session_since = (struct wall_time){0};
    core->card_spent = core->card[0] != '\0';
}

const char *record_settle(struct core_state *core)
{
    const char *wrong = contradiction(core);

    if (wrong != NULL) {
        end_session(core);
    }
    return wrong;
}

static void forget_damaged(struct record *record, struct damage *damage)
{
    struct core_state *core = &record->core;

    if (damage->version) {
        core->version = (struct version){0};
    }
    if (!damage->switched && version_compare(core->switched, core->version) > 0) {
        note(damage, "switched_rev", "is above rev");
        damage->switched = true;
    }
    if (damage->switched) {
        core->switched = core->version; /* confirms nothing that came before */
    }
    if (damage->card) {
        core->card[0] = '\0';
        record->card_key[0] = '\0';
    }
    if (damage->boot) {
        core->known = false;
        core->boot_id[0] = '\0';
        core->seq = 0;
        core->uptime_s = 0;
    }
    if (damage->session) {
        end_session(core);
    }
}

enum record_verdict record_read(
    const char *machine, const struct record_field *fields, size_t count, struct record *ret_record,
    struct text *why)
{
    struct record record;
    struct damage damage = {.why = why};

    memset(&record, 0, sizeof record);
    core_state_init(&record.core);
    text_copy(record.machine, sizeof record.machine, machine);
    record.core.oopsed = true;
    record.core.locked_out = true;
    text_clear(why);
    for (size_t i = 0; i < RECORD_ROWS; i++) {
        read_row(&record_rows[i], find(&record_rows[i], fields, count, i), &record, &damage);
    }
    if (damage.flags == 2) {
        return RECORD_REFUSED;
    }
    const char *wrong = damage.session ? NULL : contradiction(&record.core);
    if (wrong != NULL) {
        damage.session = true;
        note(&damage, "these contradict each other:", wrong);
    }
    forget_damaged(&record, &damage);
    *ret_record = record;
    return why->length > 0 ? RECORD_DAMAGED : RECORD_GOOD;
}
