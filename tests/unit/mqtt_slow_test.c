/* A broker that reads slowly, or not at all, with TLS and without: no call waits for it, what may
 * be in its way is bounded, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/support/clock.h"
#include "controller/support/mqtt_outbox.h"
#include "tests/lib/mqtt_bench.h"

#define SOON_MS MQTT_BENCH_SOON_MS
#define WAIT_US 1500000 /* who waits for a broker that is frozen waits for seconds */
#define EVENTS 3000
#define EVENT_BYTES 300
#define BREATH_MS 4 /* in each so much the broker lives */
#define PAUSE_MS 60

static bool tls;

static int plainly(void **state)
{
    tls = false;
    return mqtt_bench_on_the_owners_thread(state);
}

static int with_tls(void **state)
{
    tls = true;
    return mqtt_bench_on_the_owners_thread(state);
}

static int open_bench(void **state)
{
    if (!tls) {
        return mqtt_bench_open(state);
    }
    (void)mqtt_bench_prepare(state);
    mqtt_bench_start_with_tls("DNS:localhost", "max_queued_messages 10000\n");
    return 0;
}

static void connect_slow(struct client *client, const char *filter)
{
    mqtt_bench_connect(
        client, &(struct mqtt_options){
                    .url = tls ? mqtt_bench_tls_url("localhost") : NULL,
                    .ca_file = tls ? mqtt_bench_path("ca.crt") : NULL,
                    .client_id = "slow",
                    .keep_alive_s = 2,
                });
    client->filter = filter;
    client_subscribe(client, filter);
}

struct numbers {
    bool heard[EVENTS];
    size_t count;
};

static void note_number(struct client *client, const struct inbox_entry *entry)
{
    struct numbers *numbers = client->context;
    unsigned long number = strtoul(entry->payload, NULL, 10);

    assert_true(number < EVENTS);
    numbers->count += !numbers->heard[number];
    numbers->heard[number] = true;
}

static void publish_event(struct client *client, size_t number)
{
    char payload[EVENT_BYTES];

    memset(payload, ' ', sizeof payload);
    (void)snprintf(payload, sizeof payload, "%zu", number);
    payload[strlen(payload)] = ' ';
    payload[sizeof payload - 1] = '\0';
    client_publish(client, "event", payload, false);
}

static void a_broker_that_reads_slowly_gets_all_and_no_call_waits_for_it(void **state)
{
    struct client client;
    struct numbers numbers = {0};
    int64_t end;
    size_t breaths = 0;

    (void)state;
    connect_slow(&client, "event");
    client.on_message = note_number;
    client.context = &numbers;
    for (size_t i = 0; i < EVENTS; i++) {
        publish_event(&client, i);
    }
    end = clock_now().mono.ms + 6 * SOON_MS;
    while (numbers.count < EVENTS && clock_now().mono.ms < end) {
        mosquitto_signal(mqtt_bench_broker(), SIGCONT);
        client_turn_for(&client, BREATH_MS);
        mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
        client_turn_for(&client, PAUSE_MS);
        breaths++;
    }
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    print_message(
        "%zu of %d events in %zu breaths; slowest call %lld us\n", numbers.count, EVENTS, breaths,
        (long long)client.slowest_us);
    assert_int_equal(numbers.count, EVENTS);
    assert_true(client.slowest_us < WAIT_US);
    client_free(&client);
}

/* All that the socket's buffer may take lies in it. */
static void a_broker_that_reads_nothing_is_given_up_and_no_event_is_lost(void **state)
{
    struct client client;
    struct numbers numbers = {0};
    int64_t frozen_at;

    (void)state;
    connect_slow(&client, "event");
    client.on_message = note_number;
    client.context = &numbers;
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    frozen_at = clock_now().mono.ms;
    for (size_t i = 0; i < EVENTS; i++) {
        publish_event(&client, i);
        client_turn(&client, 0);
    }
    assert_true(mqtt_counts(client.mqtt).waiting > 0);
    assert_true(client_reaches(&client, &client.disconnects, 1, SOON_MS));
    print_message(
        "given up after %lld ms; slowest call %lld us\n",
        (long long)(clock_now().mono.ms - frozen_at), (long long)client.slowest_us);
    assert_true(client.slowest_us < WAIT_US);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    assert_true(client_reaches(&client, &client.connects, 2, 2 * SOON_MS));
    assert_true(client_reaches(&client, &numbers.count, EVENTS, 2 * SOON_MS));
    client_turn_for(&client, 200);
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 0);
    client_free(&client);
}

/* As many as wait in a burst, each as long as may be: the buffer is as full as it gets. */
static void the_largest_small_messages_find_room_or_wait(void **state)
{
    static char payload[OUTBOX_LARGE_BYTES];
    struct client client;
    char topic[32];

    (void)state;
    connect_slow(&client, "unheard");
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    memset(payload, 'x', sizeof payload);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(topic, sizeof topic, "m%d/config", i);
        assert_int_equal(
            mqtt_publish(client.mqtt, topic, payload, sizeof payload, 1, true), STATUS_OK);
        client_publish(&client, "probe", "QoS 1", false);
        client_turn(&client, 0);
    }
    client_turn_for(&client, 500);
    assert_true(mqtt_counts(client.mqtt).waiting > 0);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    for (int64_t end = clock_now().mono.ms + SOON_MS;
         mqtt_counts(client.mqtt).waiting + mqtt_counts(client.mqtt).in_flight > 0;) {
        assert_true(clock_now().mono.ms < end);
        client_turn(&client, 50);
    }
    print_message("slowest call %lld us\n", (long long)client.slowest_us);
    assert_true(client.slowest_us < WAIT_US);
    assert_int_equal(client.disconnects, 0);
    client_free(&client);
}

/* A host may be set up so: what matters is what it grants. */
static void a_smaller_buffer_than_was_asked_for_is_not_filled_either(void **state)
{
    const int bytes = 16 * 1024;
    struct client client;
    struct numbers numbers = {0};

    (void)state;
    connect_slow(&client, "event");
    client.on_message = note_number;
    client.context = &numbers;
    assert_int_equal(
        setsockopt(mqtt_bench_socket(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    for (size_t i = 0; i < EVENTS; i++) {
        publish_event(&client, i);
        client_turn(&client, 0);
    }
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    assert_true(client_reaches(&client, &numbers.count, EVENTS, 2 * SOON_MS));
    assert_int_equal(client.disconnects, 0);
    print_message("slowest call %lld us\n", (long long)client.slowest_us);
    assert_true(client.slowest_us < WAIT_US);
    client_free(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, mqtt_bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_broker_that_reads_slowly_gets_all_and_no_call_waits_for_it),
        TEST(a_broker_that_reads_nothing_is_given_up_and_no_event_is_lost),
        TEST(the_largest_small_messages_find_room_or_wait),
        TEST(a_smaller_buffer_than_was_asked_for_is_not_filled_either),
    };
    int failed = cmocka_run_group_tests(tests, plainly, NULL);
    return failed + cmocka_run_group_tests(tests, with_tls, NULL);
}
