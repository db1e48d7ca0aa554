#include "controller/support/audit_months.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_LENGTH 20 /* events-YYYY-MM.jsonl */

struct audit_month audit_month_of(struct wall_time time)
{
    time_t seconds = (time_t)(time.ms / 1000);
    struct tm parts = {0};

    gmtime_r(&seconds, &parts);
    return (struct audit_month){(parts.tm_year + 1900) * 12 + parts.tm_mon};
}

void audit_month_name(struct audit_month month, char ret_name[AUDIT_NAME_SIZE])
{
    (void)snprintf(
        ret_name, AUDIT_NAME_SIZE, "events-%04d-%02d.jsonl", month.number / 12,
        month.number % 12 + 1);
}

bool audit_month_parse(const char *name, struct audit_month *ret_month)
{
    static const char shape[] = "events-0000-00.jsonl";
    long year;
    long month;

    if (strlen(name) != NAME_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < NAME_LENGTH; i++) {
        bool is_digit = name[i] >= '0' && name[i] <= '9';
        if (shape[i] == '0' ? !is_digit : name[i] != shape[i]) {
            return false;
        }
    }
    year = strtol(name + 7, NULL, 10);
    month = strtol(name + 12, NULL, 10);
    if (month < 1 || month > 12) {
        return false;
    }
    ret_month->number = (int)(year * 12 + month - 1);
    return true;
}

struct wall_time audit_month_end(struct audit_month month)
{
    struct tm parts = {
        .tm_year = (month.number + 1) / 12 - 1900, .tm_mon = (month.number + 1) % 12, .tm_mday = 1};
    return (struct wall_time){(int64_t)timegm(&parts) * 1000};
}

static int compare(const void *a, const void *b)
{
    const struct audit_month *left = a;
    const struct audit_month *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

bool audit_months_list(int directory, struct audit_month *ret_months, size_t max, size_t *ret_count)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *item;
    size_t count = 0;
    bool good;

    if (listing == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    errno = 0;
    while ((item = readdir(listing)) != NULL) {
        struct audit_month month;
        if (!audit_month_parse(item->d_name, &month)) {
            continue;
        }
        if (count < max) {
            ret_months[count++] = month;
            qsort(ret_months, count, sizeof *ret_months, compare);
        } else if (month.number > ret_months[0].number) {
            ret_months[0] = month;
            qsort(ret_months, count, sizeof *ret_months, compare);
        }
    }
    good = errno == 0;
    closedir(listing);
    *ret_count = count;
    return good;
}

bool audit_months_recent(
    int directory, struct audit_month now, struct audit_month ret_months[AUDIT_MONTHS_RECENT],
    size_t *ret_count)
{
    struct audit_month *months = calloc(AUDIT_MONTHS_MAX, sizeof *months);
    size_t count = 0;
    size_t passed = 0;

    if (months == NULL || !audit_months_list(directory, months, AUDIT_MONTHS_MAX, &count)) {
        free(months);
        return false;
    }
    while (passed < count && months[passed].number <= now.number) {
        passed++;
    }
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 2 >= count || (i < passed && i + 2 >= passed)) {
            ret_months[(*ret_count)++] = months[i];
        }
    }
    free(months);
    return true;
}
