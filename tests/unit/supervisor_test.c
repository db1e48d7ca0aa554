/* What the service manager hears, and that nobody waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controller/support/supervisor.h"
#include "tests/lib/scratch.h"

#define NAME "notify"
#define LIMIT_US "10000000"
#define THIRD_MS 3333

static int manager = -1;

/* "@name" is an abstract address. */
static void listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);

    memcpy(address.sun_path, name, length);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager >= 0);
    assert_int_equal(
        bind(
            manager, (const struct sockaddr *)&address,
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
        0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static int with_manager(void **state)
{
    if (scratch_enter(state) != 0) {
        return -1;
    }
    listen_at(NAME);
    return setenv("WATCHDOG_USEC", LIMIT_US, 1);
}

static int without_manager(void **state)
{
    close(manager);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return scratch_leave(state);
}

static void hears(const char *expected)
{
    char heard[64] = "";

    assert_true(recv(manager, heard, sizeof heard - 1, 0) > 0);
    assert_string_equal(heard, expected);
}

static void hears_nothing(void)
{
    char heard[64];

    assert_int_equal(recv(manager, heard, sizeof heard, 0), -1);
    assert_int_equal(errno, EAGAIN);
}

static struct mono_time at(int64_t ms)
{
    return (struct mono_time){ms};
}

static void a_sign_of_life_comes_each_third_of_the_limit(void **state)
{
    struct supervisor supervisor = supervisor_open();

    (void)state;
    assert_int_equal(supervisor_tick(&supervisor, at(1000)).ms, 1000 + THIRD_MS);
    hears("WATCHDOG=1");
    assert_int_equal(supervisor_tick(&supervisor, at(1000 + THIRD_MS - 1)).ms, 1000 + THIRD_MS);
    hears_nothing();
    assert_int_equal(supervisor_tick(&supervisor, at(1000 + THIRD_MS)).ms, 1000 + 2 * THIRD_MS);
    hears("WATCHDOG=1");
}

/* The limit counts from the moment at which the manager hears of readiness. */
static void a_sign_of_life_follows_readiness_at_once(void **state)
{
    struct supervisor supervisor = supervisor_open();

    (void)state;
    (void)supervisor_tick(&supervisor, at(1000));
    hears("WATCHDOG=1");
    supervisor_ready(&supervisor, at(1001));
    hears("READY=1");
    assert_int_equal(supervisor_tick(&supervisor, at(1001)).ms, 1001 + THIRD_MS);
    hears("WATCHDOG=1");
}

static void stopping_is_said(void **state)
{
    struct supervisor supervisor = supervisor_open();

    (void)state;
    supervisor_stopping(&supervisor);
    hears("STOPPING=1");
}

static void a_watchdog_that_waits_for_another_process_is_not_ours(void **state)
{
    struct supervisor supervisor;
    char own[32];

    (void)state;
    snprintf(own, sizeof own, "%d", getpid());
    setenv("WATCHDOG_PID", own, 1);
    supervisor = supervisor_open();
    assert_int_equal(supervisor_tick(&supervisor, at(1)).ms, 1 + THIRD_MS);
    hears("WATCHDOG=1");
    setenv("WATCHDOG_PID", "1", 1);
    supervisor = supervisor_open();
    assert_int_equal(supervisor_tick(&supervisor, at(1)).ms, 0);
    hears_nothing();
}

static void a_limit_that_is_no_number_is_none(void **state)
{
    static const char *const limits[] = {"", "0", "-1", "10s", "99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct supervisor supervisor;
        setenv("WATCHDOG_USEC", limits[i], 1);
        supervisor = supervisor_open();
        assert_int_equal(supervisor_tick(&supervisor, at(1)).ms, 0);
    }
    hears_nothing();
}

static void a_manager_at_an_abstract_address_is_reached(void **state)
{
    struct supervisor supervisor;
    char name[64];

    (void)state;
    close(manager);
    snprintf(name, sizeof name, "@tagout-test-%d", getpid());
    listen_at(name);
    supervisor = supervisor_open();
    supervisor_ready(&supervisor, at(1));
    hears("READY=1");
}

static void a_manager_that_does_not_read_is_not_waited_for(void **state)
{
    struct supervisor supervisor = supervisor_open();
    int64_t now_ms = 1;

    (void)state;
    /* Until its queue is full: then the next try is sooner than a third of the limit. */
    for (int i = 0; i < 100000; i++) {
        int64_t next_ms = supervisor_tick(&supervisor, at(now_ms)).ms;
        if (next_ms == now_ms + 1000) {
            break;
        }
        now_ms = next_ms;
    }
    supervisor_ready(&supervisor, at(now_ms));
    (void)supervisor_tick(&supervisor, at(now_ms));
    while (recv(manager, (char[64]){0}, 64, 0) > 0) {
    }
    /* Readiness was not forgotten. */
    (void)supervisor_tick(&supervisor, at(now_ms + 999));
    hears_nothing();
    (void)supervisor_tick(&supervisor, at(now_ms + 1000));
    hears("READY=1");
    hears("WATCHDOG=1");
    hears_nothing();
}

static void without_a_manager_nothing_is_said(void **state)
{
    struct supervisor supervisor;

    (void)state;
    unsetenv("WATCHDOG_USEC");
    unsetenv("NOTIFY_SOCKET");
    supervisor = supervisor_open();
    supervisor_ready(&supervisor, at(1));
    assert_int_equal(supervisor_tick(&supervisor, at(1)).ms, 0);
    /* One that is gone is not tried for ever, either. */
    setenv("NOTIFY_SOCKET", "nowhere", 1);
    supervisor = supervisor_open();
    supervisor_ready(&supervisor, at(1));
    assert_int_equal(supervisor_tick(&supervisor, at(1)).ms, 0);
    hears_nothing();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_manager, without_manager)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sign_of_life_comes_each_third_of_the_limit),
        TEST(a_sign_of_life_follows_readiness_at_once),
        TEST(stopping_is_said),
        TEST(a_watchdog_that_waits_for_another_process_is_not_ours),
        TEST(a_limit_that_is_no_number_is_none),
        TEST(a_manager_at_an_abstract_address_is_reached),
        TEST(a_manager_that_does_not_read_is_not_waited_for),
        TEST(without_a_manager_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
