/* A broker that stands still, a fleet that floods, and how long a round trip takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/support/clock.h"
#include "controller/support/mqtt_socket.h"
#include "tests/lib/mqtt_bench.h"

#define SOON_MS MQTT_BENCH_SOON_MS
#define CALL_US MQTT_BENCH_CALL_US

static void connect_as(struct client *client, const char *id, int keep_alive_s)
{
    mqtt_bench_connect(
        client, &(struct mqtt_options){.client_id = id, .keep_alive_s = keep_alive_s});
}

static void C12_keep_alive_finds_a_frozen_broker_and_no_call_waits_for_it(void **state)
{
    struct client client;
    int64_t frozen_at;
    int64_t took;

    (void)state;
    connect_as(&client, "a", 2);
    client_turn_for(&client, 100);
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    frozen_at = clock_now().mono.ms;
    while (client.disconnects == 0 && clock_now().mono.ms - frozen_at < SOON_MS) {
        client_publish(&client, "state", "x", true);
        client_publish(&client, "event", "x", false);
        client_turn(&client, 20);
    }
    took = clock_now().mono.ms - frozen_at;
    print_message(
        "frozen broker found after %lld ms; slowest call %lld us\n", (long long)took,
        (long long)client.slowest_us);
    assert_int_equal(client.disconnects, 1);
    assert_in_range(took, 1000, 20000);
    /* New attempts are accepted by the kernel, answered by nobody, and given up. */
    assert_true(client_reaches(&client, &client.disconnects, 2, SOON_MS));
    assert_true(client.slowest_us < CALL_US);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    assert_true(client_reaches(&client, &client.connects, 2, SOON_MS));
    client_turn_for(&client, 500);
    assert_int_equal(mqtt_counts(client.mqtt).waiting, 0);
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 0);
    client_free(&client);
}

/* More than the sockets' buffers hold. */
static void fill_the_pipe(struct client *client, const char *topic, bool retain)
{
    static char payload[16 * 1024];

    memset(payload, 'x', sizeof payload);
    for (int i = 0; i < 900; i++) {
        assert_int_equal(
            mqtt_publish(client->mqtt, topic, payload, sizeof payload, 1, retain), STATUS_OK);
    }
    client_turn_for(client, 100);
    assert_true(mqtt_counts(client->mqtt).in_flight > 0);
    assert_true(mqtt_counts(client->mqtt).waiting > 0);
}

static void C12_no_old_retained_message_precedes_the_new_ones_after_a_reconnect(void **state)
{
    struct client client;

    (void)state;
    connect_as(&client, "a", 10);
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    fill_the_pipe(&client, "command", true);
    mosquitto_signal(mqtt_bench_broker(), SIGKILL);
    assert_true(client_reaches(&client, &client.disconnects, 1, SOON_MS));
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 0);
    assert_int_equal(mqtt_counts(client.mqtt).waiting, 0);
    client.filter = "#";
    mqtt_bench_restart();
    assert_true(client_reaches(&client, &client.connects, 2, SOON_MS));
    client_publish(&client, "command", "new", true);
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    assert_int_equal(client_count(&client, INBOX_MESSAGE, "command", "new"), 1);
    client_turn_for(&client, 500);
    assert_int_equal(client.messages, 1);
    client_free(&client);
}

static void events_on_the_way_when_the_connection_breaks_are_sent_again(void **state)
{
    struct client client;

    (void)state;
    connect_as(&client, "a", 10);
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    fill_the_pipe(&client, "event", false);
    client_publish(&client, "event", "last", false);
    mosquitto_signal(mqtt_bench_broker(), SIGKILL);
    assert_true(client_reaches(&client, &client.disconnects, 1, SOON_MS));
    client.filter = "#";
    mqtt_bench_restart();
    assert_true(client_reaches(&client, &client.messages, 901, SOON_MS));
    assert_int_equal(client_count(&client, INBOX_MESSAGE, "event", "last"), 1);
    assert_string_equal(client.entries[client.entry_count - 1].payload, "last");
    client_turn_for(&client, 200);
    assert_int_equal(client.messages, 901);
    assert_int_equal(mqtt_counts(client.mqtt).waiting, 0);
    client_free(&client);
}

static void a_goodbye_to_a_frozen_broker_takes_no_longer_than_asked(void **state)
{
    struct client client;
    int64_t before;

    (void)state;
    connect_as(&client, "a", 10);
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP);
    client_publish(&client, "event", "x", false);
    before = clock_now().mono.ms;
    mqtt_stop(client.mqtt, 1000);
    assert_in_range(clock_now().mono.ms - before, 500, 5000);
    client_free(&client);
}

/* A client whose inbox has room for some twenty messages. */
static void make_small(struct client *client, const char *id, struct inbox *requests)
{
    TEXT_LOCAL(why, 128);

    memset(client, 0, sizeof *client);
    assert_int_equal(inbox_new((struct inbox_limits){.bytes = 4096}, &client->inbox), STATUS_OK);
    assert_int_equal(
        mqtt_new(
            &(struct mqtt_options){
                .url = mqtt_bench_url(),
                .client_id = id,
                .keep_alive_s = 10,
                .inbox = client->inbox,
                .requests = requests,
                .direct = mqtt_bench_is_direct(),
            },
            &client->mqtt, &why),
        STATUS_OK);
}

static void fill(struct inbox *inbox)
{
    const struct inbox_entry entry = {.kind = INBOX_MESSAGE, .topic = "full"};

    while (inbox_push(inbox, &entry) == STATUS_OK) {
    }
}

static void empty(struct inbox *inbox)
{
    struct inbox_entry entry;

    while (inbox_pop(inbox, &entry)) {
    }
}

/* Paho may then hold its one lock, waiting for the loop; the loop must not wait for that lock. */
static void while_an_inbox_is_full_the_loop_calls_no_paho(void **state)
{
    struct client client;
    struct inbox *requests;

    (void)state;
    assert_int_equal(inbox_new((struct inbox_limits){.bytes = 4096}, &requests), STATUS_OK);
    make_small(&client, "a", requests);
    client_start(&client);
    assert_true(client_reaches(&client, &client.connects, 1, SOON_MS));
    for (int i = 0; i < 2; i++) {
        struct inbox *inbox = i == 0 ? client.inbox : requests;
        uint64_t before = mqtt_counts(client.mqtt).published;
        fill(inbox);
        client_publish(&client, "command", "x", true);
        mqtt_tick(client.mqtt, clock_now().mono);
        assert_int_equal(mqtt_counts(client.mqtt).published, before);
        assert_int_equal(mqtt_counts(client.mqtt).waiting, 1);
        empty(inbox);
        mqtt_tick(client.mqtt, clock_now().mono);
        assert_int_equal(mqtt_counts(client.mqtt).published, before + 1);
        assert_int_equal(mqtt_counts(client.mqtt).waiting, 0);
    }
    client_free(&client);
    inbox_free(requests);
}

/* The loop publishes while Paho's thread finds the inbox full: both want Paho's one lock. */
static void publishing_goes_on_amid_a_flood_that_the_inbox_cannot_hold(void **state)
{
    enum {
        FLOOD = 5000
    };
    struct client writer;
    struct client reader;
    char topic[32];
    size_t published = 0;

    (void)state;
    mqtt_bench_connect_another(&writer, "writer");
    make_small(&reader, "reader", NULL);
    client_start(&reader);
    assert_true(client_reaches(&reader, &reader.connects, 1, SOON_MS));
    client_subscribe(&reader, "flood");
    for (int i = 0; i < FLOOD; i++) {
        client_publish(&writer, "flood", "0123456789012345678901234567890123456789", false);
    }
    /* All of it may have left the writer, and be on its way. */
    while (mqtt_counts(writer.mqtt).waiting > 0 || published < 1000) {
        client_turn(&writer, 10);
        client_turn(&reader, 0);
        /* A long turn: more publishes than the inbox holds. */
        for (int i = 0; i < 200; i++) {
            snprintf(topic, sizeof topic, "m%d/command", i);
            client_publish(&reader, topic, "x", true);
            published++;
        }
    }
    print_message(
        "%zu publishes amid a flood; %llu of %d messages dropped; slowest call %lld us, %zu "
        "stalls\n",
        published, (unsigned long long)inbox_dropped(reader.inbox), FLOOD,
        (long long)reader.slowest_us, reader.stalls);
    assert_true(client_reaches(&reader, &reader.messages, 20, SOON_MS));
    client_turn_for(&reader, 500);
    assert_int_equal(mqtt_counts(reader.mqtt).waiting, 0);
    client_free(&reader);
    client_free(&writer);
}

static void answer(struct client *client, const struct inbox_entry *entry)
{
    assert_int_equal(
        mqtt_publish(client->mqtt, "command", entry->payload, entry->payload_length, 1, true),
        STATUS_OK);
}

static void set_nodelay(int on)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        int fd = entry->d_name[0] == '.' ? -1 : atoi(entry->d_name);
        if (mqtt_socket_is_peer(fd, mqtt_bench_broker()->port)) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
    }
    closedir(directory);
}

static int compare(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

#define ROUNDS 100

static int64_t median_round_trip_us(struct client *device, struct client *controller)
{
    int64_t times[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        size_t wanted = device->messages + 1;
        int64_t since = monotonic_us();
        client_publish(device, "report", "{\"oops\":false}", false);
        while (device->messages < wanted) {
            client_turn(controller, 0);
            client_turn(device, 0);
        }
        times[i] = monotonic_us() - since;
    }
    qsort(times, ROUNDS, sizeof times[0], compare);
    return times[ROUNDS / 2];
}

static void a_report_is_answered_without_nagles_delay(void **state)
{
    struct client device;
    struct client controller;
    int64_t with;
    int64_t without;

    (void)state;
    mqtt_bench_connect_another(&device, "device");
    connect_as(&controller, "controller", 10);
    client_subscribe(&device, "command");
    client_subscribe(&controller, "report");
    controller.on_message = answer;
    with = median_round_trip_us(&device, &controller);
    set_nodelay(0);
    without = median_round_trip_us(&device, &controller);
    print_message(
        "report to command, median of %d: %lld us with TCP_NODELAY, %lld us without\n", ROUNDS,
        (long long)with, (long long)without);
    client_free(&device);
    client_free(&controller);
}

static void an_idle_connection_answers_as_fast_as_a_busy_one(void **state)
{
    enum {
        GAPS = 5
    };
    struct client client;
    int64_t times[GAPS];

    (void)state;
    connect_as(&client, "a", 10);
    client_subscribe(&client, "report");
    for (int i = 0; i < GAPS; i++) {
        size_t wanted = client.messages + 1;
        client_turn_for(&client, 1030); /* Paho would sleep from 1000 to 1100 */
        times[i] = monotonic_us();
        client_publish(&client, "report", "{}", false);
        assert_true(client_reaches(&client, &client.messages, wanted, SOON_MS));
        times[i] = monotonic_us() - times[i];
    }
    qsort(times, GAPS, sizeof times[0], compare);
    print_message(
        "after a second of silence: %lld us at best, median %lld us\n", (long long)times[0],
        (long long)times[GAPS / 2]);
    assert_true(times[0] < 30000); /* asleep, not one would be so fast */
    client_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MQTT_BENCH_TEST(C12_keep_alive_finds_a_frozen_broker_and_no_call_waits_for_it),
        MQTT_BENCH_TEST(C12_no_old_retained_message_precedes_the_new_ones_after_a_reconnect),
        MQTT_BENCH_TEST(events_on_the_way_when_the_connection_breaks_are_sent_again),
        MQTT_BENCH_TEST(a_goodbye_to_a_frozen_broker_takes_no_longer_than_asked),
        MQTT_BENCH_TEST(while_an_inbox_is_full_the_loop_calls_no_paho),
        MQTT_BENCH_TEST(publishing_goes_on_amid_a_flood_that_the_inbox_cannot_hold),
        MQTT_BENCH_TEST(a_report_is_answered_without_nagles_delay),
        MQTT_BENCH_TEST(an_idle_connection_answers_as_fast_as_a_busy_one),
    };
    int failed = cmocka_run_group_tests(tests, mqtt_bench_on_threads, NULL);
    return failed + cmocka_run_group_tests(tests, mqtt_bench_on_the_owners_thread, NULL);
}
