/* The store with Sentinels: it works with the master that they name, and leaves it when it is the
 * master no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/fake_sentinel.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/store_bench.h"

#define TRIES_MAX 2000

static struct redis_server servers[2];
static struct fake_sentinel sentinel;
static struct fake_sentinel impostor; /* that is no Redis at all */
static struct store_bench bench;
static unsigned masters;
static char master[300];

static int setup(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    memset(&sentinel, 0, sizeof sentinel);
    memset(&impostor, 0, sizeof impostor);
    masters = 0;
    redis_server_start(&servers[0], "");
    redis_server_start(&servers[1], "");
    fake_sentinel_start(&sentinel);
    fake_sentinel_start(&impostor);
    bench.base = event_base_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (bench.store != NULL) {
        bench.store->operations->close(bench.store);
    }
    store_bench_wait(&bench, 150);
    event_base_free(bench.base);
    fake_sentinel_stop(&sentinel);
    fake_sentinel_stop(&impostor);
    redis_server_stop(&servers[0]);
    redis_server_stop(&servers[1]);
    return 0;
}

static void on_master(void *context, const char *place)
{
    assert_ptr_equal(context, &bench);
    masters++;
    (void)snprintf(master, sizeof master, "%s", place);
}

static enum status open_with(struct redis_options *options, struct text *why)
{
    struct store_events events = store_bench_events(&bench);

    events.on_master = on_master;
    options->url = "redis://nowhere.invalid/0";
    options->prefix = "shop";
    options->base = bench.base;
    return redis_store_new(options, &events, &bench.store, why);
}

static void open_store(void)
{
    char list[64];
    struct redis_options options = {.sentinels = list, .master = "shop"};
    TEXT_LOCAL(why, 256);

    fake_sentinel_list(&sentinel, 1, list, sizeof list);
    assert_int_equal(open_with(&options, &why), STATUS_OK);
}

static void name(const struct redis_server *server)
{
    char port[16];

    (void)snprintf(port, sizeof port, "%d", server->port);
    fake_sentinel_name(&sentinel, "127.0.0.1", port);
}

static void run_until(const unsigned *counter, unsigned target)
{
    for (int i = 0; *counter < target; i++) {
        assert_true(i < TRIES_MAX);
        fake_sentinel_turn(&sentinel);
        fake_sentinel_turn(&impostor);
        store_bench_wait(&bench, 10);
    }
}

static void assert_master(const struct redis_server *server)
{
    char place[64];

    (void)snprintf(place, sizeof place, "127.0.0.1:%d", server->port);
    assert_string_equal(master, place);
}

static void save(uint32_t rev)
{
    struct record record = store_bench_record("saw", 1, rev);
    unsigned before = bench.saves;

    assert_int_equal(store_bench_save(&bench, &record, rev), STATUS_OK);
    run_until(&bench.saves, before + 1);
}

static void C10_1_the_store_is_where_the_sentinels_say(void **state)
{
    (void)state;
    name(&servers[0]);
    open_store();
    run_until(&bench.ups, 1);
    assert_int_equal(masters, 1);
    assert_master(&servers[0]);
    save(1);
    assert_int_equal(bench.results[0], STORE_SAVE_DONE);
    redis_server_command(&servers[0], "EXISTS shop:machine:saw", ":1");
    assert_int_equal(bench.downs, 0);
}

static void it_goes_where_they_say_next(void **state)
{
    (void)state;
    name(&servers[0]);
    open_store();
    run_until(&bench.ups, 1);
    name(&servers[1]);
    run_until(&bench.ups, 2);
    assert_non_null(strstr(bench.down_reason, "the master is now 127.0.0.1:"));
    assert_master(&servers[1]);
}

static void one_that_is_no_master_is_not_taken_at_their_word(void **state)
{
    (void)state;
    redis_server_command(&servers[0], "REPLICAOF 127.0.0.1 1", "+OK");
    name(&servers[0]);
    open_store();
    run_until(&bench.downs, 1);
    assert_string_equal(bench.down_reason, "ROLE: not master but slave");
    assert_int_equal(bench.ups, 0);
    redis_server_command(&servers[0], "REPLICAOF NO ONE", "+OK");
    run_until(&bench.ups, 1);
}

static void a_master_that_became_read_only_is_left_at_its_next_answer(void **state)
{
    (void)state;
    name(&servers[0]);
    open_store();
    run_until(&bench.ups, 1);
    redis_server_command(&servers[0], "REPLICAOF 127.0.0.1 1", "+OK");
    save(1);
    assert_int_equal(bench.results[0], STORE_SAVE_REFUSED);
    run_until(&bench.downs, 1);
    assert_string_equal(bench.down_reason, "it is read-only: the master no more");
    name(&servers[1]);
    run_until(&bench.ups, 2);
    assert_master(&servers[1]);
    save(2);
    assert_int_equal(bench.results[1], STORE_SAVE_DONE);
}

static void while_they_name_none_it_says_why_and_waits(void **state)
{
    (void)state;
    fake_sentinel_name(&sentinel, NULL, NULL);
    open_store();
    run_until(&bench.downs, 1);
    assert_non_null(strstr(bench.trouble, "it knows no master \"shop\""));
    name(&servers[0]);
    run_until(&bench.ups, 1);
    assert_int_equal(masters, 1);
}

static void a_name_that_has_no_address_is_left_for_the_next_place(void **state)
{
    (void)state;
    fake_sentinel_name(&sentinel, "nowhere.invalid", "6379");
    open_store();
    run_until(&sentinel.asked, 1);
    name(&servers[0]);
    run_until(&bench.ups, 1);
    assert_master(&servers[0]);
}

static void what_they_name_may_be_no_redis(void **state)
{
    char port[16];

    (void)state;
    (void)snprintf(port, sizeof port, "%d", impostor.port);
    fake_sentinel_name(&sentinel, "127.0.0.1", port);
    open_store();
    run_until(&bench.downs, 1);
    assert_string_equal(bench.down_reason, "ROLE: not master but an answer that makes no sense");
    name(&servers[0]);
    run_until(&bench.ups, 1);
}

static void a_master_that_hangs_is_left_when_they_name_another(void **state)
{
    (void)state;
    redis_server_freeze(&servers[0]);
    name(&servers[0]);
    open_store();
    run_until(&sentinel.asked, 2);
    assert_int_equal(bench.ups, 0);
    name(&servers[1]);
    run_until(&bench.ups, 1);
    assert_master(&servers[1]);
    redis_server_thaw(&servers[0]);
}

static void a_name_that_is_still_looked_up_is_left_when_they_name_another(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char nameserver[32];
    char list[64];
    struct redis_options options = {.sentinels = list, .master = "shop", .nameserver = nameserver};
    TEXT_LOCAL(why, 256);

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(silent, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(nameserver, sizeof nameserver, "127.0.0.1:%d", ntohs(address.sin_port));
    fake_sentinel_list(&sentinel, 1, list, sizeof list);
    fake_sentinel_name(&sentinel, "redis.test", "6379");
    assert_int_equal(open_with(&options, &why), STATUS_OK);
    run_until(&sentinel.asked, 2);
    name(&servers[0]);
    run_until(&bench.ups, 1);
    assert_master(&servers[0]);
    assert_int_equal(bench.downs, 0);
    close(silent);
}

static void names_and_passwords_have_limits(void **state)
{
    char longest[66];
    char password[2000];
    struct redis_options options = {.sentinels = "127.0.0.1:1"};
    TEXT_LOCAL(why, 256);

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[65] = '\0';
    memset(password, 'a', sizeof password);
    password[sizeof password - 1] = '\0';
    assert_int_equal(open_with(&options, &why), STATUS_TOO_LONG);
    options.master = longest;
    assert_int_equal(open_with(&options, &why), STATUS_TOO_LONG);
    options.master = "shop";
    options.sentinel_password = password;
    assert_int_equal(open_with(&options, &why), STATUS_TOO_LONG);
    options.sentinel_password = "secret";
    options.sentinels = "127.0.0.1:port";
    text_clear(&why);
    assert_int_equal(open_with(&options, &why), STATUS_INVALID);
    assert_string_equal(why.data, "the Sentinels of Redis are not a list of host:port");
    options.sentinels = "127.0.0.1:1";
    options.password = password;
    assert_int_equal(open_with(&options, &why), STATUS_TOO_LONG);
    options.password = "";
    options.username = password;
    assert_int_equal(open_with(&options, &why), STATUS_TOO_LONG);
    assert_null(bench.store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C10_1_the_store_is_where_the_sentinels_say),
        TEST(it_goes_where_they_say_next),
        TEST(one_that_is_no_master_is_not_taken_at_their_word),
        TEST(a_master_that_became_read_only_is_left_at_its_next_answer),
        TEST(while_they_name_none_it_says_why_and_waits),
        TEST(a_name_that_has_no_address_is_left_for_the_next_place),
        TEST(what_they_name_may_be_no_redis),
        TEST(a_master_that_hangs_is_left_when_they_name_another),
        TEST(a_name_that_is_still_looked_up_is_left_when_they_name_another),
        TEST(names_and_passwords_have_limits),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* store.h */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
