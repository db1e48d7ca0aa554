#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/ctl/moment.h"

/* Wednesday, 15 January 2025, 14:37:30 UTC. */
#define NOW_MS INT64_C(1736951850000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define TODAY_MS (NOW_MS - NOW_MS % DAY_MS)

static int set_zone(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

static void people_write_moments_in_many_ways(void **state)
{
    static const struct {
        const char *word;
        int64_t ms;
    } cases[] = {
        {"now", NOW_MS},
        {"0s", NOW_MS},
        {"45s", NOW_MS - 45000},
        {"30min", NOW_MS - 30 * 60000},
        {"30m", NOW_MS - 30 * 60000},
        {"2h", NOW_MS - 2 * HOUR_MS},
        {"3d", NOW_MS - 3 * DAY_MS},
        {"2w", NOW_MS - 14 * DAY_MS},
        {"today", TODAY_MS},
        {"yesterday", TODAY_MS - DAY_MS},
        {"14:30", TODAY_MS + 14 * HOUR_MS + 30 * 60000},
        {"14:30:05", TODAY_MS + 14 * HOUR_MS + 30 * 60000 + 5000},
        {"2025-01-14", TODAY_MS - DAY_MS},
        {"2025-01-14 01:00", TODAY_MS - DAY_MS + HOUR_MS},
        {"2025-01-14T01:00:01", TODAY_MS - DAY_MS + HOUR_MS + 1000},
        {"2024-02-29", TODAY_MS - 321 * DAY_MS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wall_time moment = {0};
        TEXT_LOCAL(why, 256);
        assert_int_equal(
            moment_parse(cases[i].word, (struct wall_time){NOW_MS}, &moment, &why), STATUS_OK);
        assert_int_equal(moment.ms, cases[i].ms);
    }
}

static void what_is_no_moment_is_refused_with_what_would_be(void **state)
{
    static const char *const words[] = {
        "",
        "2",
        "2x",
        "-2h",
        "h",
        "14:60",
        "24:00",
        "1:30",
        "14:30:60",
        "2025-02-29",
        "2025-1-1",
        "2025-13-01",
        "2025-01-00",
        "100001d",
        "2025-01-14 ",
        "2025-01-14 1",
        "2025-01-14x01:00",
        "tomorrow",
        "2h ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct wall_time moment = {7};
        TEXT_LOCAL(why, 256);
        assert_int_equal(
            moment_parse(words[i], (struct wall_time){NOW_MS}, &moment, &why), STATUS_INVALID);
        assert_non_null(strstr(why.data, "is no time; it is 30min, 2h or 3d ago"));
    }
}

static void a_day_begins_at_local_midnight(void **state)
{
    struct wall_time moment = {0};
    TEXT_LOCAL(why, 256);

    (void)state;
    setenv("TZ", "XST-2", 1); /* two hours before UTC */
    tzset();
    assert_int_equal(moment_parse("today", (struct wall_time){NOW_MS}, &moment, &why), STATUS_OK);
    assert_int_equal(moment.ms, TODAY_MS - 2 * HOUR_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(people_write_moments_in_many_ways, set_zone),
        cmocka_unit_test_setup(what_is_no_moment_is_refused_with_what_would_be, set_zone),
        cmocka_unit_test_setup(a_day_begins_at_local_midnight, set_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
