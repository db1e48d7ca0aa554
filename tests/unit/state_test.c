#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "topics/state.h"

#define LEAST                                                                                      \
    "{\"machine\":\"saw\",\"mode\":\"idle\",\"oops\":false,\"lockout\":true,\"epoch\":3,\"rev\":"  \
    "4}"

#define WHOLE                                                                                      \
    "{\"machine\":\"saw\",\"display_name\":\"Table Saw\",\"health\":\"online\","                   \
    "\"mode\":\"in_use\",\"relay\":true,\"confirmed\":\"on\",\"second_relay\":true,"               \
    "\"second_relay_authorization\":\"granted\",\"oops\":true,\"oops_by\":\"ada\","                \
    "\"oops_at\":1700000000.123,\"lockout\":true,\"lockout_by\":\"bob\","                          \
    "\"lockout_reason\":\"blade \\\"dull\\\"\",\"lockout_at\":1700000001,\"override\":true,"       \
    "\"emergency\":true,\"user\":\"Ada\",\"account_id\":\"7\",\"display\":\"Welcome,\\nAda\","     \
    "\"session_since\":1700000002.5,\"last_update\":1700000003.999,\"booted_at\":1699999999.001,"  \
    "\"boot_id\":\"b1\",\"seq\":7,\"fw\":\"1.2\",\"card\":\"c0ffee\",\"card_key\":\"k1\","         \
    "\"card_spent\":true,\"problem\":true,\"faults\":[\"twin\",\"link_lost\"],"                    \
    "\"save_timeouts\":2,\"event_n\":9,\"epoch\":1099511627776,\"rev\":4294967295}"

static struct state_payload whole_state(void)
{
    return (struct state_payload){
        .machine = "saw",
        .display_name = "Table Saw",
        .health = "online",
        .mode = "in_use",
        .relay = true,
        .confirmed = "on",
        .second_relay = true,
        .second_relay_authorization = "granted",
        .oops = true,
        .oops_by = "ada",
        .oops_at = {1700000000123},
        .lockout = true,
        .lockout_by = "bob",
        .lockout_reason = "blade \"dull\"",
        .lockout_at = {1700000001000},
        .override = true,
        .emergency = true,
        .user = "Ada",
        .account_id = "7",
        .display = "Welcome,\nAda",
        .session_since = {1700000002500},
        .last_update = {1700000003999},
        .booted_at = {1699999999001},
        .boot_id = "b1",
        .seq = 7,
        .fw = "1.2",
        .card = "c0ffee",
        .card_key = "k1",
        .card_spent = true,
        .problem = true,
        .faults = {"twin", "link_lost"},
        .fault_count = 2,
        .save_timeouts = 2,
        .event_n = 9,
        .version = {.epoch = VERSION_EPOCH_MAX, .rev = UINT32_MAX},
    };
}

static void C8_1_a_state_has_all_its_keys(void **state)
{
    struct state_payload whole = whole_state();
    TEXT_LOCAL(printed, STATE_BYTES_MAX);

    (void)state;
    assert_int_equal(state_print(&whole, &printed), STATUS_OK);
    assert_string_equal(printed.data, WHOLE);
}

static void C8_1_what_is_not_known_is_null(void **state)
{
    struct state_payload empty = {.machine = "saw", .health = "unknown", .mode = "idle"};
    TEXT_LOCAL(printed, STATE_BYTES_MAX);

    (void)state;
    assert_int_equal(state_print(&empty, &printed), STATUS_OK);
    assert_string_equal(
        printed.data,
        "{\"machine\":\"saw\",\"display_name\":null,\"health\":\"unknown\",\"mode\":\"idle\","
        "\"relay\":false,\"confirmed\":null,\"second_relay\":false,"
        "\"second_relay_authorization\":null,\"oops\":false,\"oops_by\":null,\"oops_at\":null,"
        "\"lockout\":false,\"lockout_by\":null,\"lockout_reason\":null,\"lockout_at\":null,"
        "\"override\":false,\"emergency\":false,\"user\":null,\"account_id\":null,"
        "\"display\":null,\"session_since\":null,\"last_update\":null,\"booted_at\":null,"
        "\"boot_id\":null,\"seq\":null,\"fw\":null,\"card\":null,\"card_key\":null,\"card_spent\":"
        "false,"
        "\"problem\":false,\"faults\":[],\"save_timeouts\":0,\"event_n\":0,\"epoch\":0,\"rev\":0}");
}

static void C9_4_a_state_that_is_printed_reads_back_the_same(void **state)
{
    struct state_copy copy;
    TEXT_LOCAL(why, 256);
    TEXT_LOCAL(printed, STATE_BYTES_MAX);

    (void)state;
    assert_int_equal(state_parse(WHOLE, strlen(WHOLE), &copy, &why), STATUS_OK);
    assert_int_equal(copy.state.oops_at.ms, 1700000000123);
    assert_int_equal(copy.state.last_update.ms, 1700000003999);
    assert_int_equal(state_print(&copy.state, &printed), STATUS_OK);
    assert_string_equal(printed.data, WHOLE);
    state_copy_free(&copy);
    assert_null(copy.document);
    state_copy_free(&copy);
    state_copy_free(NULL);
}

static void a_state_needs_little_and_ignores_what_it_does_not_know(void **state)
{
    static const char more[] = "{\"machine\":\"saw\",\"mode\":\"idle\",\"oops\":false,"
                               "\"lockout\":true,\"epoch\":3,\"rev\":4,\"user\":null,"
                               "\"oops_at\":null,\"faults\":null,\"x\":{\"oops\":1}}";
    static const char *const payloads[] = {LEAST, more};

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        struct state_copy copy;
        TEXT_LOCAL(why, 256);
        assert_int_equal(state_parse(payloads[i], strlen(payloads[i]), &copy, &why), STATUS_OK);
        assert_string_equal(copy.state.machine, "saw");
        assert_true(copy.state.lockout);
        assert_null(copy.state.user);
        assert_null(copy.state.confirmed);
        assert_int_equal(copy.state.oops_at.ms, 0);
        assert_int_equal(copy.state.fault_count, 0);
        assert_int_equal(copy.state.version.rev, 4);
        state_copy_free(&copy);
    }
}

/* LEAST in which one piece of text is replaced by another. */
static void assert_bad(const char *find, const char *replacement, const char *reason)
{
    static const char least[] = LEAST;
    const char *at = strstr(least, find);
    struct state_copy copy;
    TEXT_LOCAL(payload, 1024);
    TEXT_LOCAL(why, 256);

    assert_non_null(at);
    text_add_bytes(&payload, least, (size_t)(at - least));
    text_add(&payload, replacement);
    text_add(&payload, at + strlen(find));
    assert_int_equal(state_parse(payload.data, payload.length, &copy, &why), STATUS_INVALID);
    assert_string_equal(why.data, reason);
}

static void a_state_that_lacks_something_or_is_wrong_is_refused(void **state)
{
    static const char *const keys[] = {"machine", "mode", "oops", "lockout", "epoch", "rev"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        TEXT_LOCAL(find, 64);
        TEXT_LOCAL(reason, 64);
        text_addf(&find, "\"%s\":", keys[i]);
        text_addf(&reason, "/%s: missing", keys[i]);
        assert_bad(find.data, "\"x\":", reason.data);
    }
    assert_bad("false", "0", "/oops: must be a boolean, is a number");
    assert_bad("{", "{\"relay\":1,", "/relay: must be a boolean, is a number");
    assert_bad("{", "{\"user\":1,", "/user: must be a string, is a number");
    assert_bad("{", "{\"oops_at\":\"now\",", "/oops_at: must be a number, is a string");
    assert_bad("{", "{\"oops_at\":-1,", "/oops_at: -1 is no time");
    assert_bad("{", "{\"lockout_at\":1e300,", "/lockout_at: 1.0000000000000001e+300 is no time");
    assert_bad("{", "{\"seq\":0,", "/seq: 0 is not an integer from 1 to 4294967295");
    assert_bad("{", "{\"faults\":{},", "/faults: must be an array, is an object");
    assert_bad("{", "{\"faults\":[1],", "/faults: must hold strings only");
    assert_bad(
        "{", "{\"save_timeouts\":-1,", "/save_timeouts: -1 is not an integer from 0 to 4294967295");
    assert_bad(
        "{", "{\"event_n\":4294967296,",
        "/event_n: 4294967296 is not an integer from 0 to 4294967295");
    assert_bad(
        "\"epoch\":3", "\"epoch\":1099511627777",
        "/epoch: 1099511627777 is not an integer from 0 to 1099511627776");
    assert_bad(LEAST, "", "not JSON: it ends too early at byte 0");
    assert_bad(LEAST, "[]", "/: must be an object, is an array");
}

static void add_faults(struct text *payload, int count)
{
    text_add(payload, "{\"faults\":[\"a\"");
    for (int i = 1; i < count; i++) {
        text_add(payload, ",\"a\"");
    }
    text_add(payload, "],");
}

static void faults_are_limited(void **state)
{
    static const char least[] = LEAST;
    struct state_copy copy;
    TEXT_LOCAL(payload, 1024);
    TEXT_LOCAL(more, 512);
    TEXT_LOCAL(why, 256);

    (void)state;
    add_faults(&payload, STATE_FAULTS_MAX);
    text_add(&payload, &least[1]);
    assert_int_equal(state_parse(payload.data, payload.length, &copy, &why), STATUS_OK);
    assert_int_equal(copy.state.fault_count, STATE_FAULTS_MAX);
    state_copy_free(&copy);
    add_faults(&more, STATE_FAULTS_MAX + 1);
    assert_bad("{", more.data, "/faults: over 32");
}

static void a_state_over_8192_bytes_is_refused(void **state)
{
    static const char least[] = LEAST;
    char payload[STATE_BYTES_MAX + 1];
    struct state_copy copy;
    TEXT_LOCAL(why, 256);

    (void)state;
    memset(payload, ' ', sizeof payload);
    memcpy(payload, least, sizeof least - 1);
    assert_int_equal(state_parse(payload, STATE_BYTES_MAX, &copy, &why), STATUS_OK);
    state_copy_free(&copy);
    assert_int_equal(state_parse(payload, STATE_BYTES_MAX + 1, &copy, &why), STATUS_INVALID);
    assert_string_equal(why.data, "over 8192 bytes");
}

/* Everything that a device, a configuration or a client can make long, at its longest: control
 * characters are escaped to six bytes. */
static void the_longest_state_fits(void **state)
{
    static char name[64 * 4 + 1];
    static char reason[120 * 4 + 1];
    static char word[32 * 1 + 1];
    struct state_payload longest = whole_state();
    TEXT_LOCAL(printed, STATE_BYTES_MAX);

    (void)state;
    memset(name, '"', sizeof name - 1);
    memset(reason, '"', sizeof reason - 1);
    memset(word, '\x01', sizeof word - 1);
    longest.machine = name;
    longest.display_name = name;
    longest.oops_by = reason;
    longest.lockout_by = reason;
    longest.lockout_reason = reason;
    longest.user = name;
    longest.account_id = name;
    longest.display = word;
    longest.boot_id = word;
    longest.fw = word;
    for (size_t i = 0; i < STATE_FAULTS_MAX; i++) {
        longest.faults[i] = "a_fault_with_a_long_name";
    }
    longest.fault_count = STATE_FAULTS_MAX;
    assert_int_equal(state_print(&longest, &printed), STATUS_OK);
}

static void a_state_that_does_not_fit_is_an_error(void **state)
{
    struct state_payload whole = whole_state();
    TEXT_LOCAL(printed, 200);

    (void)state;
    assert_int_equal(state_print(&whole, &printed), STATUS_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C8_1_a_state_has_all_its_keys),
        cmocka_unit_test(C8_1_what_is_not_known_is_null),
        cmocka_unit_test(C9_4_a_state_that_is_printed_reads_back_the_same),
        cmocka_unit_test(a_state_needs_little_and_ignores_what_it_does_not_know),
        cmocka_unit_test(a_state_that_lacks_something_or_is_wrong_is_refused),
        cmocka_unit_test(faults_are_limited),
        cmocka_unit_test(a_state_over_8192_bytes_is_refused),
        cmocka_unit_test(the_longest_state_fits),
        cmocka_unit_test(a_state_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
