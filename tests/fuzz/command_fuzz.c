/* command_parse: what it accepts is read back from what is printed of it. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "topics/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command command;
    struct command again;
    TEXT_LOCAL(why, 256);
    TEXT_LOCAL(first, 4 * COMMAND_BYTES_MAX);
    TEXT_LOCAL(second, 4 * COMMAND_BYTES_MAX);

    if (command_parse((const char *)data, size, &command, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
        return 0;
    }
    FUZZ_CHECK(command_print(&command, &first) == STATUS_OK);
    if (first.length > COMMAND_BYTES_MAX) {
        return 0; /* control characters and numbers that no controller sends */
    }
    FUZZ_CHECK(command_parse(first.data, first.length, &again, &why) == STATUS_OK);
    FUZZ_CHECK(command_print(&again, &second) == STATUS_OK);
    FUZZ_CHECK(strcmp(first.data, second.data) == 0);
    return 0;
}
