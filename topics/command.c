#include "topics/command.h"

#include <string.h>

#include "topics/member.h"

void command_cut_display(char ret_display[COMMAND_DISPLAY_SIZE], const char *text)
{
    struct text out = text_over(ret_display, COMMAND_DISPLAY_SIZE);

    for (int line = 0; line < COMMAND_LINES; line++) {
        size_t length = strcspn(text, "\n");
        size_t shown = utf8_offset(text, COMMAND_COLUMNS);

        text_add_bytes(&out, text, shown < length ? shown : length);
        text += length;
        if (*text == '\0') {
            break;
        }
        text++;
        if (line + 1 < COMMAND_LINES) {
            text_add(&out, "\n");
        }
    }
}

enum status command_print(const struct command *command, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    json_out_bool(&out, "relay", command->relay);
    json_out_bool(&out, "second_relay", command->second_relay);
    json_out_string(&out, "display", command->display);
    json_out_bool(&out, "oops_led", command->oops_led);
    json_out_bool(&out, "lockout", command->lockout);
    json_out_open(&out, "status_led_rgb", '[');
    for (size_t i = 0; i < sizeof command->rgb / sizeof command->rgb[0]; i++) {
        json_out_number(&out, NULL, command->rgb[i], 3);
    }
    json_out_close(&out, ']');
    json_out_number(&out, "status_led_brightness", command->brightness, 3);
    json_out_bool(&out, "needs_card", command->needs_card);
    json_out_bool(&out, "second_needs_card", command->second_needs_card);
    json_out_string(&out, "boot_id", command->boot_id[0] != '\0' ? command->boot_id : NULL);
    if (command->seq != 0) {
        json_out_integer(&out, "seq", command->seq);
    } else {
        json_out_null(&out, "seq");
    }
    json_out_integer(&out, "epoch", (int64_t)command->version.epoch);
    json_out_integer(&out, "rev", command->version.rev);
    json_out_close(&out, '}');
    return text->cut ? STATUS_TOO_LONG : STATUS_OK;
}

static void read_rgb(struct members *members, struct command *command)
{
    const struct json *array = NULL;
    const struct json *part;
    size_t parts = sizeof command->rgb / sizeof command->rgb[0];
    size_t count = 0;

    if (!member_container(members, "status_led_rgb", REQUIRED, JSON_ARRAY, &array)) {
        return;
    }
    for (part = json_first(array); part != NULL; part = json_next(part), count++) {
        if (count >= parts || json_type(part) != JSON_NUMBER) {
            break;
        }
        command->rgb[count] = json_number(part);
    }
    if (part != NULL || count != parts) {
        member_fail(members, "status_led_rgb", "must be three numbers");
    }
}

static void read_versions(struct members *members, struct command *command)
{
    uint64_t seq = 0;
    uint64_t epoch = 0;
    uint64_t rev = 0;

    member_text(
        members, "boot_id", OPTIONAL, REPORT_BOOT_SIZE - 1, command->boot_id,
        sizeof command->boot_id);
    member_integer(members, "seq", OPTIONAL, 1, UINT32_MAX, &seq);
    member_integer(members, "epoch", REQUIRED, 0, VERSION_EPOCH_MAX, &epoch);
    member_integer(members, "rev", REQUIRED, 0, VERSION_REV_MAX, &rev);
    command->seq = (uint32_t)seq;
    command->version = (struct version){.epoch = epoch, .rev = (uint32_t)rev};
}

enum status
command_parse(const char *payload, size_t length, struct command *ret_command, struct text *why)
{
    struct json *document = NULL;
    struct members members = members_of(payload, length, COMMAND_BYTES_MAX, &document, why);
    struct command command = {0};
    const char *display = "";

    member_bool(&members, "relay", REQUIRED, &command.relay);
    member_bool(&members, "second_relay", REQUIRED, &command.second_relay);
    member_string(&members, "display", REQUIRED, &display);
    command_cut_display(command.display, display);
    member_bool(&members, "oops_led", REQUIRED, &command.oops_led);
    member_bool(&members, "lockout", REQUIRED, &command.lockout);
    read_rgb(&members, &command);
    member_number(&members, "status_led_brightness", REQUIRED, &command.brightness);
    member_bool(&members, "needs_card", REQUIRED, &command.needs_card);
    member_bool(&members, "second_needs_card", REQUIRED, &command.second_needs_card);
    read_versions(&members, &command);
    json_free(document);
    if (members.failed) {
        return STATUS_INVALID;
    }
    *ret_command = command;
    return STATUS_OK;
}
