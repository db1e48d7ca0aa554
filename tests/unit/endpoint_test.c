/* Hosts with their ports, and lists of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/support/endpoint.h"

#define MAX 3

static enum status read_list(const char *list, struct text *ret_list)
{
    struct endpoint endpoints[MAX];
    size_t count = 0;
    enum status status = endpoint_list(list, 26379, MAX, endpoints, &count);

    for (size_t i = 0; i < count; i++) {
        text_add(ret_list, i == 0 ? "" : " ");
        endpoint_add(ret_list, &endpoints[i]);
    }
    return status;
}

static void a_list_stands_between_commas_with_the_usual_port_where_none_is(void **state)
{
    static const char *const good[][2] = {
        {"redis-a", "redis-a:26379"},
        {"10.0.0.1:1", "10.0.0.1:1"},
        {" a:65535,b ,\tc.example:7 ", "a:65535 b:26379 c.example:7"},
        {"[::1], [fe80::1]:26380", "[::1]:26379 [fe80::1]:26380"},
        {"a:1,a:2", "a:1 a:2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        TEXT_LOCAL(list, 256);
        assert_int_equal(read_list(good[i][0], &list), STATUS_OK);
        assert_string_equal(list.data, good[i][1]);
    }
}

static void what_is_no_list_is_refused(void **state)
{
    static const char *const bad[] = {
        "",         ",",         "a,",
        ",a",       "a,,b",      "a b",
        "a:",       "a:0",       "a:65536",
        "a:123456", "a:1x",      "a:-1",
        ":1",       "a/b",       "::1",
        "[::1",     "[::g]",     "[a]:1",
        "[::1]x",   "[]",        "redis://a:1",
        "a:1/0",    "a:1:2",     "u@a",
        "a,A",      "a,a:26379", "[::1],[::1]:26379",
        "a\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        TEXT_LOCAL(list, 256);
        if (read_list(bad[i], &list) != STATUS_INVALID) {
            fail_msg("\"%s\" was read as %s", bad[i], list.data);
        }
    }
}

static void a_list_and_its_hosts_have_limits(void **state)
{
    char host[ENDPOINT_HOST_SIZE + 1];
    struct endpoint endpoint = {.host = "untouched", .port = 7};
    TEXT_LOCAL(list, 256);

    (void)state;
    assert_int_equal(read_list("a,b,c", &list), STATUS_OK);
    assert_int_equal(read_list("a,b,c,d", &list), STATUS_TOO_LONG);
    memset(host, 'h', sizeof host);
    host[ENDPOINT_HOST_SIZE] = '\0';
    assert_false(endpoint_set(host, "1", &endpoint));
    assert_string_equal(endpoint.host, "untouched");
    host[ENDPOINT_HOST_SIZE - 1] = '\0';
    assert_true(endpoint_set(host, "1", &endpoint));
}

static void case_makes_no_other_host(void **state)
{
    struct endpoint a = {.host = "Redis-A", .port = 1};
    struct endpoint b = {.host = "redis-a", .port = 1};

    (void)state;
    assert_true(endpoint_equals(&a, &b));
    b.port = 2;
    assert_false(endpoint_equals(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_stands_between_commas_with_the_usual_port_where_none_is),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(a_list_and_its_hosts_have_limits),
        cmocka_unit_test(case_makes_no_other_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
