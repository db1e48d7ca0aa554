#include "tests/scenario/log.h"

#include <string.h>

#include "tests/lib/heard_log.h"

#define LINES_MAX 256
#define LINE_SIZE 400
#define SHOWN 12

/* A log is global by its nature. */
static char lines[LINES_MAX][LINE_SIZE];
static size_t line_count;
static size_t mark;

void heard_log(enum log_level level, const char *format, va_list values)
{
    static const char *const words[] = {
        [LOG_LEVEL_INFO] = "",
        [LOG_LEVEL_WARNING] = "warning: ",
        [LOG_LEVEL_ERROR] = "error: ",
    };
    size_t length;
    char *line;

    if (level == LOG_LEVEL_DEBUG) {
        return;
    }
    line = lines[line_count++ % LINES_MAX];
    length = strlen(words[level]);
    memcpy(line, words[level], length);
    (void)vsnprintf(line + length, LINE_SIZE - length, format, values);
}

void scenario_log_clear(void)
{
    line_count = 0;
    mark = 0;
}

void scenario_log_mark(void)
{
    mark = line_count;
}

bool scenario_log_has(const char *text)
{
    size_t first = line_count > LINES_MAX ? line_count - LINES_MAX : 0;

    for (size_t i = mark > first ? mark : first; i < line_count; i++) {
        if (strstr(lines[i % LINES_MAX], text) != NULL) {
            return true;
        }
    }
    return false;
}

void scenario_log_show(FILE *file)
{
    for (size_t i = line_count > SHOWN ? line_count - SHOWN : 0; i < line_count; i++) {
        fprintf(file, "      log: %s\n", lines[i % LINES_MAX]);
    }
}
