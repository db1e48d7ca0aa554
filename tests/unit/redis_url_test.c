/* C10.1: `redis://host:port/db` and `unix:///path`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "persistence/redis_url.h"

static void C10_1_urls_that_say_where_redis_is(void **state)
{
    static const struct {
        const char *url;
        const char *path;
        const char *host;
        unsigned port;
        unsigned database;
    } good[] = {
        {"redis://127.0.0.1:6380/2", "", "127.0.0.1", 6380, 2},
        {"redis://redis.local", "", "redis.local", 6379, 0},
        {"redis://redis/", "", "redis", 6379, 0},
        {"redis://redis/7", "", "redis", 6379, 7},
        {"redis://[::1]:6381/1", "", "::1", 6381, 1},
        {"redis://[fe80::1]", "", "fe80::1", 6379, 0},
        {"unix:///run/redis/redis.sock", "/run/redis/redis.sock", "", 6379, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct redis_url url;
        TEXT_LOCAL(why, 256);

        if (redis_url_parse(good[i].url, &url, &why) != STATUS_OK) {
            fail_msg("%s: %s", good[i].url, why.data);
        }
        assert_string_equal(url.path, good[i].path);
        assert_string_equal(url.host, good[i].host);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.database, good[i].database);
    }
}

static void C10_1_urls_that_do_not_say_why_they_are_refused(void **state)
{
    static const char long_path[] =
        "unix:///"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const char *const bad[][2] = {
        {"", "neither redis://"},
        {"http://redis:6379", "neither redis://"},
        {"redis://", "no host"},
        {"redis://:6379", "no host"},
        {"redis://redis:", "no port"},
        {"redis://redis:0", "no port"},
        {"redis://redis:65536", "no port"},
        {"redis://redis:6379x", "no port"},
        {"redis://redis:6379/x", "no database"},
        {"redis://redis:6379/-1", "no database"},
        {"redis://redis:6379/99999", "no database"},
        {"redis://[::1", "bracket"},
        {"redis://[::1]x", "no database"},
        {"redis://:secret@redis:6379", "password"},
        {"unix://run/redis.sock", "unix:///path"},
        {long_path, "107 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct redis_url url = {.port = 1};
        TEXT_LOCAL(why, 256);

        assert_int_equal(redis_url_parse(bad[i][0], &url, &why), STATUS_INVALID);
        if (strstr(why.data, bad[i][1]) == NULL || strstr(why.data, "secret") != NULL) {
            fail_msg("%s: %s", bad[i][0], why.data);
        }
        assert_int_equal(url.port, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C10_1_urls_that_say_where_redis_is),
        cmocka_unit_test(C10_1_urls_that_do_not_say_why_they_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
