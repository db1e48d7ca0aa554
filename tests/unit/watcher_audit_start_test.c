#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/watcher/audit_inside.h"
#include "controller/watcher/audit_lines.h"
#include "tests/lib/scratch.h"

static void take_line(void *context, int64_t number, const char *bytes, size_t length)
{
    struct text *text = context;
    text_addf(text, "%lld=%.*s;", (long long)number, (int)length, bytes);
}

static void assert_lines(const char *bytes, size_t bytes_max, const char *expected)
{
    int fd;
    TEXT_LOCAL(read, 4096);

    scratch_write_text("lines", bytes);
    fd = open("lines", O_RDONLY);
    assert_true(fd >= 0);
    audit_lines_read(fd, 0, bytes_max, take_line, &read);
    close(fd);
    unlink("lines");
    assert_string_equal(read.data, expected);
}

static void only_the_end_of_a_large_file_is_read(void **state)
{
    static const char lines[] = "{\"line\":1}\n{\"line\":2}\n{\"line\":3}\n"; /* 11 bytes each */

    (void)state;
    assert_lines(lines, 33, "1={\"line\":1};2={\"line\":2};3={\"line\":3};");
    assert_lines(lines, 32, "2={\"line\":2};3={\"line\":3};");
    assert_lines(lines, 22, "2={\"line\":2};3={\"line\":3};");
    assert_lines(lines, 21, "3={\"line\":3};");
    assert_lines(lines, 10, "");
}

static void what_looks_like_a_line_within_another_is_none(void **state)
{
    (void)state;
    assert_lines("{\"line\":1,\"a\":{\"line\":9}}\n{\"line\":2}\n", 22, "2={\"line\":2};");
}

static struct audit_past *read_past(const char *state, const char *lines)
{
    struct audit_files *files = NULL;
    struct audit_past *past;
    TEXT_LOCAL(why, 512);

    mkdir("audit", 0700);
    scratch_write_text("audit/events-2025-01.jsonl", lines);
    scratch_write_text("audit/watcher.json", state);
    assert_int_equal(
        audit_files_open("audit", (struct wall_time){1738367999999}, &files, &why), STATUS_OK);
    past = audit_past_read(files);
    audit_files_close(files);
    unlink("audit/events-2025-01.jsonl");
    unlink("audit/watcher.json");
    rmdir("audit");
    assert_non_null(past);
    return past;
}

/* Positions are numbers: with a number that was given before, what Slack was told would be owed. */
static void no_number_is_given_twice_when_the_newest_file_lacks_the_last_lines(void **state)
{
    struct audit_past *past =
        read_past("{\"from\":50,\"line\":50}", "{\"line\":1}\n{\"line\":3}\n");

    (void)state;
    assert_int_equal(past->base, 50);
    assert_null(past->lines);
    audit_past_free(past);
    past = read_past("{\"from\":2,\"line\":2}", "{\"line\":1}\n{\"line\":3}\n");
    assert_int_equal(past->base, 3);
    assert_int_equal(past->lines->number, 3);
    audit_past_free(past);
    past = read_past("{\"from\":\"2\",\"line\":-1}", "{\"line\":1}\n{\"line\":3}\n");
    assert_int_equal(past->base, 3);
    assert_null(past->lines);
    audit_past_free(past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_end_of_a_large_file_is_read),
        cmocka_unit_test(what_looks_like_a_line_within_another_is_none),
        cmocka_unit_test(no_number_is_given_twice_when_the_newest_file_lacks_the_last_lines),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
