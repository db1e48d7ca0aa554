#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/ctl/arguments.h"

#define WORDS_MAX 12

/* Splits at spaces; `_` stands for a space inside a word. */
static int split(char *line, char *words[WORDS_MAX + 1])
{
    int count = 0;
    char *rest = NULL;

    words[count++] = (char *)(uintptr_t) "tagoutctl";
    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        for (char *at = word; *at != '\0'; at++) {
            *at = *at == '_' ? ' ' : *at;
        }
        words[count++] = word;
    }
    words[count] = NULL;
    return count;
}

struct line {
    char buffer[256];
    char *words[WORDS_MAX + 1];
    int count;
    char why[512];
};

static enum status parse(struct line *line, const char *text, struct ctl_arguments *ret)
{
    struct text why = text_over(line->why, sizeof line->why);

    text_copy(line->buffer, sizeof line->buffer, text);
    line->count = split(line->buffer, line->words);
    return ctl_arguments_parse(line->count, line->words, ret, &why);
}

static void options_may_stand_anywhere(void **state)
{
    static const char *const lines[] = {
        "-c f.ini --by Ada --json lockout Table_Saw --reason a_blade --wait 2.5",
        "lockout --reason=a_blade Table_Saw --json --wait=2.5 -c f.ini --by=Ada",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ctl_arguments arguments;
        struct line line;

        assert_int_equal(parse(&line, lines[i], &arguments), STATUS_OK);
        assert_string_equal(arguments.verb->name, "lockout");
        assert_string_equal(arguments.machine, "Table Saw");
        assert_string_equal(arguments.reason, "a blade");
        assert_string_equal(arguments.file, "f.ini");
        assert_string_equal(arguments.by, "Ada");
        assert_true(arguments.json);
        assert_true(arguments.wait_s > 2.4 && arguments.wait_s < 2.6);
        assert_true(ctl_has(&arguments, CTL_WAIT));
        assert_false(ctl_has(&arguments, CTL_NOW));
    }
}

static void the_wait_is_15_s_unless_given(void **state)
{
    struct ctl_arguments arguments;
    struct line line;

    (void)state;
    assert_int_equal(parse(&line, "oops saw", &arguments), STATUS_OK);
    assert_true(arguments.wait_s > 14.9 && arguments.wait_s < 15.1);
    assert_int_equal(parse(&line, "oops saw --wait 0", &arguments), STATUS_OK);
    assert_true(arguments.wait_s < 0.1);
}

static void every_verb_takes_what_it_says(void **state)
{
    static const char *const lines[] = {
        "status",
        "status saw",
        "status --on",
        "status --strangers",
        "status --controllers",
        "handover",
        "why saw",
        "watch",
        "oops saw --reason x --now --wait 1",
        "lockout saw --reason x --now --wait 1",
        "clear saw",
        "clear saw --oops",
        "clear saw --lockout",
        "clear saw --both --now",
        "end saw",
        "block --fob 1",
        "block --account-id x",
        "unblock --fob 1",
        "card saw",
        "restart saw",
        "restart saw --force",
        "restart saw --when-idle --wait 3",
        "test-alert",
        "forget saw",
        "reload",
        "reload --force",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct ctl_arguments arguments;
        struct line line;
        if (parse(&line, lines[i], &arguments) != STATUS_OK) {
            fail_msg("%s: %s", lines[i], line.why);
        }
        assert_non_null(arguments.verb->run);
    }
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *line;
        const char *why;
    } cases[] = {
        {"", "what is to be done? A verb is missing"},
        {"lokout saw", "there is no verb \"lokout\"; did you mean lockout?"},
        {"explode saw", "there is no verb \"explode\""},
        {"end", "end: which machine?"},
        {"end saw mill",
         "end: unexpected argument \"mill\"; a name with a space in it needs quotes"},
        {"reload saw", "reload: unexpected argument \"saw\""},
        {"end saw --reason x", "--reason means nothing to \"end\""},
        {"status --now", "--now means nothing to \"status\""},
        {"--frobnicate status", "--frobnicate: no such option"},
        {"--json=1 status", "--json=1: no such option, or it takes no value"},
        {"-x status", "-x: no such option"},
        {"status -c", "-c needs a value"},
        {"oops saw --reason", "--reason needs a value"},
        {"oops saw --wait soon", "--wait: \"soon\" is not a number of seconds up to 3600"},
        {"oops saw --wait -1", "--wait: \"-1\" is not a number of seconds up to 3600"},
        {"oops saw --wait nan", "--wait: \"nan\" is not a number of seconds up to 3600"},
        {"oops saw --wait 3601", "--wait: \"3601\" is not a number of seconds up to 3600"},
        {"oops saw --reason a\nb", "--reason: control characters, or not UTF-8"},
        {"oops saw --reason \xff", "--reason: control characters, or not UTF-8"},
        {"end sa\tw", "end: that is no machine's name"},
        {"block", "block: give either --fob or --account-id"},
        {"unblock --fob 1 --account-id 2", "unblock: give either --fob or --account-id"},
        {"restart saw --force --when-idle", "restart: give either --force or --when-idle"},
        {"status --on --strangers", "status: give one of --on, --strangers and --controllers"},
        {"status --on --controllers", "status: give one of --on, --strangers and --controllers"},
        {"status saw --on",
         "status: --on, --strangers and --controllers are about no single machine"},
        {"status saw --controllers",
         "status: --on, --strangers and --controllers are about no single machine"},
        {"clear saw --oops --both", "clear: give one of --oops, --lockout and --both"},
        {"clear saw --oops --lockout", "clear: give one of --oops, --lockout and --both"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ctl_arguments arguments;
        struct line line;
        assert_int_equal(parse(&line, cases[i].line, &arguments), STATUS_INVALID);
        assert_string_equal(line.why, cases[i].why);
    }
}

static void C6_a_reason_has_at_most_120_characters_and_a_name_64(void **state)
{
    char reason[] = "oops saw --reason "
                    "0123456789012345678901234567890123456789012345678901234567890123456789"
                    "01234567890123456789012345678901234567890123456789x";
    char by[] = "oops saw --by 0123456789012345678901234567890123456789012345678901234567890123x";
    struct ctl_arguments arguments;
    struct line line;

    (void)state;
    assert_int_equal(parse(&line, reason, &arguments), STATUS_INVALID);
    assert_string_equal(line.why, "--reason: over 120 characters");
    reason[strlen(reason) - 1] = '\0';
    assert_int_equal(parse(&line, reason, &arguments), STATUS_OK);
    assert_int_equal(parse(&line, by, &arguments), STATUS_INVALID);
    assert_string_equal(line.why, "--by: over 64 characters");
    by[strlen(by) - 1] = '\0';
    assert_int_equal(parse(&line, by, &arguments), STATUS_OK);
}

static void help_needs_neither_verb_nor_machine(void **state)
{
    struct ctl_arguments arguments;
    struct line line;
    TEXT_LOCAL(help, 8192);

    (void)state;
    assert_int_equal(parse(&line, "--help", &arguments), STATUS_OK);
    assert_true(arguments.help && arguments.verb == NULL);
    assert_int_equal(parse(&line, "lockout --help", &arguments), STATUS_OK);
    assert_true(arguments.help);
    ctl_help(arguments.verb, &help);
    assert_non_null(strstr(help.data, "Usage: tagoutctl lockout MACHINE"));
    assert_int_equal(parse(&line, "-V", &arguments), STATUS_OK);
    assert_true(arguments.version);
}

static void help_names_each_option_that_a_verb_takes(void **state)
{
    static const char *const names[] = {
        "--reason",  "--wait", "--now", "--on",         "--strangers", "--oops",
        "--lockout", "--both", "--fob", "--account-id", "--force",     "--when-idle",
    };

    (void)state;
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        TEXT_LOCAL(help, 8192);
        ctl_help(verb, &help);
        assert_false(help.cut);
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
            char lead[32] = "  ";
            strncat(lead, names[i], sizeof lead - 3);
            assert_int_equal(strstr(help.data, lead) != NULL, (verb->options >> i & 1) != 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_stand_anywhere),
        cmocka_unit_test(the_wait_is_15_s_unless_given),
        cmocka_unit_test(every_verb_takes_what_it_says),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(C6_a_reason_has_at_most_120_characters_and_a_name_64),
        cmocka_unit_test(help_needs_neither_verb_nor_machine),
        cmocka_unit_test(help_names_each_option_that_a_verb_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
