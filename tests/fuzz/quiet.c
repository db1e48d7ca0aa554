/* Log lines are made and checked, and nobody reads them. */
#include <stdio.h>

#include "controller/support/log_line.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/heard_log.h"

/* Whatever came in, it is one line, and nothing in it that a terminal would obey. */
void heard_log(enum log_level level, const char *format, va_list values)
{
    char message[LOG_TEXT_MAX];
    char line[LOG_LINE_MAX];
    size_t length;

    (void)vsnprintf(message, sizeof message, format, values);
    length = log_line(line, level, "fuzz", message, (struct wall_time){1767636000000});
    FUZZ_CHECK(length > 0 && length <= sizeof line && line[length - 1] == '\n');
    for (size_t i = 0; i + 1 < length; i++) {
        FUZZ_CHECK((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
    }
}
