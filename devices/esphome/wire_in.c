/* What the firmware reads. */
#include <string.h>

#include "devices/esphome/cursor.h"
#include "devices/esphome/wire.h"

#define KEY_SIZE 32
#define EPOCH_MAX ((uint64_t)1 << 40)

static bool read_integer(struct cursor *in, uint64_t least, uint64_t most, uint64_t *ret)
{
    struct cursor_value number;

    if (!cursor_number(in, &number) || !number.is_integer || number.integer < least ||
        number.integer > most) {
        return false;
    }
    *ret = number.integer;
    return true;
}

static bool read_part(struct cursor *in, float *ret)
{
    struct cursor_value number;

    if (!cursor_number(in, &number) || number.value < 0 || number.value > 1) {
        return false;
    }
    *ret = (float)number.value;
    return true;
}

static bool read_rgb(struct cursor *in, float rgb[3])
{
    return cursor_token(in, '[') && read_part(in, &rgb[0]) && cursor_token(in, ',') &&
           read_part(in, &rgb[1]) && cursor_token(in, ',') && read_part(in, &rgb[2]) &&
           cursor_token(in, ']');
}

enum field {
    FIELD_RELAY,
    FIELD_SECOND_RELAY,
    FIELD_DISPLAY,
    FIELD_OOPS_LED,
    FIELD_LOCKOUT,
    FIELD_RGB,
    FIELD_BRIGHTNESS,
    FIELD_NEEDS_CARD,
    FIELD_SECOND_NEEDS_CARD,
    FIELD_EPOCH,
    FIELD_REV,
    FIELD_BOOT_ID,
    FIELD_SEQ,
    FIELD_COUNT,
};

#define REQUIRED_FIELDS ((1U << FIELD_BOOT_ID) - 1) /* those above it */

static const char *const field_names[] = {
    "relay",
    "second_relay",
    "display",
    "oops_led",
    "lockout",
    "status_led_rgb",
    "status_led_brightness",
    "needs_card",
    "second_needs_card",
    "epoch",
    "rev",
    "boot_id",
    "seq",
};

static int find(const char *name, const char *const names[], int count)
{
    int i;

    for (i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    return count;
}

static bool read_rev(struct cursor *in, uint32_t least, uint32_t *ret)
{
    uint64_t value = 0;

    if (!read_integer(in, least, UINT32_MAX, &value)) {
        return false;
    }
    *ret = (uint32_t)value;
    return true;
}

static bool read_boot_id(struct cursor *in, struct wire_command *ret)
{
    if (cursor_null(in)) {
        return true;
    }
    if (!cursor_string(in, ret->boot_id, sizeof ret->boot_id) || ret->boot_id[0] == '\0') {
        return false;
    }
    ret->command.boot_id = ret->boot_id;
    return true;
}

static bool read_field(struct cursor *in, int field, struct wire_command *ret)
{
    struct device_command *command = &ret->command;

    switch (field) {
    case FIELD_RELAY:
        return cursor_bool(in, &command->relay);
    case FIELD_SECOND_RELAY:
        return cursor_bool(in, &command->second_relay);
    case FIELD_DISPLAY:
        command->display = ret->display;
        return cursor_string(in, ret->display, sizeof ret->display);
    case FIELD_OOPS_LED:
        return cursor_bool(in, &command->oops_led);
    case FIELD_LOCKOUT:
        return cursor_bool(in, &command->lockout);
    case FIELD_RGB:
        return read_rgb(in, command->rgb);
    case FIELD_BRIGHTNESS:
        return read_part(in, &command->brightness);
    case FIELD_NEEDS_CARD:
        return cursor_bool(in, &command->needs_card);
    case FIELD_SECOND_NEEDS_CARD:
        return cursor_bool(in, &command->second_needs_card);
    case FIELD_EPOCH:
        return read_integer(in, 0, EPOCH_MAX, &command->version.epoch);
    case FIELD_REV:
        return read_rev(in, 0, &command->version.rev);
    case FIELD_BOOT_ID:
        return read_boot_id(in, ret);
    case FIELD_SEQ:
        return cursor_null(in) || read_rev(in, 1, &command->seq);
    default:
        return cursor_skip(in);
    }
}

/* The next key of an object; `more` is false at the object's end. A name that is too long is none
 * that is known. */
static bool next_key(struct cursor *in, bool first, char name[KEY_SIZE], bool *ret_more)
{
    struct cursor before;

    *ret_more = !cursor_token(in, '}');
    if (!*ret_more) {
        return true;
    }
    if (!first && !cursor_token(in, ',')) {
        return false;
    }
    before = *in;
    if (!cursor_string(in, name, KEY_SIZE)) {
        *in = before;
        name[0] = '\0';
        if (!cursor_string(in, NULL, 0)) {
            return false;
        }
    }
    return cursor_token(in, ':');
}

bool wire_read_command(const char *payload, size_t length, struct wire_command *ret)
{
    struct cursor in = {payload, payload + length};
    char name[KEY_SIZE];
    uint32_t seen = 0;
    bool more = true;
    bool first = true;

    memset(ret, 0, sizeof *ret);
    if (length > WIRE_COMMAND_MAX || !cursor_token(&in, '{')) {
        return false;
    }
    for (; more; first = false) {
        int field;

        if (!next_key(&in, first, name, &more)) {
            return false;
        }
        if (!more) {
            break;
        }
        field = find(name, field_names, FIELD_COUNT);
        if ((field < FIELD_COUNT && (seen >> field & 1U)) || !read_field(&in, field, ret)) {
            return false;
        }
        seen |= 1U << field;
    }
    return (seen & REQUIRED_FIELDS) == REQUIRED_FIELDS && cursor_at_end(&in);
}

bool wire_read_id(const char *payload, size_t length, uint32_t *ret_id, bool *ret_force)
{
    static const char *const names[] = {"id", "force"};
    struct cursor in = {payload, payload + length};
    char name[KEY_SIZE];
    uint32_t seen = 0;
    bool more = true;
    bool first = true;

    *ret_id = 0;
    *ret_force = false;
    if (length > WIRE_COMMAND_MAX || !cursor_token(&in, '{')) {
        return false;
    }
    for (; more; first = false) {
        int field;
        bool read;

        if (!next_key(&in, first, name, &more)) {
            return false;
        }
        if (!more) {
            break;
        }
        field = find(name, names, 2);
        read = field == 0   ? read_rev(&in, 0, ret_id)
               : field == 1 ? cursor_bool(&in, ret_force)
                            : cursor_skip(&in);
        if ((field < 2 && (seen >> field & 1U)) || !read) {
            return false;
        }
        seen |= 1U << field;
    }
    return (seen & 1U) != 0 && cursor_at_end(&in);
}
