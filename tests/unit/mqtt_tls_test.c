/* Who is let in, and whom the adapter trusts, against a real broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/mqtt_bench.h"

#define SOON_MS MQTT_BENCH_SOON_MS

/* Tries once; then `reason` in the client tells how it went. */
static void try_to_connect(struct client *client, const struct mqtt_options *options)
{
    struct mqtt_options complete = *options;

    complete.client_id = "tls";
    complete.direct = mqtt_bench_is_direct();
    client_new(client, &complete);
    client_start(client);
    while (client->connects + client->disconnects == 0) {
        client_turn(client, SOON_MS);
    }
}

static void assert_connects(const struct mqtt_options *options)
{
    struct client client;

    try_to_connect(&client, options);
    if (client.disconnects > 0) {
        fail_msg("refused: %s", client.reason);
    }
    client_subscribe(&client, "a");
    client_publish(&client, "a", "b", false);
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    client_free(&client);
}

static void assert_refused(const struct mqtt_options *options, const char *part_of_the_reason)
{
    struct client client;

    try_to_connect(&client, options);
    assert_int_equal(client.connects, 0);
    if (strstr(client.reason, part_of_the_reason) == NULL) {
        fail_msg("the reason is: %s", client.reason);
    }
    client_free(&client);
}

static void start_with_passwords(void)
{
    char configuration[256];

    run_program((const char *const[]){
        "mosquitto_passwd", "-b", "-c", mqtt_bench_path("passwords"), "tagout", "secret", NULL});
    snprintf(
        configuration, sizeof configuration, "allow_anonymous false\npassword_file %s\n",
        mqtt_bench_path("passwords"));
    mosquitto_start(mqtt_bench_broker(), configuration);
}

static void a_wrong_password_is_told_and_tried_again(void **state)
{
    struct client client;

    (void)state;
    start_with_passwords();
    assert_connects(&(struct mqtt_options){
        .url = mqtt_bench_url(), .username = "tagout", .password = "secret"});
    assert_refused(&(struct mqtt_options){.url = mqtt_bench_url()}, "refused: not authorised");
    try_to_connect(
        &client,
        &(struct mqtt_options){.url = mqtt_bench_url(), .username = "tagout", .password = "guess"});
    assert_string_equal(client.reason, "refused: not authorised (user name or password?)");
    assert_true(client_reaches(&client, &client.disconnects, 3, SOON_MS));
    assert_int_equal(client.connects, 0);
    client_free(&client);
}

static void a_broker_that_is_not_there_is_named(void **state)
{
    char reason[64];

    (void)state;
    snprintf(
        reason, sizeof reason, "can't connect to 127.0.0.1, port %u",
        (unsigned)mqtt_bench_broker()->port);
    assert_refused(&(struct mqtt_options){.url = mqtt_bench_url()}, reason);
    assert_refused(
        &(struct mqtt_options){.url = "mqtt://no-such-host.invalid"},
        "can't connect to no-such-host.invalid");
}

static void mqtts_trusts_the_authority_in_ca_file_and_no_other(void **state)
{
    (void)state;
    mqtt_bench_start_with_tls("DNS:localhost,IP:127.0.0.1", "");
    mqtt_bench_make_authority("other");
    assert_connects(&(struct mqtt_options){
        .url = mqtt_bench_tls_url("localhost"), .ca_file = mqtt_bench_path("ca.crt")});
    assert_connects(&(struct mqtt_options){
        .url = mqtt_bench_tls_url("127.0.0.1"), .ca_file = mqtt_bench_path("ca.crt")});
    /* The host's own store does not know it. */
    assert_refused(
        &(struct mqtt_options){.url = mqtt_bench_tls_url("localhost")},
        ": TLS: certificate verify failed (is its authority in ca_file, and this host's date "
        "right? ");
    assert_refused(
        &(struct mqtt_options){
            .url = mqtt_bench_tls_url("localhost"), .ca_file = mqtt_bench_path("other.crt")},
        ": TLS: certificate verify failed");
}

static void mqtts_refuses_a_certificate_for_another_host(void **state)
{
    (void)state;
    mqtt_bench_start_with_tls("DNS:elsewhere.example", "");
    assert_refused(
        &(struct mqtt_options){
            .url = mqtt_bench_tls_url("localhost"), .ca_file = mqtt_bench_path("ca.crt")},
        "no TCP connection, or its certificate is not for this host");
}

static void mqtts_shows_a_certificate_of_its_own(void **state)
{
    (void)state;
    mqtt_bench_start_with_tls("DNS:localhost", "require_certificate true\n");
    mqtt_bench_sign("client", "/CN=tagoutd", "DNS:client");
    assert_connects(&(struct mqtt_options){
        .url = mqtt_bench_tls_url("localhost"),
        .ca_file = mqtt_bench_path("ca.crt"),
        .cert_file = mqtt_bench_path("client.crt"),
        .key_file = mqtt_bench_path("client.key"),
    });
    assert_refused(
        &(struct mqtt_options){
            .url = mqtt_bench_tls_url("localhost"), .ca_file = mqtt_bench_path("ca.crt")},
        "");
}

static void assert_invalid(const struct mqtt_options *options, const char *reason)
{
    struct mqtt_options complete = *options;
    struct mqtt *mqtt;
    TEXT_LOCAL(why, 256);

    complete.client_id = "a";
    complete.keep_alive_s = complete.keep_alive_s == 0 ? 10 : complete.keep_alive_s;
    assert_int_equal(mqtt_new(&complete, &mqtt, &why), STATUS_INVALID);
    assert_string_equal(why.data, reason);
}

static void C10_1_bad_options_are_named(void **state)
{
    (void)state;
    assert_invalid(
        &(struct mqtt_options){.url = "http://x"}, "url: must begin with mqtt:// or mqtts://");
    assert_invalid(&(struct mqtt_options){0}, "url: must begin with mqtt:// or mqtts://");
    assert_invalid(
        &(struct mqtt_options){.url = "mqtt://x", .password = "p"},
        "password: is of no use without a username");
    assert_invalid(
        &(struct mqtt_options){.url = "mqtt://x", .keep_alive_s = 65536},
        "keep_alive_s: must be 1 to 65535");
    assert_invalid(
        &(struct mqtt_options){.url = "mqtt://x", .ca_file = "/dev/null"},
        "ca_file: is of no use without an mqtts:// url");
    assert_invalid(
        &(struct mqtt_options){.url = "mqtts://x", .ca_file = "/no/such/file"},
        "ca_file: can't read /no/such/file");
    assert_invalid(
        &(struct mqtt_options){.url = "mqtts://x", .cert_file = "/dev/null"},
        "cert_file and key_file: only both or none");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mqtt_bench_prepare, mqtt_bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_password_is_told_and_tried_again),
        TEST(a_broker_that_is_not_there_is_named),
        TEST(mqtts_trusts_the_authority_in_ca_file_and_no_other),
        TEST(mqtts_refuses_a_certificate_for_another_host),
        TEST(mqtts_shows_a_certificate_of_its_own),
    };
    const struct CMUnitTest of_options[] = {
        TEST(C10_1_bad_options_are_named),
    };
    int failed = cmocka_run_group_tests(tests, mqtt_bench_on_threads, NULL);

    failed += cmocka_run_group_tests(tests, mqtt_bench_on_the_owners_thread, NULL);
    return failed + cmocka_run_group_tests(of_options, NULL, NULL);
}
