/* Sentinels that name a master, another one, none, or do not answer; on a clock that the test
 * lets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "persistence/redis_sentinel.h"
#include "persistence/redis_votes.h"
#include "tests/lib/fake_sentinel.h"
#include "tests/lib/passing_clock.h"

#define COUNT 3
#define TRIES_MAX 4000
#define TRY_US 1000

static struct {
    struct event_base *base;
    struct redis_sentinel *sentinel;
    struct fake_sentinel fakes[COUNT];
    char list[128];
    unsigned moves;
    char moved[512];
    unsigned troubles;
    char trouble[512];
} bench;

/* Who is told goes there. */
static void on_moved(void *context, const char *reason)
{
    struct endpoint found;
    TEXT_LOCAL(why, 512);

    assert_ptr_equal(context, &bench);
    bench.moves++;
    text_copy(bench.moved, sizeof bench.moved, reason);
    assert_true(redis_sentinel_master(bench.sentinel, &found, &why));
}

static void on_trouble(void *context, const char *reason)
{
    assert_ptr_equal(context, &bench);
    bench.troubles++;
    text_copy(bench.trouble, sizeof bench.trouble, reason);
}

static enum status open_with(const char *sentinels, const char *password, struct text *why)
{
    const struct redis_sentinel_options options = {
        .base = bench.base,
        .sentinels = sentinels,
        .master = "shop",
        .password = password,
        .nameserver = "",
        .context = &bench,
        .on_moved = on_moved,
        .on_trouble = on_trouble,
    };

    return redis_sentinel_new(&options, &bench.sentinel, why);
}

static void open_all(size_t count, const char *password)
{
    TEXT_LOCAL(why, 256);

    fake_sentinel_list(bench.fakes, count, bench.list, sizeof bench.list);
    assert_int_equal(open_with(bench.list, password, &why), STATUS_OK);
}

static int setup(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    bench.base = event_base_new();
    for (size_t i = 0; i < COUNT; i++) {
        fake_sentinel_start(&bench.fakes[i]);
        fake_sentinel_name(&bench.fakes[i], "10.0.0.1", "6379");
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    redis_sentinel_free(bench.sentinel);
    for (size_t i = 0; i < COUNT; i++) {
        fake_sentinel_stop(&bench.fakes[i]);
    }
    event_base_free(bench.base);
    return 0;
}

static void turn(void)
{
    (void)event_base_loop(bench.base, EVLOOP_NONBLOCK);
    for (size_t i = 0; i < COUNT; i++) {
        fake_sentinel_turn(&bench.fakes[i]);
    }
    usleep(TRY_US);
}

static void run_until(const unsigned *counter, unsigned target)
{
    for (int i = 0; *counter < target; i++) {
        assert_true(i < TRIES_MAX);
        turn();
    }
}

/* Lets time pass, a question's period at a time, and everybody answer. */
static void pass(int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += SENTINEL_ASK_MS) {
        passing_clock_pass(SENTINEL_ASK_MS);
        for (int i = 0; i < 5; i++) {
            turn();
        }
    }
}

/* "host:port" of where to try next, or why there is none. */
static const char *master(void)
{
    static char buffer[512];
    struct text place = text_over(buffer, sizeof buffer);
    struct endpoint found;
    TEXT_LOCAL(why, 512);

    if (redis_sentinel_master(bench.sentinel, &found, &why)) {
        endpoint_add(&place, &found);
    } else {
        text_addf(&place, "none: %s", why.data);
    }
    return buffer;
}

static void whom_one_of_them_names_is_the_master(void **state)
{
    (void)state;
    open_all(COUNT, "");
    assert_string_equal(master(), "none: ");
    run_until(&bench.moves, 1);
    assert_string_equal(bench.moved, "the master is now 10.0.0.1:6379");
    assert_string_equal(master(), "10.0.0.1:6379");
    pass(3000);
    assert_int_equal(bench.moves, 1);
    assert_int_equal(bench.troubles, 0);
}

static void only_more_than_half_of_all_move_a_master_that_is_known(void **state)
{
    (void)state;
    open_all(COUNT, "");
    run_until(&bench.fakes[2].asked, 1);
    run_until(&bench.moves, 1);
    assert_string_equal(master(), "10.0.0.1:6379");
    fake_sentinel_name(&bench.fakes[0], "redis-b", "6380");
    pass(2000);
    assert_int_equal(bench.moves, 1);
    fake_sentinel_name(&bench.fakes[1], "redis-b", "6380");
    pass(2000);
    assert_int_equal(bench.moves, 2);
    assert_string_equal(bench.moved, "the master is now redis-b:6380");
    assert_string_equal(master(), "redis-b:6380");
}

static void they_are_asked_once_a_second(void **state)
{
    (void)state;
    open_all(1, "");
    run_until(&bench.fakes[0].asked, 1);
    assert_non_null(strstr(bench.fakes[0].heard, "get-master-addr-by-name\r\n$4\r\nshop\r\n"));
    pass(3000);
    assert_in_range(bench.fakes[0].asked, 3, 5);
    assert_int_equal(bench.fakes[1].asked, 0);
}

static void one_that_knows_no_such_master_says_so_once(void **state)
{
    (void)state;
    fake_sentinel_name(&bench.fakes[0], NULL, NULL);
    open_all(1, "");
    run_until(&bench.troubles, 1);
    assert_non_null(strstr(bench.trouble, "Sentinel 127.0.0.1:"));
    assert_non_null(strstr(bench.trouble, ": it knows no master \"shop\""));
    pass(3000);
    assert_int_equal(bench.troubles, 1);
    assert_int_equal(bench.moves, 0);
    assert_non_null(strstr(master(), "it knows no master \"shop\""));
}

static void each_lacks_what_it_lacks(void **state)
{
    (void)state;
    fake_sentinel_name(&bench.fakes[0], NULL, NULL);
    text_copy(bench.fakes[1].answer, sizeof bench.fakes[1].answer, "-ERR in a bad mood\r\n");
    open_all(2, "");
    run_until(&bench.troubles, 2);
    assert_non_null(strstr(master(), "it knows no master \"shop\"; Sentinel 127.0.0.1:"));
    assert_non_null(strstr(master(), ": ERR in a bad mood"));
}

static void an_answer_that_names_no_place_names_none(void **state)
{
    static const char *const answers[] = {
        "*1\r\n$8\r\n10.0.0.1\r\n",
        "*3\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n1\r\n",
        "*2\r\n:1\r\n$4\r\n6379\r\n",
        "*2\r\n$8\r\n10.0.0.1\r\n:6379\r\n",
        "*2\r\n$8\r\n10.0.0.1\r\n$5\r\n65536\r\n",
        "*2\r\n$8\r\n10.0.0.1\r\n$1\r\n0\r\n",
        "*2\r\n$4\r\na b!\r\n$4\r\n6379\r\n",
        "*2\r\n$0\r\n\r\n$4\r\n6379\r\n",
        "$8\r\n10.0.0.1\r\n",
        ":6379\r\n",
    };

    (void)state;
    open_all(1, "");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        unsigned asked = bench.fakes[0].asked;
        text_copy(bench.fakes[0].answer, sizeof bench.fakes[0].answer, answers[i]);
        passing_clock_pass(SENTINEL_ASK_MS);
        run_until(&bench.fakes[0].asked, asked + 1);
        pass(SENTINEL_ASK_MS);
        assert_non_null(strstr(master(), "it knows no master"));
    }
    assert_int_equal(bench.moves, 0);
}

static void what_they_named_last_stays_while_none_answers(void **state)
{
    (void)state;
    open_all(2, "");
    run_until(&bench.moves, 1);
    assert_string_equal(master(), "10.0.0.1:6379");
    fake_sentinel_stop(&bench.fakes[0]);
    fake_sentinel_stop(&bench.fakes[1]);
    run_until(&bench.troubles, 2);
    pass(2 * SENTINEL_FRESH_MS);
    assert_string_equal(master(), "10.0.0.1:6379");
    fake_sentinel_start(&bench.fakes[0]);
    fake_sentinel_name(&bench.fakes[0], "10.0.0.2", "6379");
    fake_sentinel_start(&bench.fakes[1]);
    fake_sentinel_name(&bench.fakes[1], "10.0.0.2", "6379");
    pass(20000);
    assert_string_equal(master(), "10.0.0.2:6379");
}

static void one_that_does_not_answer_is_in_trouble_after_three_questions(void **state)
{
    (void)state;
    bench.fakes[0].answer[0] = '\0';
    open_all(1, "");
    run_until(&bench.fakes[0].asked, 1);
    pass(SENTINEL_FRESH_MS - SENTINEL_ASK_MS);
    assert_int_equal(bench.troubles, 0);
    assert_string_equal(master(), "none: ");
    pass(2 * SENTINEL_ASK_MS);
    assert_int_equal(bench.troubles, 1);
    assert_non_null(strstr(bench.trouble, "it does not answer"));
    /* Nothing is asked behind the question that waits. */
    assert_int_equal(bench.fakes[0].asked, 1);
    pass(10000);
    assert_int_equal(bench.troubles, 1);
}

static void they_are_told_their_password(void **state)
{
    (void)state;
    open_all(1, "secret");
    run_until(&bench.moves, 1);
    assert_string_equal(master(), "10.0.0.1:6379");
}

static void one_that_lets_nobody_in_says_so(void **state)
{
    (void)state;
    text_copy(
        bench.fakes[0].refusal, sizeof bench.fakes[0].refusal,
        "-ERR max number of clients reached\r\n");
    open_all(1, "secret");
    run_until(&bench.troubles, 1);
    assert_non_null(strstr(bench.trouble, "max number of clients reached"));
    assert_non_null(strstr(master(), "max number of clients reached"));
}

static void one_that_is_not_there_is_tried_for_ever(void **state)
{
    (void)state;
    fake_sentinel_stop(&bench.fakes[0]);
    open_all(1, "");
    run_until(&bench.troubles, 1);
    pass(10000);
    assert_int_equal(bench.troubles, 1);
    fake_sentinel_start(&bench.fakes[0]);
    pass(6000);
    run_until(&bench.moves, 1);
    /* What was wrong is forgotten, and said again when it comes back. */
    fake_sentinel_stop(&bench.fakes[0]);
    run_until(&bench.troubles, 2);
}

static void lists_of_sentinels_are_host_and_port(void **state)
{
    static const char *const bad[] = {"", "127.0.0.1:x", "a b", "a,,b", "a:1, a:1"};
    TEXT_LOCAL(why, 256);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        text_clear(&why);
        assert_int_not_equal(open_with(bad[i], "", &why), STATUS_OK);
        assert_string_equal(why.data, "the Sentinels of Redis are not a list of host:port");
        assert_null(bench.sentinel);
    }
}

static void it_can_end_with_a_question_under_way(void **state)
{
    (void)state;
    bench.fakes[0].answer[0] = '\0';
    open_all(COUNT, "");
    run_until(&bench.fakes[0].asked, 1);
    redis_sentinel_free(bench.sentinel);
    bench.sentinel = NULL;
    redis_sentinel_free(NULL);
    assert_int_equal(bench.troubles, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whom_one_of_them_names_is_the_master),
        TEST(only_more_than_half_of_all_move_a_master_that_is_known),
        TEST(they_are_asked_once_a_second),
        TEST(one_that_knows_no_such_master_says_so_once),
        TEST(each_lacks_what_it_lacks),
        TEST(an_answer_that_names_no_place_names_none),
        TEST(what_they_named_last_stays_while_none_answers),
        TEST(one_that_does_not_answer_is_in_trouble_after_three_questions),
        TEST(they_are_told_their_password),
        TEST(one_that_lets_nobody_in_says_so),
        TEST(one_that_is_not_there_is_tried_for_ever),
        TEST(lists_of_sentinels_are_host_and_port),
        TEST(it_can_end_with_a_question_under_way),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* store.h */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
