/* Who is let in, and whom the adapter trusts, against a real broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/mosquitto.h"
#include "tests/lib/mqtt_client.h"

#define SOON_MS 10000

static struct mosquitto broker;

static const char *in_folder(const char *name)
{
    static char paths[8][160];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", broker.directory, name);
    return path;
}

static bool direct; /* Paho works on the owner's thread */

static int on_threads(void **state)
{
    (void)state;
    direct = false;
    return 0;
}

static int on_the_owners_thread(void **state)
{
    (void)state;
    direct = true;
    return 0;
}

static const char *url(const char *scheme, const char *host)
{
    static char text[64];

    snprintf(text, sizeof text, "%s://%s:%u", scheme, host, (unsigned)broker.port);
    return text;
}

static int set_up(void **state)
{
    (void)state;
    mosquitto_prepare(&broker);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mosquitto_remove(&broker);
    return 0;
}

/* Tries once; then `reason` in the client tells how it went. */
static void try_to_connect(struct client *client, const struct mqtt_options *options)
{
    struct mqtt_options complete = *options;

    complete.client_id = "tls";
    complete.direct = direct;
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
        "mosquitto_passwd", "-b", "-c", in_folder("passwords"), "tagout", "secret", NULL});
    snprintf(
        configuration, sizeof configuration, "allow_anonymous false\npassword_file %s\n",
        in_folder("passwords"));
    mosquitto_start(&broker, configuration);
}

static void a_wrong_password_is_told_and_tried_again(void **state)
{
    struct client client;

    (void)state;
    start_with_passwords();
    assert_connects(&(struct mqtt_options){
        .url = url("mqtt", "127.0.0.1"), .username = "tagout", .password = "secret"});
    assert_refused(
        &(struct mqtt_options){.url = url("mqtt", "127.0.0.1")}, "refused: not authorised");
    try_to_connect(
        &client, &(struct mqtt_options){
                     .url = url("mqtt", "127.0.0.1"), .username = "tagout", .password = "guess"});
    assert_string_equal(client.reason, "refused: not authorised (user name or password?)");
    assert_true(client_reaches(&client, &client.disconnects, 3, SOON_MS));
    assert_int_equal(client.connects, 0);
    client_free(&client);
}

static void a_broker_that_is_not_there_is_named(void **state)
{
    char reason[64];

    (void)state;
    snprintf(reason, sizeof reason, "can't connect to 127.0.0.1, port %u", (unsigned)broker.port);
    assert_refused(&(struct mqtt_options){.url = url("mqtt", "127.0.0.1")}, reason);
    assert_refused(
        &(struct mqtt_options){.url = url("mqtt", "no-such-host.invalid")},
        "can't connect to no-such-host.invalid");
}

static void sign(const char *name, const char *subject, const char *alternative)
{
    char key[64];
    char request[64];
    char certificate[64];
    char extension[64];
    FILE *file;

    snprintf(key, sizeof key, "%s.key", name);
    snprintf(request, sizeof request, "%s.csr", name);
    snprintf(certificate, sizeof certificate, "%s.crt", name);
    snprintf(extension, sizeof extension, "%s.ext", name);
    run_program((const char *const[]){
        "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", in_folder(key), "-out", in_folder(request), "-subj", subject, NULL});
    file = fopen(in_folder(extension), "w");
    assert_non_null(file);
    fprintf(file, "subjectAltName=%s\n", alternative);
    fclose(file);
    run_program((const char *const[]){
        "openssl", "x509", "-req", "-days", "2", "-in", in_folder(request), "-CA",
        in_folder("ca.crt"), "-CAkey", in_folder("ca.key"), "-CAcreateserial", "-extfile",
        in_folder(extension), "-out", in_folder(certificate), NULL});
}

static void make_authority(const char *name)
{
    char key[64];
    char certificate[64];

    snprintf(key, sizeof key, "%s.key", name);
    snprintf(certificate, sizeof certificate, "%s.crt", name);
    run_program((const char *const[]){
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-keyout", in_folder(key), "-out", in_folder(certificate), "-subj",
        "/CN=Tagout test authority", NULL});
}

/* A broker whose certificate is for `alternative`. */
static void start_with_tls(const char *alternative, const char *more)
{
    char configuration[512];

    make_authority("ca");
    sign("server", "/CN=broker", alternative);
    snprintf(
        configuration, sizeof configuration,
        "allow_anonymous true\ncafile %s\ncertfile %s\nkeyfile %s\n%s", in_folder("ca.crt"),
        in_folder("server.crt"), in_folder("server.key"), more);
    mosquitto_start(&broker, configuration);
}

static void mqtts_trusts_the_authority_in_ca_file_and_no_other(void **state)
{
    (void)state;
    start_with_tls("DNS:localhost,IP:127.0.0.1", "");
    make_authority("other");
    assert_connects(
        &(struct mqtt_options){.url = url("mqtts", "localhost"), .ca_file = in_folder("ca.crt")});
    assert_connects(
        &(struct mqtt_options){.url = url("mqtts", "127.0.0.1"), .ca_file = in_folder("ca.crt")});
    /* The host's own store does not know it. */
    assert_refused(
        &(struct mqtt_options){.url = url("mqtts", "localhost")},
        ": TLS: certificate verify failed");
    assert_refused(
        &(struct mqtt_options){.url = url("mqtts", "localhost"), .ca_file = in_folder("other.crt")},
        ": TLS: certificate verify failed");
}

static void mqtts_refuses_a_certificate_for_another_host(void **state)
{
    (void)state;
    start_with_tls("DNS:elsewhere.example", "");
    assert_refused(
        &(struct mqtt_options){.url = url("mqtts", "localhost"), .ca_file = in_folder("ca.crt")},
        "no TCP connection, or its certificate is not for this host");
}

static void mqtts_shows_a_certificate_of_its_own(void **state)
{
    (void)state;
    start_with_tls("DNS:localhost", "require_certificate true\n");
    sign("client", "/CN=tagoutd", "DNS:client");
    assert_connects(&(struct mqtt_options){
        .url = url("mqtts", "localhost"),
        .ca_file = in_folder("ca.crt"),
        .cert_file = in_folder("client.crt"),
        .key_file = in_folder("client.key"),
    });
    assert_refused(
        &(struct mqtt_options){.url = url("mqtts", "localhost"), .ca_file = in_folder("ca.crt")},
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
    int failed = cmocka_run_group_tests(tests, on_threads, NULL);

    failed += cmocka_run_group_tests(tests, on_the_owners_thread, NULL);
    return failed + cmocka_run_group_tests(of_options, NULL, NULL);
}
