/* What sets a host up: files of secrets, hosts of a certificate, shipped files with changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "controller/setup/authority.h"
#include "controller/setup/environment.h"
#include "controller/setup/program.h"
#include "controller/setup/shipped.h"
#include "tests/lib/scratch.h"

static const char *after(const char *content, const char *name)
{
    TEXT_LOCAL(why, 256);

    scratch_write_text("environment", content);
    assert_int_equal(unsetenv(name), 0);
    assert_int_equal(environment_load("environment", &why), STATUS_OK);
    return getenv(name);
}

static void a_file_of_secrets_is_read_as_systemd_reads_it(void **state)
{
    static const struct {
        const char *content;
        const char *value; /* NULL: none */
    } cases[] = {
        {"TAGOUT_A=word\n", "word"},
        {"TAGOUT_A=word", "word"},
        {"TAGOUT_A=\n", ""},
        {"  TAGOUT_A=two words  \r\n", "two words"},
        {"TAGOUT_A=\"two words \"\n", "two words "},
        {"TAGOUT_A='it is \"so\"'\n", "it is \"so\""},
        {"TAGOUT_A=\"\n", "\""},
        {"TAGOUT_A=a=b#c\n", "a=b#c"},
        {"#TAGOUT_A=word\n", NULL},
        {"; TAGOUT_A=word\n", NULL},
        {"TAGOUT_A\n\n", NULL},
        {"OTHER=1\nTAGOUT_A=last\n", "last"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *value = after(cases[i].content, "TAGOUT_A");

        if (cases[i].value == NULL) {
            assert_null(value);
        } else {
            assert_string_equal(value, cases[i].value);
        }
    }
    assert_int_equal(unsetenv("TAGOUT_A"), 0);
}

static void only_ours_is_taken_and_what_is_set_stays(void **state)
{
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_null(after("PATH_OF_EVIL=1\n", "PATH_OF_EVIL"));
    assert_int_equal(setenv("TAGOUT_A", "mine", 1), 0);
    scratch_write_text("environment", "TAGOUT_A=theirs\n");
    assert_int_equal(environment_load("environment", &why), STATUS_OK);
    assert_string_equal(getenv("TAGOUT_A"), "mine");
    assert_int_equal(unsetenv("TAGOUT_A"), 0);
}

static void the_controllers_own_file_comes_before_the_common_one(void **state)
{
    TEXT_LOCAL(why, 256);

    (void)state;
    scratch_write_text("environment", "TAGOUT_A=common\nTAGOUT_B=common\n");
    scratch_write_text("tagoutd.environment", "TAGOUT_A=own\n");
    assert_int_equal(environment_load_all(".", &why), STATUS_OK);
    assert_string_equal(getenv("TAGOUT_A"), "own");
    assert_string_equal(getenv("TAGOUT_B"), "common");
    assert_int_equal(unsetenv("TAGOUT_A"), 0);
    assert_int_equal(unsetenv("TAGOUT_B"), 0);
    assert_int_equal(environment_load("absent", &why), STATUS_OK);
    assert_int_equal(environment_load("/proc/self/mem/x", &why), STATUS_IO);
}

static void a_host_is_a_name_or_an_address_and_nothing_more(void **state)
{
    static const char *const good[] = {"a",   "shop.example", "*.shop.example", "10.0.0.5",
                                       "::1", "fe80::1",      "Shop-1.example."};
    static const char *const bad[] = {"",   "*",    "*.",  "a b", "a,DNS:b",  "a\nb", "-a",
                                      ".a", "a..b", "a*b", "a_b", "\xc3\xa9", "a/b"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(authority_is_host(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(authority_is_host(bad[i]));
    }
}

static void a_shipped_file_is_changed_where_it_is_asked_and_nowhere_else(void **state)
{
    const struct shipped_change changes[] = {
        {.from = "one", .to = "1"}, {.from = "two", .to = "2 one", .everywhere = true}};
    const struct shipped_change absent[] = {{.from = "three", .to = "3", .everywhere = true}};
    const struct shipped_change through[] = {{.from = "one", .to = "1", .upto = "two"}};
    char small_buffer[8];
    struct text small = text_over(small_buffer, sizeof small_buffer);
    TEXT_LOCAL(out, 128);

    (void)state;
    assert_int_equal(shipped_fill("one two one two.", changes, 2, &out), STATUS_OK);
    assert_string_equal(out.data, "1 2 one one 2 one.");
    text_clear(&out);
    assert_int_equal(shipped_fill("a one b two c two.", through, 1, &out), STATUS_OK);
    assert_string_equal(out.data, "a 1 c two.");
    assert_int_equal(shipped_fill("a one b", through, 1, &out), STATUS_NOT_FOUND);
    assert_int_equal(shipped_fill("one two", absent, 1, &out), STATUS_NOT_FOUND);
    assert_int_equal(shipped_fill("one two one two.", changes, 2, &small), STATUS_TOO_LONG);
}

static void the_shipped_files_are_those_of_the_tree(void **state)
{
    static const struct {
        const char *shipped;
        const char *path;
    } files[] = {
        {shipped_tagout_ini, "deploy/etc/tagout.ini"},
        {shipped_mosquitto_conf, "deploy/mosquitto/tagout.conf"},
        {shipped_redis_conf, "deploy/redis/tagout.conf"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *content = scratch_read_tree(files[i].path);

        assert_string_equal(files[i].shipped, content);
        free(content);
    }
}

static void a_program_is_run_without_a_shell_and_its_last_words_are_told(void **state)
{
    const char *const fails[] = {"sh", "-c", "echo it broke >&2; exit 3", NULL};
    const char *const quotes[] = {"test", "$HOME", "=", "$HOME", NULL};
    const char *const absent[] = {"no-such-program", NULL};
    const char *const clean[] = {"sh", "-c", "test -z \"$TAGOUT_A\" && umask | grep -q 77", NULL};
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(program_run(fails, ".", &why), STATUS_IO);
    assert_string_equal(why.data, "sh failed: it broke");
    assert_int_equal(program_run(quotes, ".", &why), STATUS_OK);
    assert_int_equal(program_run(absent, ".", &why), STATUS_NOT_FOUND);
    assert_int_equal(setenv("TAGOUT_A", "1", 1), 0);
    assert_int_equal(program_run(clean, ".", &why), STATUS_OK);
    assert_int_equal(unsetenv("TAGOUT_A"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_secrets_is_read_as_systemd_reads_it),
        cmocka_unit_test(only_ours_is_taken_and_what_is_set_stays),
        cmocka_unit_test(the_controllers_own_file_comes_before_the_common_one),
        cmocka_unit_test(a_host_is_a_name_or_an_address_and_nothing_more),
        cmocka_unit_test(a_shipped_file_is_changed_where_it_is_asked_and_nowhere_else),
        cmocka_unit_test(the_shipped_files_are_those_of_the_tree),
        cmocka_unit_test(a_program_is_run_without_a_shell_and_its_last_words_are_told),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
