#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "topics/command.h"
#include "topics/topic.h"

#define SMILE "\xf0\x9f\x98\x80"
#define SMILES_16 SMILES_4 SMILES_4 SMILES_4 SMILES_4
#define SMILES_4 SMILE SMILE SMILE SMILE

#define WHOLE                                                                                      \
    "{\"relay\":true,\"second_relay\":false,\"display\":\"Welcome,\\nAda\",\"oops_led\":false,"    \
    "\"lockout\":false,\"status_led_rgb\":[0,1,0.5],\"status_led_brightness\":0.5,"                \
    "\"needs_card\":true,\"second_needs_card\":false,\"boot_id\":\"b1\",\"seq\":7,\"epoch\":3,"    \
    "\"rev\":4}"

static struct command whole_command(void)
{
    return (struct command){
        .relay = true,
        .display = "Welcome,\nAda",
        .rgb = {0, 1, 0.5},
        .brightness = 0.5,
        .needs_card = true,
        .boot_id = "b1",
        .seq = 7,
        .version = {.epoch = 3, .rev = 4},
    };
}

static void C5_a_command_has_all_its_keys(void **state)
{
    struct command command = whole_command();
    TEXT_LOCAL(printed, COMMAND_BYTES_MAX);

    (void)state;
    assert_int_equal(command_print(&command, &printed), STATUS_OK);
    assert_string_equal(printed.data, WHOLE);
}

static void C5_boot_id_and_seq_are_null_before_any_report_had_them(void **state)
{
    struct command command = {.display = "Always On", .version = {.epoch = 1, .rev = 2}};
    TEXT_LOCAL(printed, COMMAND_BYTES_MAX);

    (void)state;
    assert_int_equal(command_print(&command, &printed), STATUS_OK);
    assert_string_equal(
        printed.data,
        "{\"relay\":false,\"second_relay\":false,\"display\":\"Always On\",\"oops_led\":false,"
        "\"lockout\":false,\"status_led_rgb\":[0,0,0],\"status_led_brightness\":0,"
        "\"needs_card\":false,\"second_needs_card\":false,\"boot_id\":null,\"seq\":null,"
        "\"epoch\":1,\"rev\":2}");
}

static void fill(char *array, size_t size, char byte)
{
    memset(array, byte, size - 1);
    array[size - 1] = '\0';
}

/* The longest topic, and every member at its longest. Control characters take six bytes each when
 * escaped, so they are longer than any character that a name may hold. */
static void C5_the_longest_command_fits_900_bytes_with_its_topic(void **state)
{
    static const char *const displays[] = {
        SMILES_16 "\n" SMILES_16,
        "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\n"
        "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01",
    };
    struct command command = {
        .rgb = {-0.123, -0.123, -0.123},
        .brightness = -0.123,
        .seq = UINT32_MAX,
        .version = {.epoch = VERSION_EPOCH_MAX, .rev = UINT32_MAX},
    };
    char prefix[TOPIC_PREFIX_MAX + 1];
    char machine[TOPIC_MACHINE_MAX + 1];
    char topic[TOPIC_SIZE];

    (void)state;
    fill(prefix, sizeof prefix, 'p');
    fill(machine, sizeof machine, 'm');
    fill(command.boot_id, sizeof command.boot_id, 'b');
    assert_int_equal(
        topic_build(topic, sizeof topic, prefix, TOPIC_COMMAND, machine, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof displays / sizeof displays[0]; i++) {
        TEXT_LOCAL(printed, 2 * COMMAND_BYTES_MAX);
        command_cut_display(command.display, displays[i]);
        assert_string_equal(command.display, displays[i]);
        assert_int_equal(command_print(&command, &printed), STATUS_OK);
        assert_true(strlen(topic) + printed.length < COMMAND_BYTES_MAX);
    }
}

static void C5_a_display_is_cut_to_two_lines_of_16_characters(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"Always On", "Always On"},
        {"Welcome,\nAda", "Welcome,\nAda"},
        {"Welcome,\n1234567890123456", "Welcome,\n1234567890123456"},
        {"Welcome,\n12345678901234567", "Welcome,\n1234567890123456"},
        {"12345678901234567\nx", "1234567890123456\nx"},
        {"12345678901234567890\n12345678901234567890", "1234567890123456\n1234567890123456"},
        {"a\nb\nc", "a\nb"},
        {"a\nb\n", "a\nb"},
        {"\nb", "\nb"},
        {"a\n", "a\n"},
        /* Characters, not bytes. */
        {SMILES_16 "\n" SMILES_16, SMILES_16 "\n" SMILES_16},
        {SMILES_16 SMILE "\n" SMILES_16 SMILE, SMILES_16 "\n" SMILES_16},
        {"\xc3\xa9"
         "bcdefghijklmnopq\nx",
         "\xc3\xa9"
         "bcdefghijklmnop\nx"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char display[COMMAND_DISPLAY_SIZE];
        command_cut_display(display, cases[i][0]);
        assert_string_equal(display, cases[i][1]);
    }
}

static void a_command_that_is_printed_reads_back_the_same(void **state)
{
    static const char *const payloads[] = {
        WHOLE,
        "{\"relay\":false,\"second_relay\":true,\"display\":\"\",\"oops_led\":true,"
        "\"lockout\":true,\"status_led_rgb\":[1,0,0],\"status_led_brightness\":1,"
        "\"needs_card\":false,\"second_needs_card\":true,\"boot_id\":null,\"seq\":null,"
        "\"epoch\":1099511627776,\"rev\":4294967295}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        struct command command;
        TEXT_LOCAL(why, 256);
        TEXT_LOCAL(printed, COMMAND_BYTES_MAX);
        assert_int_equal(
            command_parse(payloads[i], strlen(payloads[i]), &command, &why), STATUS_OK);
        assert_int_equal(command_print(&command, &printed), STATUS_OK);
        assert_string_equal(printed.data, payloads[i]);
    }
}

/* A command in which one piece of text is replaced by another. */
static void assert_bad(const char *find, const char *replacement, const char *reason)
{
    static const char whole[] = WHOLE;
    const char *at = strstr(whole, find);
    struct command command;
    TEXT_LOCAL(payload, 1024);
    TEXT_LOCAL(why, 256);

    assert_non_null(at);
    text_add_bytes(&payload, whole, (size_t)(at - whole));
    text_add(&payload, replacement);
    text_add(&payload, at + strlen(find));
    assert_int_equal(command_parse(payload.data, payload.length, &command, &why), STATUS_INVALID);
    assert_string_equal(why.data, reason);
}

static void a_command_that_lacks_something_or_is_wrong_is_refused(void **state)
{
    static const char *const keys[] = {
        "relay",
        "second_relay",
        "display",
        "oops_led",
        "lockout",
        "status_led_rgb",
        "status_led_brightness",
        "needs_card",
        "second_needs_card",
        "epoch",
        "rev",
    };
    struct command command;
    TEXT_LOCAL(why, 256);

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        TEXT_LOCAL(find, 64);
        TEXT_LOCAL(reason, 64);
        text_addf(&find, "\"%s\":", keys[i]);
        text_addf(&reason, "/%s: missing", keys[i]);
        assert_bad(find.data, "\"x\":", reason.data);
    }
    assert_bad("[0,1,0.5]", "[0,1]", "/status_led_rgb: must be three numbers");
    assert_bad("[0,1,0.5]", "[0,1,0,1]", "/status_led_rgb: must be three numbers");
    assert_bad("[0,1,0.5]", "[0,1,\"1\"]", "/status_led_rgb: must be three numbers");
    assert_bad("[0,1,0.5]", "[]", "/status_led_rgb: must be three numbers");
    assert_bad("true", "1", "/relay: must be a boolean, is a number");
    assert_bad("\"seq\":7", "\"seq\":0", "/seq: 0 is not an integer from 1 to 4294967295");
    assert_bad("b1", "0123456789abcdef0123456789abcdef0", "/boot_id: over 32 characters");
    assert_int_equal(command_parse("", 0, &command, &why), STATUS_INVALID);
    assert_string_equal(why.data, "not JSON: it ends too early at byte 0");
}

static void a_command_that_does_not_fit_is_an_error(void **state)
{
    struct command command = whole_command();
    char buffer[sizeof WHOLE];
    struct text exact = text_over(buffer, sizeof WHOLE);
    struct text small = text_over(buffer, sizeof WHOLE - 1);

    (void)state;
    assert_int_equal(command_print(&command, &exact), STATUS_OK);
    assert_int_equal(command_print(&command, &small), STATUS_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C5_a_command_has_all_its_keys),
        cmocka_unit_test(C5_boot_id_and_seq_are_null_before_any_report_had_them),
        cmocka_unit_test(C5_the_longest_command_fits_900_bytes_with_its_topic),
        cmocka_unit_test(C5_a_display_is_cut_to_two_lines_of_16_characters),
        cmocka_unit_test(a_command_that_is_printed_reads_back_the_same),
        cmocka_unit_test(a_command_that_lacks_something_or_is_wrong_is_refused),
        cmocka_unit_test(a_command_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
