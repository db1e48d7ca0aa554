/* Reading the audit's lines back. */
#ifndef TAGOUT_WATCHER_AUDIT_LINES_H
#define TAGOUT_WATCHER_AUDIT_LINES_H

#include <stddef.h>
#include <stdint.h>

/* The number of a line, 0 for one without. */
int64_t audit_line_number(const char *line, size_t length);

/* The members of a line of kind `event` as they were heard, up to the line's end; NULL where it is
 * of another kind. */
const char *audit_line_event(const char *line, size_t length, size_t *ret_length);

/* Gives each line with a number above `after` among the last `bytes_max` bytes of a file; what is
 * no regular file has none. */
void audit_lines_read(
    int fd, int64_t after, size_t bytes_max,
    void (*take)(void *context, int64_t number, const char *line, size_t length), void *context);

#endif
