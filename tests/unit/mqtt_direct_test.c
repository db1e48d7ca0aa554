/* A client that works on its owner's thread: the calls that would wait for the broker do not make
 * the owner wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/clock.h"
#include "tests/lib/mosquitto.h"
#include "tests/lib/mqtt_client.h"

#define SOON_MS 10000
#define CALL_US 250000 /* on a busy host */
#define OPEN_TO_ALL "allow_anonymous true\n"
#define LARGE_BYTES (2 * 1024 * 1024)

static struct mosquitto broker;
static char url[64];

static int set_up(void **state)
{
    (void)state;
    mosquitto_prepare(&broker);
    mosquitto_start(&broker, OPEN_TO_ALL);
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%u", (unsigned)broker.port);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mosquitto_remove(&broker);
    return 0;
}

static void connect_as(struct client *client, bool may_doze)
{
    client_new(
        client, &(struct mqtt_options){
                    .url = url,
                    .client_id = "direct",
                    .keep_alive_s = 2,
                    .may_doze = may_doze,
                    .direct = true,
                });
    client_start(client);
    assert_true(client_reaches(client, &client->connects, 1, SOON_MS));
}

static void connect_direct(struct client *client)
{
    connect_as(client, false);
}

static void connect_another(struct client *client)
{
    client_new(client, &(struct mqtt_options){.url = url, .client_id = "another"});
    client_start(client);
    assert_true(client_reaches(client, &client->connects, 1, SOON_MS));
}

static void note_large(struct client *client, const struct inbox_entry *entry)
{
    size_t *bytes = client->context;
    *bytes += entry->payload_length;
}

/* More than the sockets' buffers hold, while nobody takes it. */
static void a_large_message_keeps_the_owner_from_nothing(void **state)
{
    char *large = calloc(1, LARGE_BYTES);
    struct client client;
    struct client reader;
    size_t bytes = 0;

    (void)state;
    assert_non_null(large);
    memset(large, 'x', LARGE_BYTES);
    connect_direct(&client);
    connect_another(&reader);
    client_subscribe(&reader, "#");
    reader.on_message = note_large;
    reader.context = &bytes;
    mosquitto_signal(&broker, SIGSTOP);
    assert_int_equal(
        mqtt_publish(client.mqtt, "response", large, LARGE_BYTES - 1, 1, false), STATUS_OK);
    client_publish(&client, "command", "on", true);
    client_publish(&client, "event", "login", false);
    client_turn_for(&client, 200);
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 1);
    assert_int_equal(mqtt_counts(client.mqtt).waiting, 2);
    mosquitto_signal(&broker, SIGCONT);
    while (reader.messages < 3) {
        client_turn(&client, 10);
        client_turn(&reader, 10);
    }
    client_turn_for(&client, 200);
    assert_int_equal(bytes, LARGE_BYTES - 1 + strlen("on") + strlen("login"));
    assert_int_equal(client.disconnects, 0);
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 0);
    assert_true(client.slowest_us < CALL_US);
    client_free(&client);
    client_free(&reader);
    free(large);
}

static void a_subscription_at_a_frozen_broker_is_given_up(void **state)
{
    const char *const filters[] = {"a/#"};
    const int qos[] = {1};
    struct client client;
    int64_t frozen_at;
    int64_t took;

    (void)state;
    connect_direct(&client);
    client_turn_for(&client, 100);
    mosquitto_signal(&broker, SIGSTOP);
    frozen_at = clock_now().mono.ms;
    assert_int_equal(mqtt_subscribe(client.mqtt, filters, qos, 1, 5), STATUS_OK);
    assert_true(client_reaches(&client, &client.disconnects, 1, SOON_MS));
    took = clock_now().mono.ms - frozen_at;
    print_message("given up after %lld ms\n", (long long)took);
    assert_in_range(took, 1500, 8000);
    assert_int_equal(client_count(&client, INBOX_SUBSCRIBED, NULL, NULL), 0);
    assert_true(client.slowest_us < CALL_US);
    mosquitto_signal(&broker, SIGCONT);
    assert_true(client_reaches(&client, &client.connects, 2, 15000));
    client_subscribe(&client, "a/#");
    client_free(&client);
}

/* A broker answers one connection in order: these messages stand before the SUBACK. */
static void what_came_before_a_suback_is_told_before_it(void **state)
{
    enum {
        BEFORE = 100
    };
    const char *const filters[] = {"echo"};
    const int qos[] = {0};
    struct client client;

    (void)state;
    connect_direct(&client);
    client_subscribe(&client, "report");
    mosquitto_signal(&broker, SIGSTOP);
    for (int i = 0; i < BEFORE; i++) {
        client_publish(&client, "report", "{}", false);
    }
    assert_int_equal(mqtt_subscribe(client.mqtt, filters, qos, 1, 5), STATUS_OK);
    mosquitto_signal(&broker, SIGCONT);
    assert_true(client_reaches(&client, &client.messages, BEFORE, SOON_MS));
    while (client_count(&client, INBOX_SUBSCRIBED, NULL, NULL) < 2) {
        client_turn(&client, 100);
    }
    assert_int_equal(client.entries[client.entry_count - 1].kind, INBOX_SUBSCRIBED);
    assert_int_equal(client.entries[client.entry_count - 1].token, 5);
    assert_int_equal(client.messages, BEFORE);
    client_free(&client);
}

static void C12_a_connection_that_nobody_uses_lives_on(void **state)
{
    struct client client;

    (void)state;
    connect_direct(&client);
    client_turn_for(&client, 8000); /* the broker ends what is silent for three seconds */
    assert_int_equal(client.disconnects, 0);
    client_free(&client);
}

static void an_event_is_lost_in_no_break_and_the_next_connection_is_as_good(void **state)
{
    struct client client;

    (void)state;
    connect_direct(&client);
    for (size_t i = 1; i <= 3; i++) {
        mosquitto_signal(&broker, SIGKILL);
        client_publish(&client, "event", "x", false);
        client_publish(&client, "event", "y", false);
        assert_true(client_reaches(&client, &client.disconnects, i, SOON_MS));
        client.filter = "#";
        mosquitto_start(&broker, OPEN_TO_ALL);
        assert_true(client_reaches(&client, &client.connects, i + 1, SOON_MS));
        assert_true(client_reaches(&client, &client.messages, 2 * i, SOON_MS));
    }
    client_turn_for(&client, 200);
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 0);
    assert_int_equal(mqtt_counts(client.mqtt).waiting, 0);
    client_free(&client);
}

/* Paho notices by itself, closes the connection, and forgets what was in flight. */
static void an_event_is_not_lost_in_a_broker_that_froze(void **state)
{
    struct client client;

    (void)state;
    connect_as(&client, true);
    mosquitto_signal(&broker, SIGSTOP);
    client_publish(&client, "event", "x", false);
    while (client.disconnects == 0) {
        assert_int_equal(mqtt_counts(client.mqtt).in_flight, 1);
        client_turn(&client, 20);
    }
    mosquitto_signal(&broker, SIGKILL); /* it took nothing */
    client.filter = "#";
    mosquitto_start(&broker, OPEN_TO_ALL);
    assert_true(client_reaches(&client, &client.connects, 2, SOON_MS));
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    client_free(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_large_message_keeps_the_owner_from_nothing),
        TEST(a_subscription_at_a_frozen_broker_is_given_up),
        TEST(what_came_before_a_suback_is_told_before_it),
        TEST(C12_a_connection_that_nobody_uses_lives_on),
        TEST(an_event_is_lost_in_no_break_and_the_next_connection_is_as_good),
        TEST(an_event_is_not_lost_in_a_broker_that_froze),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
