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
#include "tests/lib/mqtt_bench.h"

#define SOON_MS MQTT_BENCH_SOON_MS
#define CALL_US MQTT_BENCH_CALL_US

static void connect_direct(struct client *client)
{
    mqtt_bench_connect(client, &(struct mqtt_options){.client_id = "direct", .keep_alive_s = 2});
}

static char large[MQTT_DIRECT_PAYLOAD_MAX + 1];

static enum status publish_large(struct client *client, size_t length)
{
    memset(large, 'x', sizeof large);
    return mqtt_publish(client->mqtt, "response", large, length, 1, false);
}

static void what_paho_could_only_write_in_pieces_is_refused(void **state)
{
    struct client client;
    struct client another;

    (void)state;
    connect_direct(&client);
    assert_int_equal(publish_large(&client, MQTT_DIRECT_PAYLOAD_MAX + 1), STATUS_TOO_LONG);
    assert_int_equal(publish_large(&client, MQTT_DIRECT_PAYLOAD_MAX), STATUS_OK);
    mqtt_bench_connect_another(&another, "another");
    assert_int_equal(publish_large(&another, MQTT_DIRECT_PAYLOAD_MAX + 1), STATUS_OK);
    client_free(&client);
    client_free(&another);
}

/* All that may be: while the broker reads nothing, it goes out in one piece, and so does what is
 * said behind it. */
static void behind_the_largest_message_there_is_room_for_commands(void **state)
{
    enum {
        COMMANDS = 20
    };
    struct client client;
    struct client reader;
    char topic[32];

    (void)state;
    connect_direct(&client);
    mqtt_bench_connect_another(&reader, "reader");
    client_subscribe(&reader, "#");
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    assert_int_equal(publish_large(&client, MQTT_DIRECT_PAYLOAD_MAX), STATUS_OK);
    assert_int_equal(publish_large(&client, MQTT_DIRECT_PAYLOAD_MAX), STATUS_OK);
    for (int i = 0; i < COMMANDS; i++) {
        snprintf(topic, sizeof topic, "m%d/command", i);
        client_publish(&client, topic, "on", true);
    }
    client_turn_for(&client, 200);
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 1 + COMMANDS);
    assert_int_equal(mqtt_counts(client.mqtt).waiting, 1);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    while (reader.messages < 2 + COMMANDS) {
        client_turn(&client, 10);
        client_turn(&reader, 10);
    }
    assert_int_equal(client.disconnects, 0);
    print_message("slowest call %lld us\n", (long long)client.slowest_us);
    assert_true(client.slowest_us < CALL_US);
    client_free(&client);
    client_free(&reader);
}

static void note_topic(struct client *client, const struct inbox_entry *entry)
{
    struct text *order = client->context;
    text_add_bytes(order, entry->topic, 1);
}

static void commands_pass_the_answers_that_wait(void **state)
{
    struct client client;
    struct client reader;
    TEXT_LOCAL(order, 16);

    (void)state;
    connect_direct(&client);
    mqtt_bench_connect_another(&reader, "reader");
    client_subscribe(&reader, "#");
    reader.on_message = note_topic;
    reader.context = &order;
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(publish_large(&client, MQTT_DIRECT_PAYLOAD_MAX), STATUS_OK);
    }
    client_publish(&client, "command", "on", true);
    client_publish(&client, "event", "login", false);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    while (reader.messages < 5) {
        client_turn(&client, 10);
        client_turn(&reader, 10);
    }
    assert_string_equal(order.data, "rcerr");
    client_free(&client);
    client_free(&reader);
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
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    frozen_at = clock_now().mono.ms;
    assert_int_equal(mqtt_subscribe(client.mqtt, filters, qos, 1, 5), STATUS_OK);
    assert_true(client_reaches(&client, &client.disconnects, 1, SOON_MS));
    took = clock_now().mono.ms - frozen_at;
    print_message("given up after %lld ms\n", (long long)took);
    /* On a host that stands still just then Paho waits for its own limit, 20 s. */
    assert_in_range(took, 1500, 25000);
    assert_int_equal(client_count(&client, INBOX_SUBSCRIBED, NULL, NULL), 0);
    assert_true(client.slowest_us < CALL_US);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    assert_true(client_reaches(&client, &client.connects, 2, SOON_MS));
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
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    for (int i = 0; i < BEFORE; i++) {
        client_publish(&client, "report", "{}", false);
    }
    assert_int_equal(mqtt_subscribe(client.mqtt, filters, qos, 1, 5), STATUS_OK);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
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
        mosquitto_signal(mqtt_bench_broker(), SIGKILL);
        client_publish(&client, "event", "x", false);
        client_publish(&client, "event", "y", false);
        assert_true(client_reaches(&client, &client.disconnects, i, SOON_MS));
        client.filter = "#";
        mqtt_bench_restart();
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
    connect_direct(&client);
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    client_publish(&client, "event", "x", false);
    while (client.disconnects == 0) {
        assert_int_equal(mqtt_counts(client.mqtt).in_flight, 1);
        client_turn(&client, 20);
    }
    mosquitto_signal(mqtt_bench_broker(), SIGKILL); /* it took nothing */
    client.filter = "#";
    mqtt_bench_restart();
    assert_true(client_reaches(&client, &client.connects, 2, SOON_MS));
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    client_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MQTT_BENCH_TEST(what_paho_could_only_write_in_pieces_is_refused),
        MQTT_BENCH_TEST(behind_the_largest_message_there_is_room_for_commands),
        MQTT_BENCH_TEST(commands_pass_the_answers_that_wait),
        MQTT_BENCH_TEST(a_subscription_at_a_frozen_broker_is_given_up),
        MQTT_BENCH_TEST(what_came_before_a_suback_is_told_before_it),
        MQTT_BENCH_TEST(C12_a_connection_that_nobody_uses_lives_on),
        MQTT_BENCH_TEST(an_event_is_lost_in_no_break_and_the_next_connection_is_as_good),
        MQTT_BENCH_TEST(an_event_is_not_lost_in_a_broker_that_froze),
    };
    return cmocka_run_group_tests(tests, mqtt_bench_on_the_owners_thread, NULL);
}
