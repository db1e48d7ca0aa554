#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "controller/ctl/words.h"

/* Wednesday, 15 January 2025, 14:37:30 UTC. */
#define NOW_MS INT64_C(1736951850000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static const struct wall_time now = {.ms = NOW_MS};

static struct wall_time ago(int64_t ms)
{
    return (struct wall_time){.ms = NOW_MS - ms};
}

static int set_utc(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

static void a_duration_names_its_two_greatest_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *words;
    } cases[] = {
        {-5000, "0 s"},
        {0, "0 s"},
        {999, "0 s"},
        {59999, "59 s"},
        {MINUTE_MS, "1 min"},
        {HOUR_MS - 1, "59 min"},
        {HOUR_MS, "1 h 0 min"},
        {2 * HOUR_MS + 5 * MINUTE_MS, "2 h 5 min"},
        {DAY_MS - 1, "23 h 59 min"},
        {DAY_MS, "1 d 0 h"},
        {400 * DAY_MS + 3 * HOUR_MS, "400 d 3 h"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 64);
        words_duration(&out, cases[i].ms);
        assert_string_equal(out.data, cases[i].words);
    }
}

static void a_time_has_the_date_only_when_it_is_another_day(void **state)
{
    static const struct {
        int64_t ago_ms;
        const char *words;
    } cases[] = {
        {0, "14:37"},
        {14 * HOUR_MS, "00:37"},
        {15 * HOUR_MS, "14 Jan 23:37"},
        {14 * DAY_MS, "1 Jan 14:37"},
        {15 * DAY_MS, "31 Dec 2024 14:37"},
        {-10 * HOUR_MS, "16 Jan 00:37"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 64);
        words_time(&out, ago(cases[i].ago_ms), now);
        assert_string_equal(out.data, cases[i].words);
    }
}

static void what_a_terminal_would_obey_is_written_out(void **state)
{
    static const struct {
        const char *raw;
        const char *words;
    } cases[] = {
        {"Søren 田中", "Søren 田中"},
        {"a\nb\tc", "a\\x0ab\\x09c"},
        {"\033[2J", "\\x1b[2J"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"},
        {"\xff"
         "a",
         "\\xffa"},
        {"\xe2\x80", "\\xe2\\x80"},
        /* Marks and overrides of direction, and line separators: U+200E to U+2069. */
        /* NOLINTNEXTLINE(misc-misleading-bidirectional): that is what is tested */
        {"\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xa8\xe2\x80\xae", "\\u200e\\u200f\\u2028\\u202e"},
        {"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"},
        {"\xe2\x80\xaf\xe2\x81\xaa", "\xe2\x80\xaf\xe2\x81\xaa"},
        {"\u2026\u200d", "\u2026\u200d"},
        {"\U0001f600", "\U0001f600"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 256);
        words_escape(&out, cases[i].raw);
        assert_string_equal(out.data, cases[i].words);
    }
}

static void a_person_without_an_account_is_named_alone(void **state)
{
    static const struct {
        const char *by;
        const char *words;
    } cases[] = {
        {"local (ada)", "ada"},       {"local", "local"},           {"local ()", "local ()"},
        {"local (ada", "local (ada"}, {"rosa (ada)", "rosa (ada)"}, {"\033Ada", "\\x1bAda"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 256);
        words_person(&out, cases[i].by);
        assert_string_equal(out.data, cases[i].words);
    }
}

struct case_of_state {
    struct state_payload state;
    enum tone tone;
    const char *words;
};

static void a_state_is_a_sentence(void **state)
{
    const struct wall_time since = ago(35 * MINUTE_MS);
    const struct case_of_state cases[] = {
        {{.mode = "idle"}, TONE_DIM, "idle"},
        {{.mode = "in_use", .user = "Ada", .session_since = since},
         TONE_ON,
         "in use by Ada since 14:02 (35 min)"},
        {{.mode = "in_use"}, TONE_ON, "in use"},
        {{.mode = "always_on"}, TONE_ON, "always on"},
        {{.mode = "always_on", .user = "Ada"}, TONE_ON, "always on, card of Ada"},
        {{.mode = "denied"}, TONE_NOTE, "idle, a card without authorization is in"},
        {{.mode = "unknown_fob"}, TONE_NOTE, "idle, an unknown card is in"},
        {{.mode = "emergency", .session_since = since},
         TONE_ALARM,
         "EMERGENCY CARD in use since 14:02 (35 min)"},
        {{.mode = "oops", .oops = true, .oops_by = "Oops button", .oops_at = since},
         TONE_ALARM,
         "OOPS pressed since 14:02 (35 min)"},
        {{.mode = "oops", .oops = true, .oops_by = "Ada", .oops_at = since},
         TONE_ALARM,
         "OOPS by Ada since 14:02 (35 min)"},
        {{.mode = "oops", .oops = true}, TONE_ALARM, "OOPS"},
        {{.mode = "lockout",
          .lockout = true,
          .lockout_by = "local (rosa)",
          .lockout_at = since,
          .lockout_reason = "bl\033ade"},
         TONE_NOTE,
         "LOCKED OUT by rosa since 14:02 (35 min): bl\\x1bade"},
        {{.mode = "oops", .oops = true, .lockout = true, .lockout_by = "rosa"},
         TONE_ALARM,
         "OOPS; LOCKED OUT by rosa"},
        {{.mode = "override", .user = "Rosa", .lockout = true, .session_since = since},
         TONE_ALARM,
         "OVERRIDE by Rosa since 14:02 (35 min), though LOCKED OUT"},
        {{.mode = "of\ttomorrow"}, TONE_NOTE, "of\\x09tomorrow"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 512);
        assert_int_equal(words_state(&out, &cases[i].state, now), cases[i].tone);
        assert_string_equal(out.data, cases[i].words);
    }
}

static void without_the_present_a_state_has_no_times(void **state)
{
    const struct state_payload in_use = {
        .mode = "in_use", .user = "Ada", .session_since = {.ms = NOW_MS}};
    TEXT_LOCAL(out, 128);

    (void)state;
    words_state(&out, &in_use, (struct wall_time){0});
    assert_string_equal(out.data, "in use by Ada");
}

static void C8_1_a_relay_is_what_was_commanded_and_what_was_confirmed(void **state)
{
    static const struct case_of_state cases[] = {
        {{.relay = true, .confirmed = "on"}, TONE_ON, "on"},
        {{.relay = false, .confirmed = "off"}, TONE_DIM, "off"},
        {{.relay = true, .confirmed = "unknown"}, TONE_NOTE, "on?"},
        {{.relay = false, .confirmed = "unknown"}, TONE_NOTE, "off?"},
        {{.relay = false}, TONE_NOTE, "off?"},
        {{.relay = true, .confirmed = "off"}, TONE_NOTE, "on, is still off"},
        {{.relay = false, .confirmed = "on"}, TONE_ALARM, "off, BUT IS ON"},
        {{.relay = true, .second_relay = true, .confirmed = "on"}, TONE_ON, "on +2nd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 128);
        assert_int_equal(words_relay(&out, &cases[i].state), cases[i].tone);
        assert_string_equal(out.data, cases[i].words);
    }
}

static void C6_in_use_is_a_relay_that_is_on_because_of_a_person(void **state)
{
    (void)state;
    assert_true(words_is_in_use(&(struct state_payload){.mode = "in_use"}));
    assert_true(words_is_in_use(&(struct state_payload){.mode = "override"}));
    assert_true(words_is_in_use(&(struct state_payload){.mode = "emergency"}));
    assert_false(words_is_in_use(&(struct state_payload){.mode = "always_on"}));
    assert_false(words_is_in_use(&(struct state_payload){.mode = "idle"}));
    assert_false(words_is_in_use(&(struct state_payload){0}));
}

static void C11_people_never_read_the_words_of_liveness(void **state)
{
    static const struct {
        struct state_payload state;
        const char *link;
        enum tone tone;
        const char *words;
    } cases[] = {
        {{.health = "online"}, "online", TONE_PLAIN, ""},
        {{.health = "online"}, "", TONE_PLAIN, ""},
        {{.health = "error"}, "lost", TONE_ALARM, "NOT ANSWERING"},
        {{.health = "suspect"}, "online", TONE_NOTE, "not answering yet"},
        {{.health = "settling"}, "offline", TONE_NOTE, "restarting"},
        {{.health = "settling"}, "online", TONE_NOTE, "not answering yet"},
        {{.health = "settling"}, "", TONE_NOTE, "not answering yet"},
        {{.health = "settling"}, "lost", TONE_ALARM, "link lost"},
        {{.health = "suspect"}, "lost", TONE_ALARM, "link lost"},
        {{.health = "offline"}, "", TONE_DIM, "signed off"},
        {{.health = "offline"}, "offline", TONE_DIM, "signed off"},
        {{.health = "offline"}, "lost", TONE_DIM, "signed off"},
        {{.health = "settling", .faults = {"link_lost"}, .fault_count = 1},
         "offline",
         TONE_NOTE,
         "restarting"},
        {{.health = "online"}, "offline", TONE_DIM, "signed off"},
        {{.health = "unknown"}, "", TONE_NOTE, "not heard yet"},
        {{.health = "online"}, "lost", TONE_ALARM, "link lost"},
        {{.health = "online", .faults = {"link_lost", "twin"}, .fault_count = 2},
         "lost",
         TONE_ALARM,
         "link lost, two boxes with this name"},
        {{.health = "online", .faults = {"link_lost"}, .fault_count = 1},
         "",
         TONE_ALARM,
         "link lost"},
        {{.health = "online", .faults = {"relay_stuck_on", "some_new_fault"}, .fault_count = 2},
         "online",
         TONE_ALARM,
         "RELAY STUCK ON, some new fault"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(out, 256);
        assert_int_equal(words_notes(&out, &cases[i].state, cases[i].link), cases[i].tone);
        assert_string_equal(out.data, cases[i].words);
    }
}

static void a_colour_that_is_begun_is_ended(void **state)
{
    (void)state;
    assert_string_equal(words_colour(TONE_PLAIN), "");
    assert_string_equal(words_colour_end(TONE_PLAIN), "");
    for (int tone = TONE_DIM; tone <= TONE_ALARM; tone++) {
        assert_true(words_colour((enum tone)tone)[0] == '\033');
        assert_string_equal(words_colour_end((enum tone)tone), "\033[0m");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_names_its_two_greatest_units),
        cmocka_unit_test(a_time_has_the_date_only_when_it_is_another_day),
        cmocka_unit_test(what_a_terminal_would_obey_is_written_out),
        cmocka_unit_test(a_person_without_an_account_is_named_alone),
        cmocka_unit_test(a_state_is_a_sentence),
        cmocka_unit_test(without_the_present_a_state_has_no_times),
        cmocka_unit_test(C8_1_a_relay_is_what_was_commanded_and_what_was_confirmed),
        cmocka_unit_test(C6_in_use_is_a_relay_that_is_on_because_of_a_person),
        cmocka_unit_test(C11_people_never_read_the_words_of_liveness),
        cmocka_unit_test(a_colour_that_is_begun_is_ended),
    };
    return cmocka_run_group_tests(tests, set_utc, NULL);
}
