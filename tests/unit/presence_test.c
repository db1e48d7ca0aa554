/* C2 `link`, `probe`, `pong`, `restart`, and a service's status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "topics/presence.h"

static void c2_a_link_is_one_of_three_words_and_nothing_else(void **state)
{
    static const char *const bad[] = {"", "Online", "online ", "onlin", "offline\n", "{}"};
    enum link_word word = LINK_LOST;

    (void)state;
    assert_int_equal(link_parse("online", 6, &word), STATUS_OK);
    assert_int_equal(word, LINK_ONLINE);
    assert_int_equal(link_parse("offline", 7, &word), STATUS_OK);
    assert_int_equal(word, LINK_OFFLINE);
    assert_int_equal(link_parse("lost", 4, &word), STATUS_OK);
    assert_int_equal(word, LINK_LOST);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(link_parse(bad[i], strlen(bad[i]), &word), STATUS_INVALID);
    }
    assert_int_equal(word, LINK_LOST);
}

static enum status parse_pong(const char *payload, struct pong *ret_pong, struct text *why)
{
    return pong_parse(payload, strlen(payload), ret_pong, why);
}

static void c2_a_pong_tells_its_probe_and_its_boot(void **state)
{
    struct pong pong = {0};
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(parse_pong("{\"id\":7,\"boot_id\":\"a1\"}", &pong, &why), STATUS_OK);
    assert_int_equal(pong.id, 7);
    assert_string_equal(pong.boot_id, "a1");
    assert_int_equal(parse_pong("{\"id\":4294967295,\"more\":[]}", &pong, &why), STATUS_OK);
    assert_true(pong.id == UINT32_MAX);
    assert_string_equal(pong.boot_id, "");
}

static void c2_what_is_no_pong_changes_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "7",
        "{}",
        "{\"id\":\"7\"}",
        "{\"id\":4294967296}",
        "{\"id\":-1}",
        "{\"id\":7,\"boot_id\":1}",
        "{\"id\":7,\"boot_id\":\"0123456789012345678901234567890123\"}",
        "{\"id\":7,\"boot_id\":\"\\u009b2J\"}",
    };
    struct pong pong = {.id = 3};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        TEXT_LOCAL(why, 256);
        assert_int_equal(parse_pong(bad[i], &pong, &why), STATUS_INVALID);
        assert_true(why.length > 0);
    }
    assert_int_equal(pong.id, 3);
}

static void c2_probe_and_restart_as_a_device_reads_them(void **state)
{
    TEXT_LOCAL(probe, 64);
    TEXT_LOCAL(restart, 64);
    TEXT_LOCAL(small, 8);

    (void)state;
    assert_int_equal(probe_print(7, &probe), STATUS_OK);
    assert_string_equal(probe.data, "{\"id\":7}");
    assert_int_equal(restart_print(8, true, &restart), STATUS_OK);
    assert_string_equal(restart.data, "{\"id\":8,\"force\":true}");
    assert_int_equal(restart_print(8, true, &small), STATUS_TOO_LONG);
}

static void c11_6_a_service_is_running_stopped_or_in_error(void **state)
{
    static const char running[] = "{\"status\":\"running\",\"reason\":null,\"since\":1}";
    static const char stopped[] = "{\"status\":\"stopped\"}";
    static const char error[] = "{\"status\":\"error\",\"reason\":\"last will\"}";
    static const char other[] = "{\"status\":\"fine\"}";
    enum service_word word = SERVICE_ERROR;
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(service_parse(running, sizeof running - 1, &word, &why), STATUS_OK);
    assert_int_equal(word, SERVICE_RUNNING);
    assert_int_equal(service_parse(stopped, sizeof stopped - 1, &word, &why), STATUS_OK);
    assert_int_equal(word, SERVICE_STOPPED);
    assert_int_equal(service_parse(error, sizeof error - 1, &word, &why), STATUS_OK);
    assert_int_equal(word, SERVICE_ERROR);
    assert_int_equal(service_parse(other, sizeof other - 1, &word, &why), STATUS_INVALID);
    assert_string_equal(why.data, "/status: neither running, stopped nor error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c2_a_link_is_one_of_three_words_and_nothing_else),
        cmocka_unit_test(c2_a_pong_tells_its_probe_and_its_boot),
        cmocka_unit_test(c2_what_is_no_pong_changes_nothing),
        cmocka_unit_test(c2_probe_and_restart_as_a_device_reads_them),
        cmocka_unit_test(c11_6_a_service_is_running_stopped_or_in_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
