/* The HTTP server: what it takes for a request, and that nobody gets more of it than his share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/http.h"

#define PIECES 1000

static struct {
    struct event_base *base;
    struct http *http;
    unsigned pieces; /* that were written */
} bench;

/* A page of PIECES pieces of about 20 kB, every other one empty. */
static bool write_long(void *context, struct http_reply *reply)
{
    (void)context;
    bench.pieces++;
    if (reply->position[0]++ % 2 == 0) {
        for (int i = 0; i < 1000; i++) {
            text_add(reply->out, "a line of 20 bytes.\n");
        }
    }
    return reply->position[0] < PIECES;
}

static bool write_short(void *context, struct http_reply *reply)
{
    (void)context;
    reply->status = 503;
    text_add(reply->out, "no\n");
    return false;
}

static enum status open_on(const char *listen)
{
    static const struct http_page pages[] = {
        {"/long", write_long, NULL},
        {"/short", write_short, NULL},
    };
    const struct http_options options = {
        .base = bench.base,
        .listen = listen,
        .key = "[http] listen",
        .pages = pages,
        .page_count = 2,
    };

    return http_new(&options, &bench.http);
}

/* Serves on a free port, and returns it. */
static uint16_t serve(void)
{
    assert_int_equal(open_on("127.0.0.1:0"), STATUS_OK);
    assert_int_not_equal(http_port(bench.http), 0);
    return http_port(bench.http);
}

static int setup(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    bench.base = event_base_new();
    return bench.base == NULL;
}

static int teardown(void **state)
{
    (void)state;
    http_free(bench.http);
    event_base_free(bench.base);
    return 0;
}

static int connect_to(uint16_t port, int receive_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (receive_bytes > 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Turns the loop until nothing is to be done any more. */
static void turn(void)
{
    event_base_loop(bench.base, EVLOOP_NONBLOCK);
}

static ssize_t hear(int fd, char *bytes, size_t size)
{
    return recv(fd, bytes, size, MSG_DONTWAIT);
}

/* Turns and reads until the other side ends; how much came. Keeps the beginning in `first`. */
static size_t hear_all(int fd, char *first, size_t size)
{
    static char bytes[1 << 16];
    size_t length = 0;
    size_t kept = 0;

    for (;;) {
        ssize_t got = hear(fd, bytes, sizeof bytes);
        if (got == 0) {
            break;
        }
        if (got < 0) {
            event_base_loop(bench.base, EVLOOP_ONCE);
            continue;
        }
        if (kept == 0) {
            kept = (size_t)got < size ? (size_t)got : size - 1;
            memcpy(first, bytes, kept);
            first[kept] = '\0';
        }
        length += (size_t)got;
    }
    return length;
}

static void an_address_is_numeric_of_either_kind_and_its_port_may_be_any(void **state)
{
    static const char *const bad[] = {"",          "127.0.0.1",      ":9464",
                                      "[]:9464",   "localhost:9464", "127.0.0.1:http",
                                      "[::1:9464", "127.0.0.1:70000"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(open_on(bad[i]), STATUS_INVALID);
    }
    assert_int_equal(open_on("[::1]:0"), STATUS_OK);
    assert_int_not_equal(http_port(bench.http), 0);
}

static void an_address_that_is_taken_is_no_error(void **state)
{
    struct http *first;
    char listen[32];

    (void)state;
    (void)snprintf(listen, sizeof listen, "127.0.0.1:%u", serve());
    first = bench.http;
    assert_int_equal(open_on(listen), STATUS_OK);
    assert_int_equal(http_port(bench.http), 0);
    http_free(first);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    *(bool *)context = true;
}

static void without_a_descriptor_for_one_more_the_loop_does_not_turn_in_vain(void **state)
{
    static const struct timeval wait = {.tv_usec = 20000};
    int fd = connect_to(serve(), 0);
    int next = dup(fd);
    struct rlimit limit;
    struct rlimit all;
    bool is_over = false;

    (void)state;
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    limit = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    event_base_loop(bench.base, EVLOOP_ONCE); /* it could not be taken */
    assert_int_equal(event_base_once(bench.base, -1, EV_TIMEOUT, on_timer, &is_over, &wait), 0);
    event_base_loop(bench.base, EVLOOP_ONCE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_true(is_over);
    close(fd);
}

static void a_long_page_comes_whole_and_in_chunks(void **state)
{
    int fd = connect_to(serve(), 0);
    char first[512];

    (void)state;
    say(fd, "GET /long HTTP/1.1\r\n\r\n");
    assert_true(hear_all(fd, first, sizeof first) > (size_t)PIECES / 2 * 20000);
    assert_non_null(strstr(first, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(first, "Transfer-Encoding: chunked\r\n"));
    assert_non_null(strstr(first, "\r\n\r\n4e20\r\na line"));
    assert_int_equal(bench.pieces, PIECES);
    close(fd);
}

static void without_chunks_it_ends_with_the_connection_and_at_once(void **state)
{
    int fd = connect_to(serve(), 0);
    int64_t began_us = clock_us();
    char first[512];

    (void)state;
    say(fd, "GET /long HTTP/1.0\r\n\r\n");
    assert_true(hear_all(fd, first, sizeof first) > (size_t)PIECES / 2 * 20000);
    assert_null(strstr(first, "chunked"));
    assert_non_null(strstr(first, "\r\n\r\na line"));
    assert_true(clock_us() - began_us < HTTP_REPLY_MS / 2 * (int64_t)1000);
    close(fd);
}

static void a_short_page_says_its_length_and_its_status(void **state)
{
    int fd = connect_to(serve(), 0);
    char first[512];

    (void)state;
    say(fd, "GET /short HTTP/1.1\r\n\r\n");
    hear_all(fd, first, sizeof first);
    assert_non_null(strstr(first, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_non_null(strstr(first, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    assert_non_null(strstr(first, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(first, "\r\nContent-Length: 3\r\n"));
    assert_string_equal(strstr(first, "\r\n\r\n"), "\r\n\r\nno\n");
    close(fd);
}

static void of_a_page_that_nobody_reads_only_what_the_kernel_takes_is_written(void **state)
{
    int fd = connect_to(serve(), 4096);

    (void)state;
    say(fd, "GET /long HTTP/1.1\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        turn();
    }
    assert_in_range(bench.pieces, 1, PIECES * 9 / 10);
    close(fd);
}

static void a_turn_of_the_loop_writes_one_piece_at_most(void **state)
{
    int fd = connect_to(serve(), 0);
    unsigned before = 0;

    (void)state;
    say(fd, "GET /long HTTP/1.1\r\n\r\n");
    for (int i = 0; i < 50; i++) {
        event_base_loop(bench.base, EVLOOP_ONCE | EVLOOP_NONBLOCK); /* as the daemons turn it */
        assert_in_range(bench.pieces - before, 0, 1);
        before = bench.pieces;
    }
    assert_true(bench.pieces > 2);
    close(fd);
}

static void the_oldest_that_has_asked_for_nothing_makes_room(void **state)
{
    uint16_t port = serve();
    int fds[HTTP_CONNECTIONS_MAX + 1];
    char byte;

    (void)state;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        fds[i] = connect_to(port, i == 0 ? 4096 : 0);
        turn();
    }
    say(fds[0], "GET /long HTTP/1.1\r\n\r\n");
    turn();
    fds[HTTP_CONNECTIONS_MAX] = connect_to(port, 0);
    turn();
    assert_int_equal(hear(fds[1], &byte, 1), 0);
    for (size_t i = 2; i <= HTTP_CONNECTIONS_MAX; i++) {
        assert_int_equal(hear(fds[i], &byte, 1), -1);
    }
    assert_int_equal(hear(fds[0], &byte, 1), 1);
    for (size_t i = 0; i <= HTTP_CONNECTIONS_MAX; i++) {
        close(fds[i]);
    }
}

static void while_all_are_being_answered_the_next_waits_until_one_of_them_ends(void **state)
{
    uint16_t port = serve();
    int fds[HTTP_CONNECTIONS_MAX + 1];
    char first[512];
    char byte;

    (void)state;
    for (size_t i = 0; i <= HTTP_CONNECTIONS_MAX; i++) {
        fds[i] = connect_to(port, 4096);
        say(fds[i], i < HTTP_CONNECTIONS_MAX ? "GET /long HTTP/1.1\r\n\r\n"
                                             : "GET /short HTTP/1.1\r\n\r\n");
        turn();
    }
    turn();
    assert_int_equal(hear(fds[HTTP_CONNECTIONS_MAX], &byte, 1), -1);
    close(fds[0]);
    assert_true(hear_all(fds[HTTP_CONNECTIONS_MAX], first, sizeof first) > 0);
    assert_non_null(strstr(first, "HTTP/1.1 503 "));
    for (size_t i = 1; i <= HTTP_CONNECTIONS_MAX; i++) {
        close(fds[i]);
    }
}

static void who_has_ended_his_half_still_gets_a_long_page_whole(void **state)
{
    int fd = connect_to(serve(), 4096);
    char first[512];

    (void)state;
    say(fd, "GET /long HTTP/1.1\r\n\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(hear_all(fd, first, sizeof first) > (size_t)PIECES / 2 * 20000);
    close(fd);
}

static void who_asks_to_be_kept_is_told_that_he_is_not(void **state)
{
    int fd = connect_to(serve(), 0);
    char first[512];

    (void)state;
    say(fd, "GET /short HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear_all(fd, first, sizeof first);
    assert_non_null(strstr(first, "\r\nConnection: close\r\n"));
    assert_null(strstr(first, "keep-alive"));
    close(fd);
}

static void what_somebody_goes_on_to_say_is_not_collected_while_he_is_answered(void **state)
{
    static const char bytes[1 << 16];
    int fd = connect_to(serve(), 4096);
    int waiting = 0;

    (void)state;
    say(fd, "GET /long HTTP/1.1\r\n\r\n");
    turn();
    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
        turn();
    }
    assert_int_equal(ioctl(fd, TIOCOUTQ, &waiting), 0);
    assert_true(waiting > 0);
    close(fd);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        SERVED(an_address_is_numeric_of_either_kind_and_its_port_may_be_any),
        SERVED(an_address_that_is_taken_is_no_error),
        SERVED(without_a_descriptor_for_one_more_the_loop_does_not_turn_in_vain),
        SERVED(a_long_page_comes_whole_and_in_chunks),
        SERVED(without_chunks_it_ends_with_the_connection_and_at_once),
        SERVED(a_short_page_says_its_length_and_its_status),
        SERVED(of_a_page_that_nobody_reads_only_what_the_kernel_takes_is_written),
        SERVED(a_turn_of_the_loop_writes_one_piece_at_most),
        SERVED(the_oldest_that_has_asked_for_nothing_makes_room),
        SERVED(while_all_are_being_answered_the_next_waits_until_one_of_them_ends),
        SERVED(who_has_ended_his_half_still_gets_a_long_page_whole),
        SERVED(who_asks_to_be_kept_is_told_that_he_is_not),
        SERVED(what_somebody_goes_on_to_say_is_not_collected_while_he_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
