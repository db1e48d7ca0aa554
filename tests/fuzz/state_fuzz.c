/* state_parse: what it accepts is read back from what is printed of it. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "topics/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state_copy copy = {0};
    struct state_copy again = {0};
    TEXT_LOCAL(why, 256);
    TEXT_LOCAL(first, 8 * STATE_BYTES_MAX);
    TEXT_LOCAL(second, 8 * STATE_BYTES_MAX);

    if (state_parse((const char *)data, size, &copy, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
        FUZZ_CHECK(copy.document == NULL);
        return 0;
    }
    FUZZ_CHECK(copy.state.machine != NULL && copy.state.mode != NULL);
    FUZZ_CHECK(copy.state.fault_count <= STATE_FAULTS_MAX);
    FUZZ_CHECK(state_print(&copy.state, &first) == STATUS_OK);
    if (first.length <= STATE_BYTES_MAX) {
        FUZZ_CHECK(state_parse(first.data, first.length, &again, &why) == STATUS_OK);
        FUZZ_CHECK(state_print(&again.state, &second) == STATUS_OK);
        FUZZ_CHECK(strcmp(first.data, second.data) == 0);
    }
    state_copy_free(&copy);
    state_copy_free(&again);
    return 0;
}
