/* C6 `status` of a fleet that is too large for one answer: page by page, and each machine once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "controller/support/mqtt.h"
#include "tests/lib/controller_bench.h"
#include "tests/lib/roster_files.h"
#include "tests/lib/scratch.h"

#define MACHINES 1000
#define ONE_ANSWER 200 /* so many are one answer */
#define MARKUP 64
#define LARGE_BYTES 4096

static struct controller_bench bench;
static struct {
    char *payload; /* the last answer */
    size_t count;  /* of answers */
    size_t longest;
    bool is_full; /* for all that is large */
} answers;

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)qos;
    (void)retain;
    if (strstr(topic, "/response/") == NULL) {
        return STATUS_OK;
    }
    if (answers.is_full && length > LARGE_BYTES) {
        return STATUS_FULL;
    }
    free(answers.payload);
    answers.payload = strndup(payload, length);
    answers.count++;
    answers.longest = length > answers.longest ? length : answers.longest;
    return STATUS_OK;
}

static char *machines_up_to(size_t count)
{
    char *json = malloc(count * MARKUP);
    struct text out = text_over(json, count * MARKUP);

    for (size_t i = 0; i < count; i++) {
        text_addf(&out, "%s\"m%zu\": {\"authorizations_or\": []}", i == 0 ? "{" : ", ", i);
    }
    text_add(&out, "}");
    assert_false(out.cut);
    return json;
}

static void open_with(size_t count)
{
    char *machines = machines_up_to(count);

    memset(&bench, 0, sizeof bench);
    memset(&answers, 0, sizeof answers);
    bench.fake.on_publish = on_publish;
    controller_bench_open(&bench, machines, "[]", NULL);
    free(machines);
    controller_bench_start(&bench);
    controller_bench_lead(&bench);
}

static int open_small(void **state)
{
    (void)state;
    open_with(ONE_ANSWER);
    return 0;
}

static int open_large(void **state)
{
    (void)state;
    open_with(MACHINES);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    free(answers.payload);
    return 0;
}

/* Freed by the caller. */
static struct json *ask(const char *after)
{
    struct json *answer;
    size_t before = answers.count;
    TEXT_LOCAL(body, 512);
    TEXT_LOCAL(why, 256);

    text_addf(&body, "{\"transaction\":7,\"after\":\"%s\"}", after);
    controller_on_request(
        bench.controller, "tagout/request/local/status", body.data, body.length, false, false);
    assert_int_equal(answers.count, before + 1);
    assert_int_equal(
        json_parse(answers.payload, strlen(answers.payload), &answer, &why), STATUS_OK);
    assert_int_equal((int)json_number(json_get(answer, "transaction")), 7);
    return answer;
}

static void assert_refused(const char *after, const char *error)
{
    struct json *answer = ask(after);

    assert_string_equal(json_get_string(answer, "status"), "error");
    assert_string_equal(json_get_string(answer, "error"), error);
    json_free(answer);
}

/* What all pages together tell. */
struct whole {
    unsigned told[MACHINES];
    unsigned left[MACHINES];
    size_t pages;
    size_t count; /* that the last page says there are */
};

static void note_names(const struct json *list, unsigned seen[MACHINES])
{
    for (const struct json *one = json_first(list); one != NULL; one = json_next(one)) {
        size_t number = strtoul(json_get_string(one, "machine") + 1, NULL, 10);
        assert_true(number < MACHINES);
        seen[number]++;
    }
}

static struct whole ask_for_all(void)
{
    struct whole whole = {0};
    TEXT_LOCAL(after, 128);

    do {
        struct json *answer = ask(after.data);
        const struct json *data = json_get(answer, "data");
        assert_string_equal(json_get_string(answer, "status"), "ok");
        note_names(json_get(data, "machines"), whole.told);
        note_names(json_get(data, "strangers"), whole.left);
        whole.count = (size_t)json_number(json_get(data, "count"));
        whole.pages++;
        text_clear(&after);
        text_add(&after, json_get_string(data, "next"));
        json_free(answer);
    } while (after.length > 0);
    return whole;
}

static void C6_a_shop_of_some_hundreds_is_one_answer(void **state)
{
    struct whole whole = ask_for_all();

    (void)state;
    assert_int_equal(whole.pages, 1);
    assert_int_equal(whole.count, ONE_ANSWER);
    for (size_t i = 0; i < ONE_ANSWER; i++) {
        assert_int_equal(whole.told[i], 1);
    }
}

static void C6_a_large_fleet_comes_in_pages_that_tell_of_each_machine_once(void **state)
{
    struct whole whole = ask_for_all();

    (void)state;
    assert_in_range(whole.pages, 2, MACHINES / ONE_ANSWER);
    assert_int_equal(whole.count, MACHINES);
    for (size_t i = 0; i < MACHINES; i++) {
        assert_int_equal(whole.told[i], 1);
        assert_int_equal(whole.left[i], 0);
    }
    assert_true(answers.longest <= MQTT_DIRECT_PAYLOAD_MAX);
    print_message("%zu pages, the longest has %zu bytes\n", whole.pages, answers.longest);
}

static void C2_machines_that_left_stand_on_their_pages(void **state)
{
    enum {
        STAY = 600
    };
    char *machines = machines_up_to(STAY);
    struct whole whole;

    (void)state;
    controller_reload(bench.controller);
    controller_on_roster(bench.controller, roster_of(machines, "[]"), NULL);
    free(machines);
    whole = ask_for_all();
    assert_int_equal(whole.count, STAY);
    for (size_t i = 0; i < MACHINES; i++) {
        assert_int_equal(whole.told[i], i < STAY);
        assert_int_equal(whole.left[i], i >= STAY);
    }
    json_free(ask("m999")); /* it keeps its place */
    assert_non_null(strstr(answers.payload, "\"machines\":[],\"strangers\":[],\"count\":600,"));
}

static void C6_behind_a_machine_that_nobody_knows_there_is_no_page(void **state)
{
    (void)state;
    assert_refused("router", "after: no machine has that name");
}

static void C6_who_asks_for_more_than_may_wait_is_told_so(void **state)
{
    (void)state;
    answers.is_full = true;
    assert_refused("", "busy");
    answers.is_full = false;
    json_free(ask(""));
    assert_non_null(strstr(answers.payload, "\"status\":\"ok\""));
}

#define CASE(test, open) cmocka_unit_test_setup_teardown(test, open, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(C6_a_shop_of_some_hundreds_is_one_answer, open_small),
        CASE(C6_a_large_fleet_comes_in_pages_that_tell_of_each_machine_once, open_large),
        CASE(C2_machines_that_left_stand_on_their_pages, open_large),
        CASE(C6_behind_a_machine_that_nobody_knows_there_is_no_page, open_large),
        CASE(C6_who_asks_for_more_than_may_wait_is_told_so, open_large),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
