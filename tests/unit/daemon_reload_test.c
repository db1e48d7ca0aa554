/* C6 `reload`: its answer stays short, whatever the reload brings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "controller/support/mqtt_outbox.h"
#include "tests/lib/controller_bench.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define NAMED 1000 /* at most */
#define MARKUP 96

static struct controller_bench bench;
static struct json *answer;

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    TEXT_LOCAL(why, 256);

    (void)qos;
    (void)retain;
    if (strstr(topic, "/response/") != NULL) {
        assert_null(answer);
        assert_int_equal(json_parse(payload, length, &answer, &why), STATUS_OK);
        assert_true(length <= 2 * OUTBOX_LARGE_BYTES);
    }
    return STATUS_OK;
}

static int open_bench(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    answer = NULL;
    bench.fake.on_publish = on_publish;
    controller_bench_open(&bench, "{\"saw\": {\"authorizations_or\": []}}", "[]", NULL);
    controller_bench_start(&bench);
    controller_bench_lead(&bench);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    json_free(answer);
    return 0;
}

/* So many machines, with names as long as most, that are on as soon as they report. */
static void reload_with(size_t count)
{
    char *json = malloc((count + 1) * MARKUP);
    struct text out = text_over(json, (count + 1) * MARKUP);

    text_add(&out, "{\"saw\": {\"authorizations_or\": []}");
    for (size_t i = 0; i < count; i++) {
        text_addf(
            &out,
            ", \"dust-collector-of-the-woodshop-%zu\": {\"authorizations_or\": [],"
            " \"always_enabled\": true}",
            i);
    }
    text_add(&out, "}");
    assert_false(out.cut);
    controller_on_request(bench.controller, "tagout/request/local/reload", "", 0, false, false);
    controller_on_roster(bench.controller, roster_of(json, "[]"), NULL);
    free(json);
    assert_non_null(answer);
}

static void assert_named(size_t named, size_t more)
{
    const struct json *data = json_get(answer, "data");
    const struct json *name = json_first(json_get(data, "energises"));
    size_t count = 0;

    for (; name != NULL; name = json_next(name)) {
        count++;
    }
    assert_int_equal(count, named);
    if (more == 0) {
        assert_null(json_get(data, "energises_more"));
    } else {
        assert_int_equal((size_t)json_number(json_get(data, "energises_more")), more);
    }
}

static void C6_what_a_reload_energises_is_named(void **state)
{
    (void)state;
    reload_with(NAMED);
    assert_named(NAMED, 0);
}

static void C6_of_thousands_that_a_reload_energises_the_rest_is_counted(void **state)
{
    (void)state;
    reload_with(NAMED + 1);
    assert_named(NAMED, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(C6_what_a_reload_energises_is_named),
        CASE(C6_of_thousands_that_a_reload_energises_the_rest_is_counted),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
