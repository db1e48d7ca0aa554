/* C8.1, C12: another card key, and a session of which another controller told: no other card's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/controller_bench.h"
#include "tests/lib/scratch.h"

#define STRANGER "0000000009"
#define ADA "0000000001"

static struct controller_bench bench;
static struct {
    char state[4096];   /* the last one */
    char command[1024]; /* likewise */
    unsigned commands;
    unsigned seq;
} said;

static enum status
on_publish(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    (void)length;
    (void)qos;
    (void)retain;
    if (strstr(topic, "/saw/state") != NULL) {
        text_copy(said.state, sizeof said.state, payload);
    } else if (strstr(topic, "/saw/command") != NULL) {
        text_copy(said.command, sizeof said.command, payload);
        said.commands++;
    }
    return STATUS_OK;
}

static void lead(void)
{
    unsigned before = said.commands;

    for (int i = 0; i < 200 && said.commands == before; i++) {
        controller_on_echo(bench.controller, bench.fake.echo);
        memory_store_run(bench.store);
        (void)controller_tick(bench.controller);
        fake_ports_pass(&bench.fake, 100);
    }
    assert_true(said.commands > before);
}

static int open_bench(void **state)
{
    static const char users[] =
        "[{\"fob_codes\": [\"" ADA "\"], \"account_id\": \"1\", \"full_name\": \"Ada\", "
        "\"first_name\": \"Ada\", \"last_name\": \"\", \"preferred_name\": \"Ada\", "
        "\"email\": \"\", \"expiration_ymd\": \"\", \"authorizations\": [\"wood\"]}]";

    (void)state;
    memset(&bench, 0, sizeof bench);
    memset(&said, 0, sizeof said);
    bench.fake.on_publish = on_publish;
    controller_bench_open(&bench, "{\"saw\": {\"authorizations_or\": [\"wood\"]}}", users, NULL);
    controller_bench_start(&bench);
    lead();
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    controller_bench_close(&bench);
    return 0;
}

static void report(const char *card)
{
    TEXT_LOCAL(payload, 256);

    text_addf(
        &payload,
        "{\"oops\":false,\"rfid_value\":\"%s\",\"uptime\":%u,\"boot_id\":\"b\",\"seq\":%u}", card,
        said.seq, said.seq);
    said.seq++;
    controller_on_message(
        bench.controller, "tagout/machine/saw/report", payload.data, payload.length, false);
    controller_flush(bench.controller);
}

/* As another controller tells it, which led since. */
static void hear_state(const char *told)
{
    TEXT_LOCAL(payload, 4096);
    const char *epoch = strstr(told, "\"epoch\":");

    assert_non_null(epoch);
    text_add_bytes(&payload, told, (size_t)(epoch - told));
    text_add(&payload, "\"epoch\":1999999999,\"rev\":99}");
    controller_on_message(
        bench.controller, "tagout/machine/saw/state", payload.data, payload.length, true);
}

static void change_key(void)
{
    static const char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct store_events events = controller_store_events(bench.controller);

    events.on_card_key(events.context, true, key);
}

static void C8_1_another_card_key_makes_a_session_no_other_cards(void **state)
{
    char adas[sizeof said.state];

    (void)state;
    said.seq = 1;
    report("");
    report(ADA);
    text_copy(adas, sizeof adas, said.state);
    assert_non_null(strstr(adas, "\"mode\":\"in_use\""));
    report("");
    report(STRANGER); /* whose number is the last that is read here */
    controller_on_disconnected(bench.controller, "for a test");
    fake_ports_pass(&bench.fake, 3000);
    (void)controller_tick(bench.controller);
    controller_on_connected(bench.controller);
    hear_state(adas);
    fake_ports_grant(&bench.fake, bench.controller);
    fake_ports_hear_marker(&bench.fake, bench.controller);
    lead();
    assert_non_null(strstr(said.command, "\"relay\":true"));
    change_key();
    said.seq += 10;
    report(STRANGER);
    assert_non_null(strstr(said.command, "\"relay\":false"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(C8_1_another_card_key_makes_a_session_no_other_cards),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
