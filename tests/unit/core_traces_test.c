/* Every step that was observed on the system before Tagout, decided by the core: command, second
 * relay, user and events. Two differences are known: there `warn_only` is an event of its own, and
 * `logout` also marks the removal of a card that had opened no session; here a `logout` stands
 * exactly where a session was open and is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/support/text.h"
#include "tests/lib/core_traces.h"

/* The texts of C4. */
static const struct {
    const char *display; /* "%" stands for the name */
    double rgb[3];
    double brightness;
} shown[CORE_MODE_COUNT] = {
    [CORE_IDLE] = {"Please Insert\nRFID Card", {0, 0, 0}, 0},
    [CORE_IN_USE] = {"Welcome,\n%", {0, 1, 0}, 0.5},
    [CORE_OVERRIDE] = {"OVERRIDE BY\n%", {0, 1, 0}, 0.5},
    [CORE_EMERGENCY] = {"EMERGENCY\nCARD IN USE", {0, 1, 0}, 0.5},
    [CORE_ALWAYS_ON] = {"Always On", {0, 1, 0}, 0.5},
    [CORE_DENIED] = {"Unauthorized", {1, 0.5, 0}, 0.5},
    [CORE_UNKNOWN_FOB] = {"Unknown RFID", {1, 0, 0}, 0.5},
    [CORE_OOPS] = {"Oops!! Please\ncheck/post Slack", {1, 0, 0}, 0.5},
    [CORE_LOCKOUT] = {"Down for\nmaintenance", {1, 0.5, 0}, 0.5},
};

struct replay {
    struct traces_shop shop;
    struct core_config config;
    struct core_state state;
    struct core_effects effects;
    struct now now;
    bool session_before; /* as observed */
    const char *machine;
    size_t step; /* of this machine */
    size_t steps;
};

static void differ(const struct replay *replay, const char *what, const char *is, const char *want)
{
    fail_msg(
        "%s, step %zu: %s is \"%s\", observed \"%s\"", replay->machine, replay->step, what, is,
        want);
}

static void same_text(
    const struct replay *replay, const char *what, const char *is, const struct json *observed)
{
    const char *want = json_type(observed) == JSON_NULL ? "null" : json_string(observed);

    is = is != NULL ? is : "null";
    if (strcmp(is, want) != 0) {
        differ(replay, what, is, want);
    }
}

static void
same_bool(const struct replay *replay, const char *what, bool is, const struct json *observed)
{
    if (is != json_bool(observed)) {
        differ(replay, what, is ? "true" : "false", is ? "false" : "true");
    }
}

static void same_command(const struct replay *replay, const struct json *expect)
{
    const struct core_state *state = &replay->state;
    const char *display = shown[state->mode].display;
    const char *name = strchr(display, '%');
    const struct json *color = json_first(json_get(expect, "status_led_rgb"));
    TEXT_LOCAL(text, 600);

    text_add_bytes(&text, display, name != NULL ? (size_t)(name - display) : strlen(display));
    text_add(&text, name != NULL ? state->user.name : "");
    same_text(replay, "display", text.data, json_get(expect, "display"));
    same_bool(replay, "relay", core_mode_relay(state->mode), json_get(expect, "relay"));
    same_bool(replay, "oops_led", state->oopsed, json_get(expect, "oops_led"));
    same_bool(replay, "second_relay", state->second_relay, json_get(expect, "second_relay"));
    for (size_t i = 0; i < 3; i++, color = json_next(color)) {
        assert_true(json_number(color) == shown[state->mode].rgb[i]);
    }
    assert_true(
        json_number(json_get(expect, "status_led_brightness")) == shown[state->mode].brightness);
}

/* Ours as they would have been named there, without `logout`. */
static void list_notices(const struct core_effects *effects, struct text *list, size_t *ret_logouts)
{
    for (size_t i = 0; i < effects->notice_count; i++) {
        const struct core_notice *notice = &effects->notices[i];

        if (notice->type == CORE_NOTICE_LOGOUT) {
            ++*ret_logouts;
            continue;
        }
        text_add(list, notice->warn_only ? "warn_only " : "");
        text_addf(list, "%s ", core_notice_text(notice->type));
    }
}

static bool shows_session(const struct json *expect)
{
    const char *display = json_string(json_get(expect, "display"));

    return strncmp(display, "Welcome", 7) == 0 || strncmp(display, "OVERRIDE", 8) == 0;
}

static void same_events(struct replay *replay, const struct json *step)
{
    const struct json *expect = json_get(step, "expect");
    bool session = shows_session(expect);
    bool opened = false;
    size_t logouts = 0;
    TEXT_LOCAL(ours, 200);
    TEXT_LOCAL(theirs, 200);

    for (const struct json *event = json_first(json_get(step, "events")); event != NULL;
         event = json_next(event)) {
        const char *word = json_string(event);

        opened = opened || strcmp(word, "login") == 0 || strcmp(word, "override_login") == 0;
        if (strcmp(word, "logout") != 0) {
            text_addf(&theirs, "%s ", word);
        }
    }
    list_notices(&replay->effects, &ours, &logouts);
    if (strcmp(ours.data, theirs.data) != 0) {
        differ(replay, "events", ours.data, theirs.data);
    }
    if (logouts != (replay->session_before && (!session || opened))) {
        differ(replay, "logouts", logouts != 0 ? "1" : "0", logouts != 0 ? "0" : "1");
    }
    replay->session_before = session;
}

static void report_event(
    const struct replay *replay, const struct json *data, char card[CORE_CARD_SIZE],
    struct core_event *event)
{
    traces_pad(card, json_string(json_get(data, "rfid_value")));
    event->type = CORE_EVENT_REPORT;
    event->report = (struct core_report){
        .oops = json_bool(json_get(data, "oops")),
        .card = card,
        .holder = traces_holder(&replay->shop, card),
        .uptime_s = json_number(json_get(data, "uptime")),
        .boot_id = "",
    };
}

static void outside_event(const char *operation, struct core_event *event)
{
    bool undo = strncmp(operation, "un", 2) == 0;
    bool oops = strcmp(operation + (undo ? 2 : 0), "oops") == 0;

    event->type = oops ? CORE_EVENT_SET_OOPS : CORE_EVENT_SET_LOCKOUT;
    event->set.value = !undo;
}

static void play_step(struct replay *replay, const struct json *step)
{
    const char *operation = json_string(json_get(step, "op"));
    struct core_event event = {.now = replay->now, .epoch = 1, .epoch_ceiling = 1};
    char card[CORE_CARD_SIZE];
    const char *second = NULL;

    if (strcmp(operation, "report") == 0) {
        report_event(replay, json_get(step, "data"), card, &event);
    } else {
        outside_event(operation, &event);
    }
    replay->step++;
    replay->steps++;
    replay->now.mono.ms += 1000;
    replay->now.wall.ms += 1000;
    core_decide(&replay->config, &replay->state, &event, &replay->state, &replay->effects);

    assert_int_equal(core_broken_invariant(&replay->config, &replay->state), 0);
    assert_false(replay->effects.repaired);
    same_command(replay, json_get(step, "expect"));
    second = core_second_text(replay->state.second);
    same_text(
        replay, "second_relay_authorization", second, json_get(step, "second_relay_authorization"));
    same_text(
        replay, "user", replay->state.has_user ? replay->state.user.account_id : NULL,
        json_get(step, "user"));
    same_events(replay, step);
}

static void play_line(struct replay *replay, const char *line, size_t length)
{
    struct json *document = NULL;
    TEXT_LOCAL(why, 256);

    if (json_parse(line, length, &document, &why) != STATUS_OK) {
        fail_msg("%s: %s", TRACES_FILE, why.data);
    }
    traces_open_shop(&replay->shop, document);
    for (const struct json *trace = json_first(json_get(document, "traces")); trace != NULL;
         trace = json_next(trace)) {
        const struct json *step = json_first(json_get(trace, "steps"));

        replay->machine = json_string(json_get(trace, "machine"));
        replay->step = 0;
        replay->session_before = false;
        replay->shop.pool_used = 600;
        traces_machine(&replay->shop, replay->machine, &replay->config);
        core_state_init(&replay->state);
        for (; step != NULL; step = json_next(step)) {
            play_step(replay, step);
        }
    }
    json_free(document);
}

static void C4_every_observed_step_is_decided_alike(void **unused)
{
    static struct replay replay = {.now = {{1000}, {1700000000000}}};
    char *all = traces_unpack();

    (void)unused;
    for (char *line = all; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        play_line(&replay, line, length);
        line += length + (line[length] == '\n');
    }
    free(all);
    print_message("note: %zu observed steps decided alike\n", replay.steps);
    assert_int_equal(replay.steps, TRACES_STEPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C4_every_observed_step_is_decided_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
