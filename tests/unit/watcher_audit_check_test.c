/* What a --check says of an audit that cannot be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/watcher/audit_check.h"
#include "tests/lib/scratch.h"

#define NOBODY "nobody" /* is everywhere */
#define BY_NOBODY "the account \"nobody\", as which the service runs\n"

/* Who is not root is asked himself, and owns the folder. */
static void assert_said(const char *directory, const char *of_roots, const char *of_others)
{
    TEXT_LOCAL(out, 1024);

    audit_check(directory, NOBODY, &out);
    assert_string_equal(out.data, geteuid() == 0 ? of_roots : of_others);
}

static int open_folder(void **state)
{
    (void)state;
    assert_int_equal(chmod(".", 0777), 0);
    assert_int_equal(mkdir("audit", 0777), 0);
    assert_int_equal(chmod("audit", 0777), 0);
    return 0;
}

static int close_folder(void **state)
{
    (void)state;
    assert_int_equal(chmod(".", 0777), 0);
    (void)chmod("audit", 0777);
    (void)unlink("audit/events-2025-12.jsonl");
    (void)unlink("audit/events-2026-01.jsonl");
    (void)unlink("audit/events-2026-02.jsonl");
    (void)unlink("audit/notes");
    return rmdir("audit");
}

static void where_all_is_well_nothing_is_said_and_nothing_made(void **state)
{
    (void)state;
    assert_said("audit", "", "");
    assert_said("audit/of/both", "", "");
    assert_said("new", "", "");
    assert_int_equal(access("audit/of", F_OK), -1);
    assert_int_equal(access("new", F_OK), -1);
}

static void a_folder_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    assert_int_equal(chmod("audit", 0555), 0);
    assert_said(
        "audit", "[audit] directory: audit cannot be written by " BY_NOBODY,
        "[audit] directory: audit cannot be written by this user\n");
    assert_said(
        "audit/of/both",
        "[audit] directory: audit/of/both is not there, and cannot be made by " BY_NOBODY,
        "[audit] directory: audit/of/both is not there, and cannot be made by this user\n");
}

/* Those that a start mends, the newest two; all else may be as it is. */
static void a_file_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    scratch_write_text("audit/events-2025-12.jsonl", "");
    scratch_write_text("audit/events-2026-01.jsonl", "");
    scratch_write_text("audit/events-2026-02.jsonl", "");
    scratch_write_text("audit/notes", "");
    assert_int_equal(chmod("audit/events-2025-12.jsonl", 0400), 0);
    assert_int_equal(chmod("audit/events-2026-01.jsonl", 0666), 0);
    assert_int_equal(chmod("audit/events-2026-02.jsonl", 0666), 0);
    assert_int_equal(chmod("audit/notes", 0400), 0);
    assert_said("audit", "", "");
    assert_int_equal(chmod("audit/events-2026-02.jsonl", 0444), 0);
    assert_said(
        "audit", "[audit] directory: audit holds files that cannot be written by " BY_NOBODY,
        "[audit] directory: audit holds files that cannot be written by this user\n");
}

static void a_file_in_the_place_of_the_folder_is_named(void **state)
{
    (void)state;
    scratch_write_text("audit/notes", "");
    assert_int_equal(chmod("audit/notes", 0777), 0);
    assert_said(
        "audit/notes/in", "[audit] directory: audit/notes/in cannot be written by " BY_NOBODY,
        "[audit] directory: audit/notes/in cannot be written by this user\n");
}

/* systemd makes it when the service starts for the first time. */
static void the_folder_of_the_unit_need_not_be_there(void **state)
{
    (void)state;
    if (access("/var/lib/tagout", F_OK) != 0) {
        assert_said("/var/lib/tagout/audit", "", "");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)
    const struct CMUnitTest tests[] = {
        TEST(where_all_is_well_nothing_is_said_and_nothing_made),
        TEST(a_folder_that_cannot_be_written_is_named),
        TEST(a_file_that_cannot_be_written_is_told),
        TEST(a_file_in_the_place_of_the_folder_is_named),
        TEST(the_folder_of_the_unit_need_not_be_there),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
