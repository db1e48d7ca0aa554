/* A line of tagout-sim's scenarios. */
#include <string.h>

#include "devices/sim/scenario.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    size_t length;
    char *line = bytes_until(&bytes, '\0', true, &length);
    struct scenario_step step;
    TEXT_LOCAL(why, 512);

    if (scenario_parse(line, &step, &why) == STATUS_OK) {
        FUZZ_CHECK(step.kind <= SCENARIO_STOP && step.action < ACTION_COUNT);
        FUZZ_CHECK(step.when_ms >= 0 && step.when_ms <= SCENARIO_LATEST_MS);
        FUZZ_CHECK(step.duration_ms >= 0 && step.duration_ms <= SCENARIO_LATEST_MS);
    } else {
        FUZZ_CHECK(why.length > 0);
    }
    free(line);
    return 0;
}
