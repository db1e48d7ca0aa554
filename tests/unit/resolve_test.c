/* Names looked up in the loop: addresses of both kinds, none, too many, no answer, and look-ups
 * that nobody wants any more. */
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
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "persistence/resolve.h"
#include "tests/lib/passing_clock.h"

#define TURNS_MAX 3000
#define TURN_US 1000
#define AFTERMATH_MS 150

static struct {
    struct event_base *base;
    struct evdns_server_port *server;
    char nameserver[64];
    int ipv4; /* how many addresses it tells of that kind; below 0: it does not answer */
    int ipv6;
    unsigned asked;
    unsigned done;
    struct addresses addresses;
    char reason[512];
} bench;

static void answer(struct evdns_server_request *request, void *unused)
{
    const struct evdns_server_question *question = request->questions[0];

    (void)unused;
    bench.asked++;
    if (bench.ipv4 < 0) {
        (void)evdns_server_request_drop(request);
        return;
    }
    for (int i = 0; question->type == EVDNS_TYPE_A && i < bench.ipv4; i++) {
        const struct in_addr address = {.s_addr = htonl(0x0a000001U + (uint32_t)i)};
        (void)evdns_server_request_add_a_reply(request, question->name, 1, &address, 60);
    }
    for (int i = 0; question->type == EVDNS_TYPE_AAAA && i < bench.ipv6; i++) {
        struct in6_addr address = in6addr_loopback;
        address.s6_addr[0] = (uint8_t)i;
        (void)evdns_server_request_add_aaaa_reply(request, question->name, 1, &address, 60);
    }
    (void)evdns_server_request_respond(request, bench.ipv4 + bench.ipv6 > 0 ? 0 : DNS_ERR_NOTEXIST);
}

static int setup(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)state;
    memset(&bench, 0, sizeof bench);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(
        bench.nameserver, sizeof bench.nameserver, "127.0.0.1:%d", ntohs(address.sin_port));
    bench.base = event_base_new();
    bench.server = evdns_add_server_port_with_base(bench.base, fd, 0, answer, NULL);
    return bench.server == NULL;
}

static void turn(int count)
{
    for (int i = 0; i < count; i++) {
        (void)event_base_loop(bench.base, EVLOOP_NONBLOCK);
        usleep(TURN_US);
    }
}

static int teardown(void **state)
{
    (void)state;
    passing_clock_pass(AFTERMATH_MS);
    turn(3); /* what has ended goes */
    evdns_close_server_port(bench.server);
    event_base_free(bench.base);
    return 0;
}

static void on_done(void *context, const struct addresses *addresses, const char *reason)
{
    assert_ptr_equal(context, &bench);
    bench.done++;
    assert_true((addresses == NULL) == (reason != NULL));
    if (addresses != NULL) {
        bench.addresses = *addresses;
    } else {
        (void)snprintf(bench.reason, sizeof bench.reason, "%s", reason);
    }
}

static struct resolve *look_up(const char *name)
{
    struct resolve *resolve = NULL;

    assert_int_equal(
        resolve_start(bench.base, name, bench.nameserver, on_done, &bench, &resolve), STATUS_OK);
    assert_int_equal(bench.done, 0); /* never from inside the call */
    return resolve;
}

static void run_until(const unsigned *counter, unsigned target)
{
    for (int i = 0; *counter < target; i++) {
        assert_true(i < TURNS_MAX);
        turn(1);
    }
}

static void a_name_has_addresses_of_both_kinds(void **state)
{
    (void)state;
    bench.ipv4 = 1;
    bench.ipv6 = 1;
    look_up("redis.test");
    run_until(&bench.done, 1);
    assert_int_equal(bench.addresses.count, 2);
    assert_true(
        strcmp(bench.addresses.text[0], "10.0.0.1") == 0 ||
        strcmp(bench.addresses.text[1], "10.0.0.1") == 0);
    assert_true(
        strcmp(bench.addresses.text[0], "::1") == 0 || strcmp(bench.addresses.text[1], "::1") == 0);
}

static void a_name_may_have_addresses_of_IPv6_alone(void **state)
{
    (void)state;
    bench.ipv6 = 2;
    look_up("redis.test");
    run_until(&bench.done, 1);
    assert_int_equal(bench.addresses.count, 2);
    assert_string_equal(bench.addresses.text[0], "::1");
    assert_string_equal(bench.addresses.text[1], "100::1");
}

static void of_many_addresses_the_first_are_taken(void **state)
{
    (void)state;
    bench.ipv4 = RESOLVE_ADDRESSES_MAX + 1;
    look_up("redis.test");
    run_until(&bench.done, 1);
    assert_int_equal(bench.addresses.count, RESOLVE_ADDRESSES_MAX);
    assert_string_equal(bench.addresses.text[RESOLVE_ADDRESSES_MAX - 1], "10.0.0.8");
}

static void a_name_that_is_not_known_has_none_and_it_is_said(void **state)
{
    (void)state;
    look_up("redis.test");
    run_until(&bench.done, 1);
    assert_non_null(strstr(bench.reason, "redis.test has no address: "));
}

static void a_name_server_that_is_silent_is_waited_for_5_s(void **state)
{
    (void)state;
    bench.ipv4 = -1;
    look_up("redis.test");
    run_until(&bench.asked, 1);
    passing_clock_pass(RESOLVE_TIMEOUT_S * 1000 - 100);
    turn(5);
    if (bench.done == 0) { /* else libevent's own time was over first */
        passing_clock_pass(200);
    }
    run_until(&bench.done, 1);
    assert_non_null(strstr(bench.reason, "redis.test"));
}

static void the_hosts_file_is_asked_first(void **state)
{
    (void)state;
    look_up("localhost");
    run_until(&bench.done, 1);
    assert_true(bench.addresses.count > 0);
    assert_int_equal(bench.asked, 0);
}

static void a_look_up_may_be_cancelled_at_any_moment(void **state)
{
    (void)state;
    resolve_cancel(NULL);
    resolve_cancel(look_up("redis.test")); /* it has not asked anybody yet */
    turn(3);
    assert_int_equal(bench.asked, 0);
    bench.ipv4 = -1;
    struct resolve *resolve = look_up("redis.test");
    run_until(&bench.asked, 1);
    resolve_cancel(resolve);
    turn(3);
    assert_int_equal(bench.done, 0);
}

static void whoever_ends_while_it_is_asked_frees_it_with_the_next_turns(void **state)
{
    (void)state;
    bench.ipv4 = -1;
    struct resolve *resolve = look_up("redis.test");
    run_until(&bench.asked, 1);
    resolve_cancel(resolve);
    passing_clock_pass(RESOLVE_TIMEOUT_S * 1000 + 1000);
    turn(3);
    assert_int_equal(bench.done, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_has_addresses_of_both_kinds),
        TEST(a_name_may_have_addresses_of_IPv6_alone),
        TEST(of_many_addresses_the_first_are_taken),
        TEST(a_name_that_is_not_known_has_none_and_it_is_said),
        TEST(a_name_server_that_is_silent_is_waited_for_5_s),
        TEST(the_hosts_file_is_asked_first),
        TEST(a_look_up_may_be_cancelled_at_any_moment),
        TEST(whoever_ends_while_it_is_asked_frees_it_with_the_next_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
