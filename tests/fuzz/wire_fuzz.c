/* The firmware's own JSON reader. What both it and the controller's reader take for a command is
 * the same to both, and it takes whatever the controller prints. */
#include <string.h>

#include "devices/esphome/wire.h"
#include "tests/fuzz/fuzz.h"
#include "topics/command.h"

static void check_same(const struct device_command *read, const struct command *command)
{
    char display[COMMAND_DISPLAY_SIZE];

    command_cut_display(display, read->display);
    FUZZ_CHECK(read->relay == command->relay && read->second_relay == command->second_relay);
    FUZZ_CHECK(read->oops_led == command->oops_led && read->lockout == command->lockout);
    FUZZ_CHECK(read->needs_card == command->needs_card);
    FUZZ_CHECK(read->second_needs_card == command->second_needs_card);
    FUZZ_CHECK(read->seq == command->seq);
    FUZZ_CHECK(read->version.epoch == command->version.epoch);
    FUZZ_CHECK(read->version.rev == command->version.rev);
    FUZZ_CHECK(strcmp(read->boot_id == NULL ? "" : read->boot_id, command->boot_id) == 0);
    FUZZ_CHECK(strcmp(display, command->display) == 0);
}

static void check_limits(const struct device_command *read)
{
    FUZZ_CHECK(read->display != NULL && strlen(read->display) < WIRE_DISPLAY_SIZE);
    FUZZ_CHECK(read->boot_id == NULL || strlen(read->boot_id) < DEVICE_BOOT_ID_SIZE);
    FUZZ_CHECK(read->version.epoch <= VERSION_EPOCH_MAX);
    for (int i = 0; i < 3; i++) {
        FUZZ_CHECK(read->rgb[i] >= 0 && read->rgb[i] <= 1);
    }
    FUZZ_CHECK(read->brightness >= 0 && read->brightness <= 1);
}

static bool has_range(const struct command *command)
{
    bool fits = command->brightness >= 0 && command->brightness <= 1;

    for (int i = 0; i < 3; i++) {
        fits = fits && command->rgb[i] >= 0 && command->rgb[i] <= 1;
    }
    return fits;
}

static void check_printed(const struct command *command)
{
    struct wire_command read;
    TEXT_LOCAL(printed, COMMAND_BYTES_MAX);

    if (has_range(command) && command_print(command, &printed) == STATUS_OK) {
        FUZZ_CHECK(wire_read_command(printed.data, printed.length, &read));
        check_same(&read.command, command);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *payload = (const char *)data;
    struct wire_command read;
    struct command command;
    uint32_t id = 0;
    bool force = false;
    bool is_read = wire_read_command(payload, size, &read);
    TEXT_LOCAL(why, 256);

    if (is_read) {
        check_limits(&read.command);
    }
    if (command_parse(payload, size, &command, &why) == STATUS_OK) {
        if (is_read) {
            check_same(&read.command, &command);
        }
        check_printed(&command);
    }
    (void)wire_read_id(payload, size, &id, &force);
    return 0;
}
