/* tagoutctl's command line, one argument a line. */
#include <string.h>

#include "controller/ctl/arguments.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define ARGUMENTS_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    size_t length;
    char *text = bytes_until(&bytes, '\0', true, &length);
    char program[] = "tagoutctl";
    char *values[ARGUMENTS_MAX + 2] = {program};
    int count = 1;
    struct ctl_arguments arguments;
    static char help[65536];
    struct text out = text_over(help, sizeof help);
    TEXT_LOCAL(why, 1024);

    for (char *at = text; at != NULL && count <= ARGUMENTS_MAX; count++) {
        char *end = strchr(at, '\n');
        values[count] = at;
        at = end == NULL ? NULL : end + 1;
        if (end != NULL) {
            *end = '\0';
        }
    }
    if (ctl_arguments_parse(count, values, &arguments, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
    } else {
        FUZZ_CHECK(arguments.verb != NULL || arguments.help || arguments.version);
        FUZZ_CHECK(arguments.wait_s >= 0);
        if (arguments.verb != NULL && !arguments.help && !arguments.version) {
            FUZZ_CHECK((arguments.options & ~arguments.verb->options) == 0);
            FUZZ_CHECK(arguments.verb->machine != CTL_NEEDS_MACHINE || arguments.machine != NULL);
        }
        ctl_help(arguments.verb, &out);
        FUZZ_CHECK(!out.cut && out.length > 0);
    }
    free(text);
    return 0;
}
