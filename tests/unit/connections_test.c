/* A --check accepts what starts: whatever value of whatever key the settings take, the clients of
 * broker and store take too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/settings_key.h"
#include "controller/daemon/connections.h"
#include "tests/lib/scratch.h"

#define LONGEST 1024 /* of a value */

static char longest[LONGEST + 1];
static char too_long[LONGEST + 2];
static char hosts[2][LONGEST];    /* of 253 and 254 characters */
static char sockets[2][LONGEST];  /* of 107 and 108 */
static char sentinel[2][LONGEST]; /* of 253 and 254 */

static const char *const values[] = {
    "",
    " ",
    "x",
    "-1",
    "0",
    "1",
    "0.5",
    "65535",
    "99999999",
    "1e9",
    "nan",
    "true",
    "no",
    "/",
    "/dev/null",
    "a/b",
    "a b",
    "Ada",
    "\xc3\xa4",
    "%s%n",
    "mqtt://h",
    "mqtt://h:0",
    "mqtt://h:65535",
    "mqtt://h:65536",
    "mqtt://[::1]",
    "mqtt://[::ffff:10.0.0.1]:1883",
    "mqtt://[10.0.0.1]",
    "mqtt://h.-_",
    "mqtt://",
    "mqtts://h",
    "redis://h",
    "redis://h/",
    "redis://h/9999",
    "redis://h/99999",
    "redis://[::1]:6379/0",
    "redis://h:65535/1",
    "unix:///s",
    "unix://s",
    "http://h/",
    "127.0.0.1:0",
    "[::1]:65535",
    "0.0.0.0:65536",
    "h:1,i:2",
    "[::1]:26379",
    "0123456789012345678901234567890123456789012345678901234567890123",
    longest,
    too_long,
    hosts[0],
    hosts[1],
    sockets[0],
    sockets[1],
    sentinel[0],
    sentinel[1],
};

static void make_long_ones(void)
{
    memset(longest, 'a', LONGEST);
    memset(too_long, 'a', LONGEST + 1);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(hosts[i], LONGEST, "mqtt://%.*s", 253 + i, longest);
        (void)snprintf(sockets[i], LONGEST, "unix:///%.*s", 106 + i, longest);
        (void)snprintf(sentinel[i], LONGEST, "%.*s:26379", 253 + i, longest);
    }
}

/* What a key needs beside itself. */
static void set_companions(const struct settings_key *key, bool set)
{
    static const struct {
        const char *section;
        const char *name;
        const char *variable;
        const char *value;
    } companions[] = {
        {"mqtt", "password", "TAGOUT_MQTT_USERNAME", "box"},
        {"redis", "username", "TAGOUT_REDIS_PASSWORD", "secret"},
        {"redis", "sentinels", "TAGOUT_REDIS_MASTER", "shop"},
        {"redis", "master", "TAGOUT_REDIS_SENTINELS", "h"},
        {"redis", "sentinel_password", "TAGOUT_REDIS_SENTINELS", "h"},
        {"redis", "sentinel_password", "TAGOUT_REDIS_MASTER", "shop"},
    };

    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        if (strcmp(companions[i].section, key->section) != 0 ||
            strcmp(companions[i].name, key->name) != 0) {
            continue;
        } else if (set) {
            (void)setenv(companions[i].variable, companions[i].value, 1);
        } else {
            (void)unsetenv(companions[i].variable);
        }
    }
}

static bool try_value(const struct settings_key *key, const char *value)
{
    char variable[SETTINGS_VARIABLE_SIZE];
    struct settings *settings = NULL;
    bool taken;
    TEXT_LOCAL(why, 2048);

    settings_key_variable(key, variable);
    set_companions(key, value[0] != '\0');
    (void)setenv(variable, value, 1);
    taken = settings_load(NULL, &settings, &why) == STATUS_OK;
    (void)unsetenv(variable);
    set_companions(key, false);
    if (taken && connections_check(settings, &why) != STATUS_OK) {
        fail_msg("%s=%.60s is accepted, but would not start: %s", variable, value, why.data);
    }
    settings_free(settings);
    return taken;
}

static void C10_1_what_settings_accept_broker_and_store_take(void **state)
{
    size_t taken = 0;
    size_t refused = 0;

    (void)state;
    make_long_ones();
    for (size_t i = 0; i < settings_key_count; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            if (try_value(&settings_keys[i], values[j])) {
                taken++;
            } else {
                refused++;
            }
        }
        assert_true(try_value(&settings_keys[i], settings_keys[i].fallback));
    }
    assert_true(taken > settings_key_count);
    assert_true(refused > settings_key_count);
}

static void the_longest_name_of_a_host_is_taken_and_no_longer_one(void **state)
{
    const struct settings_key *mqtt = settings_key_find("mqtt", "url");
    const struct settings_key *redis = settings_key_find("redis", "url");

    (void)state;
    make_long_ones();
    assert_true(try_value(mqtt, hosts[0]));
    assert_false(try_value(mqtt, hosts[1]));
    assert_true(try_value(redis, sockets[0]));
    assert_false(try_value(redis, sockets[1]));
}

static void a_secret_may_be_as_long_as_a_value(void **state)
{
    (void)state;
    make_long_ones();
    assert_true(try_value(settings_key_find("redis", "password"), longest));
    assert_false(try_value(settings_key_find("redis", "password"), too_long));
}

static void a_file_without_a_certificate_starts_nothing(void **state)
{
    struct settings *settings = NULL;
    TEXT_LOCAL(why, 1024);

    (void)state;
    scratch_write_text("ca.pem", "no certificate\n");
    scratch_write_text("tagout.ini", "[mqtt]\nurl = mqtts://h\nca_file = ca.pem\n");
    assert_int_equal(settings_load("tagout.ini", &settings, &why), STATUS_OK);
    assert_int_equal(connections_check(settings, &why), STATUS_INVALID);
    assert_string_equal(why.data, "[mqtt] ca_file: ca.pem: holds no certificate in PEM form");
    settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C10_1_what_settings_accept_broker_and_store_take),
        cmocka_unit_test(the_longest_name_of_a_host_is_taken_and_no_longer_one),
        cmocka_unit_test(a_secret_may_be_as_long_as_a_value),
        cmocka_unit_test(a_file_without_a_certificate_starts_nothing),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
