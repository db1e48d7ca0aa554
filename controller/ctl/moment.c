#include "controller/ctl/moment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_MS ((int64_t)1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define AGO_MAX 100000 /* of any unit */

static const struct {
    const char *word;
    int64_t ms;
} units[] = {
    {"s", SECOND_MS}, {"min", MINUTE_MS}, {"m", MINUTE_MS},
    {"h", HOUR_MS},   {"d", DAY_MS},      {"w", 7 * DAY_MS},
};

static bool read_ago(const char *word, struct wall_time now, struct wall_time *ret_moment)
{
    char *end;
    long count = strtol(word, &end, 10);

    if (word[0] < '0' || word[0] > '9' || count > AGO_MAX) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].word) == 0) {
            ret_moment->ms = now.ms - count * units[i].ms;
            return true;
        }
    }
    return false;
}

/* Digits, exactly so many; moves on behind them. */
static bool read_digits(const char **word, int digits, int *ret_number)
{
    int number = 0;

    for (int i = 0; i < digits; i++) {
        char digit = (*word)[i];
        if (digit < '0' || digit > '9') {
            return false;
        }
        number = 10 * number + (digit - '0');
    }
    *word += digits;
    *ret_number = number;
    return true;
}

static bool read_mark(const char **word, char mark)
{
    if (**word != mark) {
        return false;
    }
    (*word)++;
    return true;
}

/* "14:30" or "14:30:05", and nothing behind it. */
static bool read_clock(const char *word, struct tm *parts)
{
    parts->tm_sec = 0;
    if (!read_digits(&word, 2, &parts->tm_hour) || !read_mark(&word, ':') ||
        !read_digits(&word, 2, &parts->tm_min)) {
        return false;
    }
    if (*word != '\0' && (!read_mark(&word, ':') || !read_digits(&word, 2, &parts->tm_sec))) {
        return false;
    }
    return *word == '\0' && parts->tm_hour < 24 && parts->tm_min < 60 && parts->tm_sec < 60;
}

static bool read_date(const char *word, struct tm *parts)
{
    if (!read_digits(&word, 4, &parts->tm_year) || !read_mark(&word, '-') ||
        !read_digits(&word, 2, &parts->tm_mon) || !read_mark(&word, '-') ||
        !read_digits(&word, 2, &parts->tm_mday)) {
        return false;
    }
    parts->tm_year -= 1900;
    parts->tm_mon--;
    return *word == '\0' || ((*word == ' ' || *word == 'T') && read_clock(word + 1, parts));
}

/* False for a day that no calendar has. */
static bool to_moment(struct tm parts, struct wall_time *ret_moment)
{
    int day = parts.tm_mday;
    int month = parts.tm_mon;
    time_t seconds;

    parts.tm_isdst = -1;
    seconds = mktime(&parts);
    if (seconds == (time_t)-1 || parts.tm_mday != day || parts.tm_mon != month) {
        return false;
    }
    ret_moment->ms = (int64_t)seconds * SECOND_MS;
    return true;
}

/* Midnight, so many days back; mktime knows what month that is in. */
static bool read_day(struct tm today, int days_back, struct wall_time *ret_moment)
{
    struct tm parts = {
        .tm_year = today.tm_year,
        .tm_mon = today.tm_mon,
        .tm_mday = today.tm_mday - days_back,
        .tm_isdst = -1,
    };
    time_t seconds = mktime(&parts);

    ret_moment->ms = (int64_t)seconds * SECOND_MS;
    return seconds != (time_t)-1;
}

enum status
moment_parse(const char *word, struct wall_time now, struct wall_time *ret_moment, struct text *why)
{
    time_t seconds = (time_t)(now.ms / SECOND_MS);
    struct tm today = {0};
    struct tm parts = {0};
    bool is_one = false;

    (void)localtime_r(&seconds, &today);
    if (strcmp(word, "now") == 0) {
        *ret_moment = now;
        return STATUS_OK;
    }
    if (strcmp(word, "today") == 0) {
        is_one = read_day(today, 0, ret_moment);
    } else if (strcmp(word, "yesterday") == 0) {
        is_one = read_day(today, 1, ret_moment);
    } else if (read_date(word, &parts)) {
        is_one = to_moment(parts, ret_moment);
    } else {
        parts = today;
        is_one = read_clock(word, &parts) ? to_moment(parts, ret_moment)
                                          : read_ago(word, now, ret_moment);
    }
    if (is_one) {
        return STATUS_OK;
    }
    text_addf(
        why,
        "\"%s\" is no time; it is 30min, 2h or 3d ago, \"today\", \"yesterday\", 14:30, 2026-11-01 "
        "or \"2026-11-01 14:30\"",
        word);
    return STATUS_INVALID;
}
