#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/support/mqtt_reason.h"
#include "controller/support/mqtt_url.h"

static void assert_url(const char *string, bool tls, const char *host, uint16_t port)
{
    struct mqtt_url url;
    TEXT_LOCAL(why, 128);

    if (mqtt_url_parse(string, &url, &why) != STATUS_OK) {
        fail_msg("%s: %s", string, why.data);
    }
    assert_int_equal(url.tls, tls);
    assert_string_equal(url.host, host);
    assert_int_equal(url.port, port);
}

static void assert_refused(const char *string, const char *reason)
{
    struct mqtt_url url = {.port = 7};
    TEXT_LOCAL(why, 128);

    assert_int_equal(mqtt_url_parse(string, &url, &why), STATUS_INVALID);
    assert_string_equal(why.data, reason);
    assert_int_equal(url.port, 7);
}

static void C10_1_a_url_has_a_host_and_perhaps_a_port(void **state)
{
    (void)state;
    assert_url("mqtt://broker.example:1884", false, "broker.example", 1884);
    assert_url("mqtt://localhost", false, "localhost", 1883);
    assert_url("mqtt://a:65535", false, "a", 65535);
}

static void C10_1_mqtts_means_tls_and_its_own_port(void **state)
{
    (void)state;
    assert_url("mqtts://broker", true, "broker", 8883);
    assert_url("mqtts://broker:1", true, "broker", 1);
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
    (void)state;
    assert_url("mqtt://[::1]:1883", false, "::1", 1883);
    assert_url("mqtts://[2001:db8::a:1]", true, "2001:db8::a:1", 8883);
    assert_refused("mqtt://[::1", "the address in brackets is no IPv6 address");
    assert_refused("mqtt://[host]", "the address in brackets is no IPv6 address");
    assert_refused("mqtt://::1", "the host is missing");
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    assert_refused("", "must begin with mqtt:// or mqtts://");
    assert_refused("broker:1883", "must begin with mqtt:// or mqtts://");
    assert_refused("tcp://broker", "must begin with mqtt:// or mqtts://");
    assert_refused("MQTT://broker", "must begin with mqtt:// or mqtts://");
}

static void a_password_does_not_belong_into_a_url(void **state)
{
    (void)state;
    assert_refused("mqtt://me:secret@broker", "must not hold a user or password");
}

static void a_bad_port_is_refused(void **state)
{
    static const char *const bad[] = {"0",  "65536",       "",  "-1", "+5", "01",
                                      "1x", "99999999999", " 1"};
    char string[64];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        strcpy(string, "mqtt://broker:");
        strcat(string, bad[i]);
        assert_refused(string, "the port must be 1 to 65535");
    }
}

static void nothing_else_may_follow(void **state)
{
    (void)state;
    assert_refused("mqtt://broker/path", "only host and port may follow the scheme");
    assert_refused("mqtt://bro ker", "only host and port may follow the scheme");
    assert_refused("mqtt://:1883", "the host is missing");
}

static void a_host_is_at_most_253_bytes_long(void **state)
{
    char string[300] = "mqtt://";
    struct mqtt_url url;
    TEXT_LOCAL(why, 128);

    (void)state;
    memset(string + 7, 'a', 253);
    assert_int_equal(mqtt_url_parse(string, &url, &why), STATUS_OK);
    assert_int_equal(strlen(url.host), 253);
    string[7 + 253] = 'a';
    assert_refused(string, "the host is too long");
}

/* ---- why a connection failed ---- */

static void assert_reason(const char *string, const char *tls_reason, const char *wanted)
{
    struct mqtt_url url;
    TEXT_LOCAL(why, 128);
    TEXT_LOCAL(reason, 512);

    assert_int_equal(mqtt_url_parse(string, &url, &why), STATUS_OK);
    mqtt_connect_reason(&url, -1, tls_reason, &reason);
    assert_string_equal(reason.data, wanted);
    assert_false(reason.cut);
}

static void a_port_of_the_other_kind_is_asked_about(void **state)
{
    (void)state;
    assert_reason("mqtt://h:1883", "", "can't connect to h, port 1883");
    assert_reason(
        "mqtt://h:8883", "",
        "can't connect to h, port 8883: is that port for TLS? Then the url begins with mqtts://");
    assert_reason(
        "mqtt://h:8884", "",
        "can't connect to h, port 8884: is that port for TLS? Then the url begins with mqtts://");
    assert_reason(
        "mqtts://h:1884", "",
        "can't connect to h, port 1884: is that port for TLS? Without it, the url begins with "
        "mqtt://");
    assert_reason(
        "mqtts://h", "",
        "can't connect to h, port 8883: no TCP connection, or its certificate is not for this "
        "host");
}

static void a_certificate_that_does_not_hold_names_where_to_look(void **state)
{
    (void)state;
    assert_reason(
        "mqtts://h", "certificate verify failed",
        "can't connect to h, port 8883: TLS: certificate verify failed (is its authority in "
        "ca_file, and this host's date right? On the broker's host \"tagoutctl ca show\" tells "
        "until "
        "when it holds)");
    assert_reason(
        "mqtts://h", "wrong version number",
        "can't connect to h, port 8883: TLS: wrong version number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C10_1_a_url_has_a_host_and_perhaps_a_port),
        cmocka_unit_test(C10_1_mqtts_means_tls_and_its_own_port),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(other_schemes_are_refused),
        cmocka_unit_test(a_password_does_not_belong_into_a_url),
        cmocka_unit_test(a_bad_port_is_refused),
        cmocka_unit_test(nothing_else_may_follow),
        cmocka_unit_test(a_host_is_at_most_253_bytes_long),
        cmocka_unit_test(a_port_of_the_other_kind_is_asked_about),
        cmocka_unit_test(a_certificate_that_does_not_hold_names_where_to_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
