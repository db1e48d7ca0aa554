/* The adapter against a real broker, on Paho's threads and without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "tests/lib/mqtt_bench.h"

#define SOON_MS MQTT_BENCH_SOON_MS

static void connect_as(struct client *client, const char *id)
{
    mqtt_bench_connect(client, &(struct mqtt_options){.client_id = id});
}

static void a_message_makes_its_round_trip(void **state)
{
    struct client client;

    (void)state;
    connect_as(&client, "a");
    client_subscribe(&client, "tagout/#");
    client_publish(&client, "tagout/machine/saw/event", "{\"n\":1}", false);
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    assert_string_equal(mqtt_bench_last(&client)->topic, "tagout/machine/saw/event");
    assert_string_equal(mqtt_bench_last(&client)->payload, "{\"n\":1}");
    assert_false(mqtt_bench_last(&client)->retained);
    client_free(&client);
}

static void C2_the_retained_flag_tells_a_stored_message_from_a_live_one(void **state)
{
    struct client client;

    (void)state;
    connect_as(&client, "a");
    client_subscribe(&client, "live/#");
    client_publish(&client, "live/state", "now", true);
    client_publish(&client, "stored/state", "before", true);
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    assert_false(mqtt_bench_last(&client)->retained);
    client_subscribe(&client, "stored/#");
    assert_true(client_reaches(&client, &client.messages, 2, SOON_MS));
    assert_int_equal(client_count(&client, INBOX_MESSAGE, "stored/state", "before"), 1);
    for (size_t i = 0; i < client.entry_count; i++) {
        if (strcmp(client.entries[i].topic, "stored/state") == 0) {
            assert_true(client.entries[i].retained);
        }
    }
    client_free(&client);
}

static void the_suback_comes_with_the_token_of_its_subscribe(void **state)
{
    const char *const filters[] = {"a/#", "b/+", "c"};
    const int qos[] = {0, 1, 1};
    struct client client;
    size_t before;

    (void)state;
    connect_as(&client, "a");
    assert_int_equal(mqtt_subscribe(client.mqtt, filters, qos, 3, 5), STATUS_OK);
    assert_int_equal(mqtt_subscribe(client.mqtt, filters, qos, 1, 6), STATUS_OK);
    before = client.entry_count;
    assert_true(client_reaches(&client, &client.entry_count, before + 2, SOON_MS));
    assert_int_equal(client.entries[before].kind, INBOX_SUBSCRIBED);
    assert_int_equal(client.entries[before].token, 5);
    assert_int_equal(client.entries[before + 1].token, 6);
    client_publish(&client, "b/x", "", false);
    client_publish(&client, "c", "", false);
    assert_true(client_reaches(&client, &client.messages, 2, SOON_MS));
    assert_int_equal(mqtt_unsubscribe(client.mqtt, "c"), STATUS_OK);
    client_publish(&client, "c", "unheard", false);
    client_publish(&client, "b/y", "end", false);
    assert_true(client_reaches(&client, &client.messages, 3, SOON_MS));
    assert_int_equal(client_count(&client, INBOX_MESSAGE, "c", "unheard"), 0);
    client_free(&client);
}

static bool is_request(const char *topic)
{
    return strncmp(topic, "request/", 8) == 0;
}

#define REQUEST_BYTES 100

static void connect_with_requests(struct client *client, struct inbox **ret_requests)
{
    TEXT_LOCAL(why, 128);

    memset(client, 0, sizeof *client);
    assert_int_equal(inbox_new((struct inbox_limits){.bytes = 8192}, &client->inbox), STATUS_OK);
    assert_int_equal(
        inbox_new((struct inbox_limits){.bytes = 4096, .soft = 1}, ret_requests), STATUS_OK);
    assert_int_equal(
        mqtt_new(
            &(struct mqtt_options){
                .url = mqtt_bench_url(),
                .client_id = "a",
                .keep_alive_s = 10,
                .inbox = client->inbox,
                .requests = *ret_requests,
                .is_request = is_request,
                .request_bytes = REQUEST_BYTES,
                .direct = mqtt_bench_is_direct(),
            },
            &client->mqtt, &why),
        STATUS_OK);
    client_start(client);
    assert_true(client_reaches(client, &client->connects, 1, SOON_MS));
    client_subscribe(client, "#");
}

static void C6_requests_have_an_inbox_of_their_own(void **state)
{
    struct client client;
    struct inbox *requests;
    struct inbox_entry entry;

    (void)state;
    connect_with_requests(&client, &requests);
    client_publish(&client, "request/1", "first", false);
    client_publish(&client, "request/2", "second", false);
    client_publish(&client, "report", "last", false);
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    assert_string_equal(mqtt_bench_last(&client)->payload, "last");
    assert_true(inbox_pop(requests, &entry));
    assert_string_equal(entry.payload, "first");
    assert_false(entry.overflow);
    assert_true(inbox_pop(requests, &entry));
    assert_string_equal(entry.payload, "second");
    assert_true(entry.overflow);
    assert_false(inbox_pop(requests, &entry));
    client_free(&client);
    inbox_free(requests);
}

/* Room for one that is understood, and for the beginning of one that is not. */
static void C6_of_a_request_that_is_too_long_only_the_beginning_takes_room(void **state)
{
    struct client client;
    struct inbox *requests;
    struct inbox_entry entry;
    enum {
        REPORT_BYTES = 2 * REQUEST_BYTES
    };
    char payload[4096];

    (void)state;
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    connect_with_requests(&client, &requests);
    client_publish(&client, "request/1", payload, false);
    client_publish(&client, "request/2", payload + sizeof payload - 1 - REQUEST_BYTES, false);
    client_publish(&client, "report", payload + sizeof payload - 1 - REPORT_BYTES, false);
    assert_true(client_reaches(&client, &client.messages, 1, SOON_MS));
    assert_int_equal(strlen(mqtt_bench_last(&client)->payload), REPORT_BYTES);
    for (int i = 0; i < 2; i++) {
        assert_true(inbox_pop(requests, &entry));
        assert_int_equal(entry.payload_length, REQUEST_BYTES);
        assert_int_equal(strlen(entry.payload), REQUEST_BYTES);
    }
    assert_false(inbox_pop(requests, &entry));
    assert_int_equal(inbox_dropped(requests), 0);
    client_free(&client);
    inbox_free(requests);
}

static void a_topic_that_the_broker_would_refuse_is_refused_here(void **state)
{
    struct client client;

    (void)state;
    connect_as(&client, "a");
    assert_int_equal(mqtt_publish(client.mqtt, "a/+", "", 0, 1, false), STATUS_INVALID);
    assert_int_equal(mqtt_publish(client.mqtt, "#", "", 0, 1, false), STATUS_INVALID);
    assert_int_equal(mqtt_publish(client.mqtt, "", "", 0, 1, false), STATUS_INVALID);
    assert_int_equal(mqtt_publish(client.mqtt, "\xff", "", 0, 1, false), STATUS_INVALID);
    assert_int_equal(mqtt_publish(client.mqtt, "a", "", 0, 2, false), STATUS_INVALID);
    client_turn_for(&client, 200);
    assert_int_equal(client.disconnects, 0);
    client_free(&client);
}

static void assert_nodelay(void)
{
    int nodelay = 0;
    socklen_t length = sizeof nodelay;

    assert_int_equal(
        getsockopt(mqtt_bench_socket(), IPPROTO_TCP, TCP_NODELAY, &nodelay, &length), 0);
    assert_int_not_equal(nodelay, 0);
}

static void nagles_algorithm_is_off_after_every_connect(void **state)
{
    struct client client;

    (void)state;
    connect_as(&client, "a");
    assert_nodelay();
    mqtt_bench_restart();
    assert_true(client_reaches(&client, &client.connects, 2, SOON_MS));
    assert_nodelay();
    client_free(&client);
}

static void C11_the_last_will_is_published_when_the_process_dies(void **state)
{
    struct client watcher;
    char ready;
    int pipe_fds[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(pipe_fds), 0);
    pid = fork();
    if (pid == 0) {
        struct client victim;
        client_new(
            &victim, &(struct mqtt_options){
                         .url = mqtt_bench_url(),
                         .client_id = "victim",
                         .will_topic = "link",
                         .will_payload = "lost",
                         .direct = mqtt_bench_is_direct(),
                     });
        client_start(&victim);
        while (victim.connects == 0) {
            client_turn(&victim, 100);
        }
        _exit(write(pipe_fds[1], "", 1) == 1 && pause() == 0);
    }
    mqtt_bench_connect_another(&watcher, "watcher");
    client_subscribe(&watcher, "link");
    assert_int_equal(read(pipe_fds[0], &ready, 1), 1);
    client_turn_for(&watcher, 100);
    assert_int_equal(watcher.messages, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(client_reaches(&watcher, &watcher.messages, 1, SOON_MS));
    assert_string_equal(mqtt_bench_last(&watcher)->payload, "lost");
    client_subscribe(&watcher, "+");
    assert_true(client_reaches(&watcher, &watcher.messages, 2, SOON_MS));
    assert_true(client_count(&watcher, INBOX_MESSAGE, "link", "lost") == 2);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    client_free(&watcher);
}

static void connect_with_will(struct client *client, const char *id)
{
    mqtt_bench_connect(
        client,
        &(struct mqtt_options){.client_id = id, .will_topic = "status", .will_payload = id});
}

static void a_clean_stop_sends_what_waits_and_publishes_no_will(void **state)
{
    struct client watcher;
    struct client client;

    (void)state;
    mqtt_bench_connect_another(&watcher, "watcher");
    client_subscribe(&watcher, "#");
    connect_with_will(&client, "clean");
    mosquitto_signal(mqtt_bench_broker(), SIGSTOP); /* so that some of it has to wait */
    for (int i = 0; i < 3000; i++) {
        client_publish(&client, "event", "x", false);
    }
    client_publish(&client, "status", "stopped", true);
    assert_true(mqtt_counts(client.mqtt).waiting > 0);
    mosquitto_signal(mqtt_bench_broker(), SIGCONT);
    mqtt_stop(client.mqtt, 5000);
    client_free(&client);
    assert_true(client_reaches(&watcher, &watcher.messages, 3001, SOON_MS));
    assert_string_equal(mqtt_bench_last(&watcher)->payload, "stopped");
    client_turn_for(&watcher, 300);
    assert_int_equal(watcher.messages, 3001);
    client_free(&watcher);
}

static void without_a_stop_the_broker_publishes_the_will(void **state)
{
    struct client watcher;
    struct client client;

    (void)state;
    mqtt_bench_connect_another(&watcher, "watcher");
    client_subscribe(&watcher, "#");
    connect_with_will(&client, "cut off");
    client_free(&client);
    assert_true(client_reaches(&watcher, &watcher.messages, 1, SOON_MS));
    assert_string_equal(mqtt_bench_last(&watcher)->payload, "cut off");
    client_free(&watcher);
}

static void an_outage_loses_no_event_and_brings_no_old_state_back(void **state)
{
    struct client client;
    char payload[16];

    (void)state;
    connect_as(&client, "a");
    mosquitto_signal(mqtt_bench_broker(), SIGKILL);
    assert_true(client_reaches(&client, &client.disconnects, 1, SOON_MS));
    assert_false(mqtt_is_connected(client.mqtt));
    assert_string_equal(client.reason, "connection lost");
    for (int i = 0; i < 50; i++) {
        snprintf(payload, sizeof payload, "%d", i);
        client_publish(&client, "event", payload, false);
        client_publish(&client, "state", payload, true);
    }
    assert_int_equal(mqtt_counts(client.mqtt).waiting, 50);
    client.filter = "#";
    mqtt_bench_restart();
    assert_true(client_reaches(&client, &client.connects, 2, SOON_MS));
    assert_true(client_reaches(&client, &client.messages, 50, SOON_MS));
    client_publish(&client, "state", "published again", true);
    assert_true(client_reaches(&client, &client.messages, 51, SOON_MS));
    assert_string_equal(mqtt_bench_last(&client)->payload, "published again");
    assert_int_equal(client_count(&client, INBOX_MESSAGE, "event", NULL), 50);
    assert_int_equal(client_count(&client, INBOX_MESSAGE, "state", NULL), 1);
    client_free(&client);
}

#define MANY 20000

struct numbers {
    size_t next;
    bool in_order;
};

static void note_number(struct client *client, const struct inbox_entry *entry)
{
    struct numbers *numbers = client->context;

    numbers->in_order = numbers->in_order && strtoul(entry->payload, NULL, 10) == numbers->next;
    numbers->next++;
}

static void twenty_thousand_publishes_all_arrive_in_order(void **state)
{
    struct client client;
    struct client reader;
    struct numbers numbers = {.in_order = true};
    char payload[16];
    int64_t since;

    (void)state;
    connect_as(&client, "writer");
    mqtt_bench_connect_another(&reader, "reader");
    client_subscribe(&reader, "#");
    reader.on_message = note_number;
    reader.context = &numbers;
    since = monotonic_us();
    for (size_t i = 0; i < MANY;) {
        snprintf(payload, sizeof payload, "%zu", i);
        if (mqtt_publish(client.mqtt, "event", payload, strlen(payload), 1, false) == STATUS_OK) {
            i++;
        } else {
            client_turn(&client, 100);
        }
        assert_true(mqtt_counts(client.mqtt).in_flight <= MQTT_IN_FLIGHT_MAX);
    }
    while (mqtt_counts(client.mqtt).waiting > 0) {
        client_turn(&client, 100);
        client_turn(&reader, 0);
    }
    assert_true(client_reaches(&reader, &reader.messages, MANY, SOON_MS));
    print_message(
        "%d events in %lld ms; slowest call %lld us\n", MANY,
        (long long)((monotonic_us() - since) / 1000), (long long)client.slowest_us);
    assert_true(numbers.in_order);
    client_turn_for(&client, 100);
    assert_int_equal(mqtt_counts(client.mqtt).in_flight, 0);
    client_free(&client);
    client_free(&reader);
}

static void a_hundred_clients_of_one_process_are_each_themselves(void **state)
{
    enum {
        CLIENTS = 100
    };
    struct client *clients = calloc(CLIENTS, sizeof *clients);
    char id[16];
    size_t wills = 0;

    (void)state;
    assert_non_null(clients);
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(id, sizeof id, "c%d", i);
        client_new(
            &clients[i],
            &(struct mqtt_options){
                .url = mqtt_bench_url(), .client_id = id, .will_topic = id, .will_payload = id});
        client_start(&clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(client_reaches(&clients[i], &clients[i].connects, 1, SOON_MS));
    }
    client_subscribe(&clients[0], "#");
    for (int i = 1; i < CLIENTS; i++) {
        assert_int_equal(clients[i].disconnects, 0);
        client_free(&clients[i]);
    }
    assert_true(client_reaches(&clients[0], &clients[0].messages, CLIENTS - 1, SOON_MS));
    for (int i = 1; i < CLIENTS; i++) {
        snprintf(id, sizeof id, "c%d", i);
        wills += client_count(&clients[0], INBOX_MESSAGE, id, id);
    }
    assert_int_equal(wills, CLIENTS - 1);
    client_free(&clients[0]);
    free(clients);
}

enum {
    TOLD = 500
};

static void tick_off(struct client *client, const struct inbox_entry *entry)
{
    bool *heard = client->context;

    heard[atoi(entry->payload)] = true;
}

static size_t count_heard(const bool heard[TOLD])
{
    size_t count = 0;

    for (int i = 0; i < TOLD; i++) {
        count += heard[i];
    }
    return count;
}

/* The broker takes it as delivered, and tells it nobody again. */
static void what_comes_during_a_goodbye_is_kept_where_the_session_is(void **state)
{
    const struct mqtt_options options = {.client_id = "a", .persistent_session = true};
    bool heard[TOLD] = {false};
    int64_t end_ms;
    struct client client;
    struct client teller;
    struct inbox_entry entry;
    char number[16];

    (void)state;
    mqtt_bench_connect_another(&teller, "teller");
    mqtt_bench_connect(&client, &options);
    client_subscribe(&client, "told");
    client.context = heard;
    for (int i = 0; i < TOLD; i++) {
        snprintf(number, sizeof number, "%d", i);
        client_publish(&teller, "told", number, false);
        client_publish(&client, "said", number, false); /* a goodbye waits for these */
    }
    mqtt_stop(client.mqtt, SOON_MS);
    mqtt_free(client.mqtt);
    client.mqtt = NULL;
    while (inbox_pop(client.inbox, &entry)) {
        if (entry.kind == INBOX_MESSAGE) {
            tick_off(&client, &entry);
        }
    }
    client_free(&client);

    mqtt_bench_connect(&client, &options);
    client.context = heard;
    client.on_message = tick_off;
    end_ms = clock_now().mono.ms + SOON_MS;
    while (count_heard(heard) < TOLD && clock_now().mono.ms < end_ms) {
        client_turn(&teller, 0);
        client_turn(&client, 10);
    }
    assert_int_equal(count_heard(heard), TOLD);
    client_free(&client);
    client_free(&teller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MQTT_BENCH_TEST(a_message_makes_its_round_trip),
        MQTT_BENCH_TEST(C2_the_retained_flag_tells_a_stored_message_from_a_live_one),
        MQTT_BENCH_TEST(the_suback_comes_with_the_token_of_its_subscribe),
        MQTT_BENCH_TEST(C6_requests_have_an_inbox_of_their_own),
        MQTT_BENCH_TEST(C6_of_a_request_that_is_too_long_only_the_beginning_takes_room),
        MQTT_BENCH_TEST(a_topic_that_the_broker_would_refuse_is_refused_here),
        MQTT_BENCH_TEST(nagles_algorithm_is_off_after_every_connect),
        MQTT_BENCH_TEST(C11_the_last_will_is_published_when_the_process_dies),
        MQTT_BENCH_TEST(a_clean_stop_sends_what_waits_and_publishes_no_will),
        MQTT_BENCH_TEST(without_a_stop_the_broker_publishes_the_will),
        MQTT_BENCH_TEST(an_outage_loses_no_event_and_brings_no_old_state_back),
        MQTT_BENCH_TEST(twenty_thousand_publishes_all_arrive_in_order),
    };
    const struct CMUnitTest of_threads[] = {
        MQTT_BENCH_TEST(a_hundred_clients_of_one_process_are_each_themselves),
        MQTT_BENCH_TEST(what_comes_during_a_goodbye_is_kept_where_the_session_is),
    };
    int failed = cmocka_run_group_tests(tests, mqtt_bench_on_threads, NULL);

    failed += cmocka_run_group_tests(tests, mqtt_bench_on_the_owners_thread, NULL);
    return failed + cmocka_run_group_tests(of_threads, mqtt_bench_on_threads, NULL);
}
