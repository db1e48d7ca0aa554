/* Where secrets come from besides tagout.ini, and who else may read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/config/settings.h"
#include "tests/lib/scratch.h"

#define FOLDER "credentials"
#define CREDENTIAL(name) FOLDER "/tagout." name

static struct settings *load(const char *ini)
{
    TEXT_LOCAL(why, 512);
    struct settings *settings = NULL;

    scratch_write_text("tagout.ini", ini);
    if (settings_load("tagout.ini", &settings, &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
    return settings;
}

static void assert_refused(const char *ini, const char *expected)
{
    TEXT_LOCAL(why, 512);
    struct settings *settings = NULL;

    scratch_write_text("tagout.ini", ini);
    assert_int_not_equal(settings_load("tagout.ini", &settings, &why), STATUS_OK);
    assert_null(settings);
    assert_string_equal(why.data, expected);
}

static int enter(void **state)
{
    umask(077);
    if (scratch_enter(state) != 0) {
        return -1;
    }
    assert_int_equal(mkdir(FOLDER, 0700), 0);
    return setenv("CREDENTIALS_DIRECTORY", FOLDER, 1);
}

static void the_environment_wins_over_a_credential_and_that_over_the_file(void **state)
{
    struct settings *settings;

    (void)state;
    scratch_write_text(CREDENTIAL("redis_password"), "of the credential\n");
    settings = load("[redis]\npassword = of the file\n");
    assert_string_equal(settings->redis.password, "of the credential");
    settings_free(settings);
    setenv("TAGOUT_REDIS_PASSWORD", "of the environment", 1);
    settings = load("[redis]\npassword = of the file\n");
    assert_string_equal(settings->redis.password, "of the environment");
    settings_free(settings);
    unsetenv("TAGOUT_REDIS_PASSWORD");
    unlink(CREDENTIAL("redis_password"));
    settings = load("[redis]\npassword = of the file\n");
    assert_string_equal(settings->redis.password, "of the file");
    settings_free(settings);
}

static void one_end_of_a_line_is_no_part_of_a_credential(void **state)
{
    static const struct {
        const char *bytes;
        const char *value;
    } cases[] = {{"a b ", "a b "}, {"a\n", "a"}, {"a\r\n", "a"}, {"", ""}, {"\n", ""}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings *settings;
        scratch_write_text(CREDENTIAL("slack_bot_token"), cases[i].bytes);
        settings = load("");
        assert_string_equal(settings->slack.bot_token, cases[i].value);
        settings_free(settings);
    }
    scratch_write_text(CREDENTIAL("slack_bot_token"), "a\n\n");
    assert_refused("", "tagout.slack_bot_token: is not UTF-8 text, or has control characters");
    scratch_write(CREDENTIAL("slack_bot_token"), "a\0b", 3);
    assert_refused("", CREDENTIAL("slack_bot_token") ": is not text");
    unlink(CREDENTIAL("slack_bot_token"));
}

static void a_credential_that_names_no_key_is_an_error_unless_it_is_not_ours(void **state)
{
    (void)state;
    scratch_write_text(FOLDER "/mqtt.pasword", "hunter2");
    settings_free(load(""));
    unlink(FOLDER "/mqtt.pasword");
    scratch_write_text(CREDENTIAL("mqtt_pasword"), "hunter2");
    assert_refused(
        "", "tagout.mqtt_pasword: names no key of tagout.ini; did you mean tagout.mqtt_password?");
    unlink(CREDENTIAL("mqtt_pasword"));
}

static void an_error_in_a_credential_names_it_and_not_what_is_in_it(void **state)
{
    (void)state;
    scratch_write_text(CREDENTIAL("mqtt_password"), "hunter2");
    assert_refused("", "tagout.mqtt_password: needs username too");
    unlink(CREDENTIAL("mqtt_password"));
    scratch_write_text(CREDENTIAL("controller_card_key"), "hunter2");
    assert_refused("", "tagout.controller_card_key: the value is not 64 hexadecimal digits");
    unlink(CREDENTIAL("controller_card_key"));
}

static void credentials_that_cannot_be_read_are_an_error(void **state)
{
    (void)state;
    setenv("CREDENTIALS_DIRECTORY", "nowhere", 1);
    assert_refused("", "nowhere: cannot be read: No such file or directory");
    setenv("CREDENTIALS_DIRECTORY", "", 1);
    settings_free(load(""));
    setenv("CREDENTIALS_DIRECTORY", FOLDER, 1);
}

/* The mode counts when the file is there already. */
static void assert_exposed(const char *ini, mode_t mode, const char *expected)
{
    TEXT_LOCAL(why, 512);
    struct settings *settings = NULL;

    scratch_write_text("tagout.ini", ini);
    assert_int_equal(chmod("tagout.ini", mode), 0);
    if (expected == NULL) {
        assert_int_equal(settings_load("tagout.ini", &settings, &why), STATUS_OK);
    } else {
        assert_int_equal(settings_load("tagout.ini", &settings, &why), STATUS_INVALID);
        assert_string_equal(why.data, expected);
    }
    settings_free(settings);
    assert_int_equal(chmod("tagout.ini", 0600), 0);
}

static void a_file_with_a_secret_that_everyone_can_read_is_refused(void **state)
{
    static const char secret[] = "[slack]\noops_channel = C1\nbot_token = xoxb-1\n";
    static const char why[] = "tagout.ini:3: [slack] bot_token: is a secret, and everyone can read "
                              "it; run: chmod o= tagout.ini";

    (void)state;
    assert_exposed(secret, 0604, why);
    assert_exposed(secret, 0644, why);
    assert_exposed(secret, 0640, NULL);
    assert_exposed(secret, 0602, NULL);
    assert_exposed("[slack]\nbot_token =\n", 0644, NULL);
    assert_exposed("[slack]\noops_channel = C1\n", 0644, NULL);
    /* It is in the file all the same. */
    setenv("TAGOUT_SLACK_BOT_TOKEN", "xoxb-2", 1);
    assert_exposed(secret, 0644, why);
    unsetenv("TAGOUT_SLACK_BOT_TOKEN");
}

static void every_key_that_is_a_secret_is_one_here(void **state)
{
    static const char *const lines[] = {
        "[controller]\ncard_key = 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "[mqtt]\npassword = a\nusername = b",
        "[redis]\npassword = a",
        "[redis]\nsentinel_password = a\nsentinels = b\nmaster = c",
        "[slack]\nbot_token = a",
        "[slack]\ncontrol_webhook = https://a.example/",
        "[slack]\noops_webhook = https://a.example/",
        "[slack]\nactivity_webhook = https://a.example/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *line = strchr(lines[i], '\n') + 1;
        TEXT_LOCAL(why, 256);
        text_addf(
            &why,
            "tagout.ini:2: %.*s %.*s: is a secret, and everyone can read it; run: "
            "chmod o= tagout.ini",
            (int)strcspn(lines[i], "\n"), lines[i], (int)strcspn(line, " "), line);
        assert_exposed(lines[i], 0644, why.data);
        assert_exposed(lines[i], 0640, NULL);
    }
}

static void a_private_key_that_everyone_can_read_is_refused(void **state)
{
    static const char ini[] = "[mqtt]\ncert_file = c.pem\nkey_file = k.pem\nurl = mqtts://h\n";

    (void)state;
    scratch_write_text("c.pem", "");
    scratch_write_text("k.pem", "");
    assert_int_equal(chmod("c.pem", 0644), 0);
    assert_int_equal(chmod("k.pem", 0644), 0);
    assert_refused(
        ini, "tagout.ini:3: [mqtt] key_file: is a secret, and everyone can read it; run: "
             "chmod o= k.pem");
    assert_int_equal(chmod("k.pem", 0640), 0);
    settings_free(load(ini));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_wins_over_a_credential_and_that_over_the_file),
        cmocka_unit_test(one_end_of_a_line_is_no_part_of_a_credential),
        cmocka_unit_test(a_credential_that_names_no_key_is_an_error_unless_it_is_not_ours),
        cmocka_unit_test(an_error_in_a_credential_names_it_and_not_what_is_in_it),
        cmocka_unit_test(credentials_that_cannot_be_read_are_an_error),
        cmocka_unit_test(a_file_with_a_secret_that_everyone_can_read_is_refused),
        cmocka_unit_test(every_key_that_is_a_secret_is_one_here),
        cmocka_unit_test(a_private_key_that_everyone_can_read_is_refused),
    };

    return cmocka_run_group_tests(tests, enter, scratch_leave);
}
