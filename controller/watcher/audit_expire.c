#include "controller/watcher/audit_expire.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/support/audit_months.h"
#include "controller/support/json.h"
#include "controller/watcher/audit_files.h"

#define DAY_MS INT64_C(86400000)

/* When the first line of a month was written; 0 when that can't be told. */
static struct wall_time first_seen(int directory, struct audit_month month)
{
    char *line = calloc(1, AUDIT_LINE_MAX);
    char name[AUDIT_NAME_SIZE];
    struct wall_time seen = {0};
    struct json *document = NULL;
    ssize_t count = -1;
    char *end;
    int fd;
    TEXT_LOCAL(why, 256);

    audit_month_name(month, name);
    fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && line != NULL) {
        count = read(fd, line, AUDIT_LINE_MAX);
    }
    end = count > 0 ? memchr(line, '\n', (size_t)count) : NULL;
    if (end != NULL && json_parse(line, (size_t)(end - line), &document, &why) == STATUS_OK) {
        seen = json_get_wall(document, "seen");
    }
    json_free(document);
    if (fd >= 0) {
        close(fd);
    }
    free(line);
    return seen;
}

/* Whether the months have come one after the other until `now`, or a day has passed since. */
static bool
is_believed(int directory, const struct audit_month *months, size_t count, struct wall_time now)
{
    int this_month = audit_month_of(now).number;
    struct wall_time seen;

    while (count > 0 && months[count - 1].number > this_month) {
        count--;
    }
    if (count == 0 || months[count - 1].number < this_month - 1) {
        return false;
    }
    if (count == 1 || months[count - 2].number >= months[count - 1].number - 1) {
        return true;
    }
    seen = first_seen(directory, months[count - 1]);
    return seen.ms != 0 && now.ms - seen.ms >= DAY_MS;
}

size_t audit_expire(int directory, struct wall_time now, int64_t keep_days)
{
    struct audit_month *months = calloc(AUDIT_MONTHS_MAX, sizeof *months);
    size_t count = 0;
    size_t removed = 0;

    if (months == NULL || !audit_months_list(directory, months, AUDIT_MONTHS_MAX, &count) ||
        !is_believed(directory, months, count, now)) {
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        char name[AUDIT_NAME_SIZE];

        audit_month_name(months[i], name);
        if (audit_month_end(months[i]).ms + keep_days * DAY_MS <= now.ms &&
            unlinkat(directory, name, 0) == 0) {
            removed++;
        }
    }
    free(months);
    return removed;
}
