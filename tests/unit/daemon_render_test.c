/* C4's looks, C5's cut, C8's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/render.h"

static struct settings *settings;

static int load_settings(void **state)
{
    TEXT_LOCAL(why, 256);

    (void)state;
    return settings_load(NULL, &settings, &why) == STATUS_OK ? 0 : -1;
}

static int free_settings(void **state)
{
    (void)state;
    settings_free(settings);
    return 0;
}

static struct core_state in_mode(enum core_mode mode, const char *name)
{
    struct core_state core;

    core_state_init(&core);
    core.mode = mode;
    core.has_user = name != NULL;
    if (name != NULL) {
        text_copy(core.user.name, sizeof core.user.name, name);
    }
    return core;
}

/* ---- C4, C5: the command ---- */

static const struct {
    enum core_mode mode;
    const char *display;
    bool relay;
    double rgb[3];
    double brightness;
} looks[] = {
    {CORE_IDLE, "Please Insert\nRFID Card", false, {0, 0, 0}, 0},
    {CORE_IN_USE, "Welcome,\nAda", true, {0, 1, 0}, 0.5},
    {CORE_OVERRIDE, "OVERRIDE BY\nAda", true, {0, 1, 0}, 0.5},
    {CORE_EMERGENCY, "EMERGENCY\nCARD IN USE", true, {0, 1, 0}, 0.5},
    {CORE_ALWAYS_ON, "Always On", true, {0, 1, 0}, 0.5},
    {CORE_DENIED, "Unauthorized", false, {1, 0.5, 0}, 0.5},
    {CORE_UNKNOWN_FOB, "Unknown RFID", false, {1, 0, 0}, 0.5},
    {CORE_OOPS, "Oops!! Please\ncheck/post Slack", false, {1, 0, 0}, 0.5},
    {CORE_LOCKOUT, "Down for\nmaintenance", false, {1, 0.5, 0}, 0.5},
};

static void C4_every_mode_has_its_text_relay_and_light(void **state)
{
    (void)state;
    assert_int_equal(sizeof looks / sizeof looks[0], CORE_MODE_COUNT);
    for (size_t i = 0; i < CORE_MODE_COUNT; i++) {
        struct core_state core = in_mode(looks[i].mode, "Ada");
        struct command command;

        render_command(settings, &core, &command);
        assert_string_equal(command.display, looks[i].display);
        assert_int_equal(command.relay, looks[i].relay);
        assert_memory_equal(command.rgb, looks[i].rgb, sizeof command.rgb);
        assert_true(!(command.brightness < looks[i].brightness));
        assert_true(!(command.brightness > looks[i].brightness));
    }
}

static void C5_flags_boot_and_version_are_those_of_the_state(void **state)
{
    struct core_state core = in_mode(CORE_OVERRIDE, "Ada");
    struct command command;

    (void)state;
    core.oopsed = true;
    core.second_relay = true;
    core.seq = 7;
    core.version = (struct version){1767636001, 12};
    text_copy(core.boot_id, sizeof core.boot_id, "b1");
    render_command(settings, &core, &command);
    assert_true(command.oops_led);
    assert_false(command.lockout);
    assert_true(command.second_relay);
    assert_true(command.needs_card);
    assert_true(command.second_needs_card);
    assert_string_equal(command.boot_id, "b1");
    assert_int_equal(command.seq, 7);
    assert_int_equal(command.version.epoch, 1767636001);
    assert_int_equal(command.version.rev, 12);
}

static void C5_only_always_on_needs_no_card(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORE_MODE_COUNT; i++) {
        struct core_state core = in_mode(looks[i].mode, "Ada");
        struct command command;

        core.second = CORE_SECOND_ALWAYS;
        render_command(settings, &core, &command);
        assert_int_equal(command.needs_card, looks[i].mode != CORE_ALWAYS_ON);
        assert_int_equal(command.second_needs_card, looks[i].mode != CORE_ALWAYS_ON);
    }
}

static void C5_a_line_is_cut_at_16_characters_not_bytes(void **state)
{
    static const struct {
        const char *name;
        const char *display;
    } names[] = {
        {"Exactly Sixteen!", "Welcome,\nExactly Sixteen!"},
        {"Seventeen letters", "Welcome,\nSeventeen letter"},
        {"Jörg Müßiggänger", "Welcome,\nJörg Müßiggänger"},
        {"Jörg Müßiggängerin", "Welcome,\nJörg Müßiggänger"},
        {"", "Welcome,\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct core_state core = in_mode(CORE_IN_USE, names[i].name);
        struct command command;

        render_command(settings, &core, &command);
        assert_string_equal(command.display, names[i].display);
    }
}

static void C5_the_longest_name_leaves_the_command_in_its_bounds(void **state)
{
    struct core_state core = in_mode(CORE_IN_USE, NULL);
    struct command command;
    TEXT_LOCAL(name, CORE_NAME_SIZE);
    TEXT_LOCAL(payload, COMMAND_BYTES_MAX + 1);

    (void)state;
    for (int i = 0; i < 64; i++) {
        text_add(&name, "𝔄"); /* four bytes */
    }
    assert_false(name.cut);
    core.has_user = true;
    text_copy(core.user.name, sizeof core.user.name, name.data);
    render_command(settings, &core, &command);
    assert_int_equal(strlen(command.display), strlen("Welcome,\n") + 16 * 4);
    assert_int_equal(command_print(&command, &payload), STATUS_OK);
}

/* ---- the texts of tagout.ini ---- */

static void set_text(enum settings_text text, const char *value)
{
    free(settings->texts[text]);
    settings->texts[text] = strdup(value);
    assert_non_null(settings->texts[text]);
}

static void C10_the_name_stands_where_the_text_says(void **state)
{
    struct core_state core = in_mode(CORE_IN_USE, "Ada");
    char display[RENDER_DISPLAY_SIZE];

    (void)state;
    set_text(TEXT_WELCOME, "{name} may\nwork now");
    render_display(settings, &core, display);
    assert_string_equal(display, "Ada may\nwork now");
    set_text(TEXT_WELCOME, "Go ahead");
    render_display(settings, &core, display);
    assert_string_equal(display, "Go ahead");
    set_text(TEXT_WELCOME, "Welcome,\n{name}");
}

static void C10_a_name_that_looks_like_a_placeholder_is_a_name(void **state)
{
    struct core_state core = in_mode(CORE_IN_USE, "{name}%s");
    char display[RENDER_DISPLAY_SIZE];

    (void)state;
    render_display(settings, &core, display);
    assert_string_equal(display, "Welcome,\n{name}%s");
}

/* ---- C8.1: the state ---- */

static void C8_1_the_state_has_the_whole_name_and_no_number(void **state)
{
    struct machine machine = {0};
    struct state_payload payload;
    char display[RENDER_DISPLAY_SIZE];

    (void)state;
    text_copy(machine.record.machine, sizeof machine.record.machine, "saw");
    text_copy(machine.raw_card, sizeof machine.raw_card, "0000004711");
    machine.record.core = in_mode(CORE_IN_USE, "Wilhelmina-Theodora");
    text_copy(machine.record.core.card, sizeof machine.record.core.card, "c0ffee");
    text_copy(machine.record.card_key, sizeof machine.record.card_key, "1234");
    render_state(settings, &machine, display, &payload);
    assert_string_equal(payload.display, "Welcome,\nWilhelmina-Theodora");
    assert_string_equal(payload.user, "Wilhelmina-Theodora");
    assert_string_equal(payload.card, "c0ffee");
    assert_string_equal(payload.card_key, "1234");
    assert_string_equal(payload.display_name, "saw");
    assert_true(payload.relay);
    TEXT_LOCAL(text, STATE_BYTES_MAX);
    assert_int_equal(state_print(&payload, &text), STATUS_OK);
    assert_null(strstr(text.data, "4711"));
}

static void C8_1_what_is_not_there_is_null(void **state)
{
    struct machine machine = {0};
    struct state_payload payload;
    char display[RENDER_DISPLAY_SIZE];

    (void)state;
    core_state_init(&machine.record.core);
    render_state(settings, &machine, display, &payload);
    assert_null(payload.user);
    assert_null(payload.account_id);
    assert_null(payload.card);
    assert_null(payload.card_key);
    assert_null(payload.boot_id);
    assert_null(payload.fw);
    assert_null(payload.oops_by);
    assert_null(payload.lockout_by);
    assert_null(payload.lockout_reason);
    assert_null(payload.second_relay_authorization);
    assert_false(payload.problem);
    assert_int_equal(payload.fault_count, 0);
}

static void C8_1_any_fault_is_a_problem(void **state)
{
    struct machine machine = {0};
    struct state_payload payload;
    char display[RENDER_DISPLAY_SIZE];

    (void)state;
    core_state_init(&machine.record.core);
    machine.record.core.faults = CORE_FAULT(CORE_FAULT_USER_REVOKED);
    render_state(settings, &machine, display, &payload);
    assert_true(payload.problem);
    assert_int_equal(payload.fault_count, 1);
    assert_string_equal(payload.faults[0], "user_revoked");
}

/* ---- C8.2: the sentence ---- */

static void assert_sentence(
    const struct core_notice *notice, const char *by, const char *reason, const char *expected)
{
    TEXT_LOCAL(sentence, 1024);

    render_sentence(
        notice, &(struct sentence_words){.machine = "Table Saw", .by = by, .reason = reason},
        &sentence);
    assert_string_equal(sentence.data, expected);
}

static struct core_notice notice_of(enum core_notice_type type, const char *name)
{
    struct core_notice notice = {.type = type, .has_user = name != NULL};

    if (name != NULL) {
        text_copy(notice.user.name, sizeof notice.user.name, name);
    }
    return notice;
}

static void C8_2_a_session_is_told_with_its_length_and_end(void **state)
{
    static const struct {
        int64_t ms;
        const char *expected;
    } lengths[] = {
        {59999, "Table Saw: Ada logged out after 59 s (card out)"},
        {60000, "Table Saw: Ada logged out after 1 min (card out)"},
        {3599999, "Table Saw: Ada logged out after 59 min (card out)"},
        {3600000, "Table Saw: Ada logged out after 1 h 0 min (card out)"},
        {9000000, "Table Saw: Ada logged out after 2 h 30 min (card out)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct core_notice notice = notice_of(CORE_NOTICE_LOGOUT, "Ada");
        notice.reason = CORE_REASON_CARD_REMOVED;
        notice.session_ms = lengths[i].ms;
        assert_sentence(&notice, NULL, NULL, lengths[i].expected);
    }
}

static void C8_2_every_event_has_a_sentence(void **state)
{
    (void)state;
    for (unsigned type = 0; type < CORE_NOTICE_COUNT; type++) {
        for (int named = 0; named < 2; named++) {
            struct core_notice notice =
                notice_of((enum core_notice_type)type, named == 1 ? "Ada" : NULL);
            TEXT_LOCAL(sentence, 1024);

            render_sentence(&notice, &(struct sentence_words){.machine = "Table Saw"}, &sentence);
            assert_int_equal(strncmp(sentence.data, "Table Saw", strlen("Table Saw")), 0);
            assert_true(sentence.length > strlen("Table Saw: "));
            assert_null(strstr(sentence.data, "(null)"));
        }
    }
}

static void C8_2_people_are_named_and_reasons_told(void **state)
{
    struct core_notice login = notice_of(CORE_NOTICE_LOGIN, "Ada");
    struct core_notice oops = notice_of(CORE_NOTICE_OOPS, "Ada");
    struct core_notice lockout = notice_of(CORE_NOTICE_LOCKOUT, NULL);

    (void)state;
    assert_sentence(&login, NULL, NULL, "Table Saw: Ada logged in");
    login.warn_only = true;
    assert_sentence(
        &login, NULL, NULL,
        "Table Saw: Ada logged in without the training (the machine only warns)");
    oops.source = CORE_SOURCE_BUTTON;
    assert_sentence(&oops, NULL, NULL, "Table Saw: Oops pressed while Ada used it");
    oops.has_user = false;
    assert_sentence(&oops, NULL, NULL, "Table Saw: Oops pressed");
    oops.source = CORE_SOURCE_OUTSIDE;
    assert_sentence(&oops, "Bob", NULL, "Table Saw: Oops set by Bob");
    assert_sentence(
        &lockout, "Bob", "blade cracked", "Table Saw: locked out by Bob: blade cracked");
    assert_sentence(&lockout, NULL, NULL, "Table Saw: locked out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C4_every_mode_has_its_text_relay_and_light),
        cmocka_unit_test(C5_flags_boot_and_version_are_those_of_the_state),
        cmocka_unit_test(C5_only_always_on_needs_no_card),
        cmocka_unit_test(C5_a_line_is_cut_at_16_characters_not_bytes),
        cmocka_unit_test(C5_the_longest_name_leaves_the_command_in_its_bounds),
        cmocka_unit_test(C10_the_name_stands_where_the_text_says),
        cmocka_unit_test(C10_a_name_that_looks_like_a_placeholder_is_a_name),
        cmocka_unit_test(C8_1_the_state_has_the_whole_name_and_no_number),
        cmocka_unit_test(C8_1_what_is_not_there_is_null),
        cmocka_unit_test(C8_1_any_fault_is_a_problem),
        cmocka_unit_test(C8_2_a_session_is_told_with_its_length_and_end),
        cmocka_unit_test(C8_2_every_event_has_a_sentence),
        cmocka_unit_test(C8_2_people_are_named_and_reasons_told),
    };

    return cmocka_run_group_tests(tests, load_settings, free_settings);
}
