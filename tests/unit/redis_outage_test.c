/* A Redis that is frozen, killed, slow, locked, still loading, or not to be found: the loop goes
 * on, every save has its own answer, and the store comes back by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/slow_proxy.h"
#include "tests/lib/store_bench.h"

#define STANDS_STILL_MS 1500 /* generous: the machine may be busy */

static struct redis_server server;
static struct store_bench bench;

static int start_server(void **state)
{
    (void)state;
    redis_server_start(&server, "");
    memset(&bench, 0, sizeof bench);
    bench.base = event_base_new();
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    if (bench.store != NULL) {
        bench.store->operations->close(bench.store);
    }
    store_bench_wait(&bench, 150); /* a look-up that was cancelled ends */
    event_base_free(bench.base);
    redis_server_stop(&server);
    return 0;
}

static void open_store(const char *url, const char *password, const char *nameserver)
{
    struct store_events events = store_bench_events(&bench);
    struct redis_options options = {
        .url = url,
        .password = password,
        .prefix = "shop",
        .base = bench.base,
        .nameserver = nameserver,
    };
    TEXT_LOCAL(why, 256);

    bench.inside_call = true;
    assert_int_equal(redis_store_new(&options, &events, &bench.store, &why), STATUS_OK);
    bench.inside_call = false;
}

static void open_and_wait(const char *url)
{
    open_store(url, NULL, NULL);
    store_bench_run(&bench, &bench.ups, 1, 5000);
}

static void close_store(void)
{
    bench.inside_call = true; /* nothing is called back from here on */
    bench.store->operations->close(bench.store);
    bench.store = NULL;
}

static enum status save(uint32_t rev)
{
    struct record record = store_bench_record("saw", 1, rev);
    return store_bench_save(&bench, &record, rev);
}

static void assert_saved_in_order(unsigned from, unsigned to, enum store_saved result)
{
    for (unsigned i = from; i < to; i++) {
        assert_int_equal(bench.tokens[i], i + 1);
        assert_int_equal(bench.results[i], result);
    }
}

static void C9_2_a_frozen_redis_delays_nothing_and_its_late_answers_find_their_saves(void **state)
{
    (void)state;
    open_and_wait(server.tcp_url);
    redis_server_freeze(&server);
    int64_t start = clock_now().mono.ms;
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_int_equal(save(i), STATUS_OK);
    }
    assert_in_range(clock_now().mono.ms - start, 0, STANDS_STILL_MS);
    store_bench_wait(&bench, 1000);
    assert_int_equal(bench.saves, 0);
    assert_int_equal(bench.downs, 0);
    assert_true(bench.store->operations->is_up(bench.store));
    redis_server_thaw(&server);
    store_bench_run(&bench, &bench.saves, 1000, 10000);
    assert_saved_in_order(0, 1000, STORE_SAVE_DONE);
    assert_in_range(bench.longest_turn_ms, 0, STANDS_STILL_MS);
}

static void what_waits_for_a_frozen_redis_is_bounded(void **state)
{
    uint32_t sent = 0;
    enum status status = STATUS_OK;

    (void)state;
    open_and_wait(server.url);
    redis_server_freeze(&server);
    while (sent < BENCH_SAVES_MAX && status == STATUS_OK) {
        status = save(sent + 1);
        sent += status == STATUS_OK;
    }
    assert_int_equal(status, STATUS_BUSY);
    print_message("busy after %u saves\n", sent);
    redis_server_thaw(&server);
    store_bench_run(&bench, &bench.saves, sent, 20000);
    assert_saved_in_order(0, sent, STORE_SAVE_DONE);
    assert_int_equal(save(sent + 1), STATUS_OK);
    store_bench_run(&bench, &bench.saves, sent + 1, 5000);
}

static void C9_2_what_was_under_way_when_redis_dies_is_lost_and_it_comes_back(void **state)
{
    static const char *const machines[] = {"saw"};
    struct store_claim claim = store_bench_claim(0, 5000);

    (void)state;
    open_and_wait(server.tcp_url);
    redis_server_freeze(&server);
    assert_int_equal(save(1), STATUS_OK);
    assert_int_equal(save(2), STATUS_OK);
    assert_int_equal(bench.store->operations->load(bench.store, machines, 1), STATUS_OK);
    assert_int_equal(bench.store->operations->take_lease(bench.store, &claim), STATUS_OK);
    store_bench_wait(&bench, 100);
    redis_server_kill(&server);
    store_bench_run(&bench, &bench.saves, 2, 5000);
    store_bench_run(&bench, &bench.leases, 1, 5000);
    assert_saved_in_order(0, 2, STORE_SAVE_LOST);
    assert_int_equal(bench.loads, 1);
    assert_false(bench.loaded_ok);
    assert_int_equal(bench.lease.lease, STORE_LEASE_ERROR);
    assert_int_equal(bench.downs, 1);
    assert_false(bench.store->operations->is_up(bench.store));
    assert_int_equal(save(3), STATUS_DISCONNECTED);
    assert_int_equal(bench.store->operations->load(bench.store, machines, 1), STATUS_DISCONNECTED);

    store_bench_run(&bench, &bench.downs, 2, 5000);
    assert_non_null(strstr(bench.down_reason, "refused"));
    store_bench_wait(&bench, 1000);
    assert_int_equal(bench.downs, 2); /* the same reason is not said twice */
    redis_server_restart(&server);
    store_bench_run(&bench, &bench.ups, 2, 10000);
    assert_int_equal(save(4), STATUS_OK);
    store_bench_run(&bench, &bench.saves, 3, 5000);
    assert_int_equal(bench.results[2], STORE_SAVE_DONE);
    assert_int_equal(bench.tokens[2], 4);
}

static void C9_2_answers_that_trickle_hold_up_nothing(void **state)
{
    struct slow_proxy *proxy = slow_proxy_new(bench.base, server.port);
    char url[64];

    (void)state;
    (void)snprintf(url, sizeof url, "redis://127.0.0.1:%d", slow_proxy_port(proxy));
    open_and_wait(url);
    slow_proxy_trickle(proxy, true);
    for (uint32_t i = 1; i <= 20; i++) {
        assert_int_equal(save(i), STATUS_OK);
    }
    /* "$2\r\nOK\r\n" for each, one byte in 5 ms. */
    store_bench_wait(&bench, 400);
    assert_in_range(bench.saves, 1, 12);
    store_bench_run(&bench, &bench.saves, 20, 20000);
    assert_saved_in_order(0, 20, STORE_SAVE_DONE);
    assert_in_range(bench.longest_turn_ms, 0, STANDS_STILL_MS);
    close_store();
    slow_proxy_free(proxy);
}

static void a_wrong_password_is_said_once_and_the_right_one_is_let_in_later(void **state)
{
    (void)state;
    redis_server_command(&server, "CONFIG SET requirepass right", "+OK");
    (void)snprintf(server.password, sizeof server.password, "right");
    open_store(server.url, "wrong", NULL);
    store_bench_run(&bench, &bench.downs, 1, 5000);
    assert_int_equal(bench.down, STORE_REFUSES);
    assert_string_equal(bench.down_reason, "it does not take [redis] password");
    store_bench_wait(&bench, 1000);
    assert_int_equal(bench.downs, 1);
    redis_server_command(&server, "CONFIG SET requirepass wrong", "+OK");
    store_bench_run(&bench, &bench.ups, 1, 10000);
}

static void a_missing_password_is_said(void **state)
{
    (void)state;
    redis_server_command(&server, "CONFIG SET requirepass right", "+OK");
    (void)snprintf(server.password, sizeof server.password, "right");
    open_store(server.url, NULL, NULL);
    store_bench_run(&bench, &bench.downs, 1, 5000);
    assert_int_equal(bench.down, STORE_REFUSES);
    assert_string_equal(bench.down_reason, "it wants a password, and [redis] password is empty");
}

static void the_database_of_the_url_is_used(void **state)
{
    char url[80];

    (void)state;
    (void)snprintf(url, sizeof url, "%s/3", server.tcp_url);
    open_and_wait(url);
    assert_int_equal(save(1), STATUS_OK);
    store_bench_run(&bench, &bench.saves, 1, 5000);
    redis_server_command(&server, "EXISTS shop:machine:saw", ":0");
    redis_server_command(&server, "SWAPDB 0 3", "+OK");
    redis_server_command(&server, "EXISTS shop:machine:saw", ":1");
    close_store();
    (void)snprintf(url, sizeof url, "%s/99", server.tcp_url);
    bench.inside_call = false;
    open_store(url, NULL, NULL);
    store_bench_run(&bench, &bench.downs, 1, 5000);
    assert_non_null(strstr(bench.down_reason, "SELECT: ERR DB index is out of range"));
}

/* A Redis that is loading its data accepts connections and refuses every command. */
static void a_redis_that_still_loads_is_not_up(void **state)
{
    struct slow_proxy *proxy = slow_proxy_new(bench.base, server.port);
    char url[64];

    (void)state;
    slow_proxy_answer(proxy, "-LOADING Redis is loading the dataset in memory\r\n");
    (void)snprintf(url, sizeof url, "redis://127.0.0.1:%d", slow_proxy_port(proxy));
    open_store(url, NULL, NULL);
    store_bench_run(&bench, &bench.downs, 1, 5000);
    assert_string_equal(bench.down_reason, "PING: LOADING Redis is loading the dataset in memory");
    slow_proxy_answer(proxy, NULL);
    store_bench_run(&bench, &bench.ups, 1, 10000);
    close_store();
    slow_proxy_free(proxy);
}

static void what_is_no_redis_is_not_up(void **state)
{
    struct slow_proxy *proxy = slow_proxy_new(bench.base, server.port);
    char url[64];

    (void)state;
    slow_proxy_answer(proxy, "HTTP/1.1 400 Bad Request\r\n\r\n");
    (void)snprintf(url, sizeof url, "redis://127.0.0.1:%d", slow_proxy_port(proxy));
    open_store(url, NULL, NULL);
    store_bench_run(&bench, &bench.downs, 1, 5000);
    assert_non_null(strstr(bench.down_reason, "Protocol error"));
    close_store();
    slow_proxy_free(proxy);
}

/* Memory is not given out for what is only said to come. */
static void an_answer_that_is_too_large_ends_the_connection(void **state)
{
    enum {
        LONG_BYTES = 5 << 20
    };
    char *answers[] = {strdup("*400000000\r\n"), malloc(LONG_BYTES)};

    (void)state;
    assert_true(answers[0] != NULL && answers[1] != NULL);
    memset(answers[1], 'x', LONG_BYTES - 1);
    answers[1][LONG_BYTES - 1] = '\0';
    memcpy(answers[1], "$99999999\r\n", strlen("$99999999\r\n"));
    for (size_t i = 0; i < 2; i++) {
        struct slow_proxy *proxy = slow_proxy_new(bench.base, server.port);
        char url[64];

        slow_proxy_answer(proxy, answers[i]);
        (void)snprintf(url, sizeof url, "redis://127.0.0.1:%d", slow_proxy_port(proxy));
        bench.downs = 0;
        open_store(url, NULL, NULL);
        store_bench_run(&bench, &bench.downs, 1, 20000);
        assert_string_equal(bench.down_reason, "an answer that is too large");
        close_store();
        bench.inside_call = false;
        slow_proxy_free(proxy);
        free(answers[i]);
    }
}

static void a_redis_that_is_frozen_at_the_start_is_waited_for(void **state)
{
    (void)state;
    redis_server_freeze(&server);
    open_store(server.tcp_url, NULL, NULL);
    store_bench_run(&bench, &bench.downs, 1, 8000);
    assert_string_equal(bench.down_reason, "no answer in 5000 ms");
    assert_in_range(bench.longest_turn_ms, 0, STANDS_STILL_MS);
    redis_server_thaw(&server);
    store_bench_run(&bench, &bench.ups, 1, 10000);
}

/* ---- names ---- */

static int bound_socket(char *ret_address, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(ret_address, size, "127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void a_name_server_that_is_silent_never_stops_the_loop(void **state)
{
    char nameserver[64];
    int fd = bound_socket(nameserver, sizeof nameserver);

    (void)state;
    open_store("redis://redis.test:6379", NULL, nameserver);
    store_bench_run(&bench, &bench.downs, 1, 8000);
    assert_non_null(strstr(bench.down_reason, "redis.test"));
    assert_in_range(bench.longest_turn_ms, 0, STANDS_STILL_MS);
    store_bench_wait(&bench, 500); /* the next look-up is under way */
    close_store();
    close(fd);
}

/* Answers with the first `known` of two addresses; nobody listens at the first one. */
static void answer_name(struct evdns_server_request *request, void *context)
{
    const struct evdns_server_question *question = request->questions[0];
    const int *known = context;
    const struct in_addr addresses[] = {
        {.s_addr = htonl(INADDR_LOOPBACK + 1)}, {.s_addr = htonl(INADDR_LOOPBACK)}};

    if (*known > 0 && question->type == EVDNS_TYPE_A) {
        (void)evdns_server_request_add_a_reply(request, question->name, *known, addresses, 60);
    }
    (void)evdns_server_request_respond(request, *known > 0 ? 0 : DNS_ERR_NOTEXIST);
}

static void a_name_is_looked_up_at_each_attempt_and_all_its_addresses_are_tried(void **state)
{
    char nameserver[64];
    char url[64];
    int known = 0;
    int fd = bound_socket(nameserver, sizeof nameserver);
    struct evdns_server_port *port =
        evdns_add_server_port_with_base(bench.base, fd, 0, answer_name, &known);

    (void)state;
    (void)snprintf(url, sizeof url, "redis://redis.test:%d", server.port);
    open_store(url, NULL, nameserver);
    store_bench_run(&bench, &bench.downs, 1, 5000);
    assert_non_null(strstr(bench.down_reason, "redis.test has no address"));
    known = 1;
    store_bench_run(&bench, &bench.downs, 2, 5000);
    assert_non_null(strstr(bench.down_reason, "refused"));
    known = 2;
    store_bench_run(&bench, &bench.ups, 1, 10000);
    close_store();
    evdns_close_server_port(port);
}

static void a_name_of_the_hosts_file_is_found(void **state)
{
    char url[64];

    (void)state;
    (void)snprintf(url, sizeof url, "redis://localhost:%d", server.port);
    open_and_wait(url);
}

/* ---- the connection itself ---- */

static int socket_to(int port)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port) {
            return fd;
        }
    }
    fail_msg("no socket to port %d", port);
    return -1;
}

static void the_kernel_is_told_to_notice_a_peer_that_vanished(void **state)
{
    int on = 0;
    unsigned gone_ms = 0;
    socklen_t size = sizeof on;

    (void)state;
    open_and_wait(server.tcp_url);
    int fd = socket_to(server.port);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    assert_true(on);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, &size), 0);
    assert_int_equal(gone_ms, 10000);
}

static void closing_with_commands_under_way_calls_nothing_back(void **state)
{
    static const char *const machines[] = {"saw", "lathe"};
    struct store_claim claim = store_bench_claim(0, 5000);

    (void)state;
    open_and_wait(server.tcp_url);
    redis_server_freeze(&server);
    for (uint32_t i = 1; i <= 100; i++) {
        assert_int_equal(save(i), STATUS_OK);
    }
    assert_int_equal(bench.store->operations->load(bench.store, machines, 2), STATUS_OK);
    assert_int_equal(bench.store->operations->take_lease(bench.store, &claim), STATUS_OK);
    close_store();
    redis_server_thaw(&server);
    store_bench_wait(&bench, 100);
    assert_int_equal(bench.saves, 0);
    assert_int_equal(bench.loads, 0);
    assert_int_equal(bench.downs, 0);
}

static void closing_at_any_moment_of_an_attempt_is_clean(void **state)
{
    (void)state;
    for (int turns = 0; turns < 40; turns++) {
        bench.inside_call = false;
        open_store(turns % 2 == 0 ? server.tcp_url : "redis://localhost:1", NULL, NULL);
        for (int i = 0; i < turns / 2; i++) {
            (void)event_base_loop(bench.base, EVLOOP_NONBLOCK);
        }
        close_store();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_server, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C9_2_a_frozen_redis_delays_nothing_and_its_late_answers_find_their_saves),
        TEST(what_waits_for_a_frozen_redis_is_bounded),
        TEST(C9_2_what_was_under_way_when_redis_dies_is_lost_and_it_comes_back),
        TEST(C9_2_answers_that_trickle_hold_up_nothing),
        TEST(a_wrong_password_is_said_once_and_the_right_one_is_let_in_later),
        TEST(a_missing_password_is_said),
        TEST(the_database_of_the_url_is_used),
        TEST(a_redis_that_still_loads_is_not_up),
        TEST(what_is_no_redis_is_not_up),
        TEST(an_answer_that_is_too_large_ends_the_connection),
        TEST(a_redis_that_is_frozen_at_the_start_is_waited_for),
        TEST(a_name_server_that_is_silent_never_stops_the_loop),
        TEST(a_name_is_looked_up_at_each_attempt_and_all_its_addresses_are_tried),
        TEST(a_name_of_the_hosts_file_is_found),
        TEST(the_kernel_is_told_to_notice_a_peer_that_vanished),
        TEST(closing_with_commands_under_way_calls_nothing_back),
        TEST(closing_at_any_moment_of_an_attempt_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
