/* Each call to the disk failing in turn while the audit is written: what is given again is there in
 * the end, whole, in order and once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/watcher/audit_files.h"
#include "tests/lib/failing_disk.h"
#include "tests/lib/scratch.h"

#define CALLS_MAX 1000
#define TRIES_MAX 4
#define JANUARY_MS INT64_C(1738367999000)
#define FEBRUARY_MS INT64_C(1738368000000)
#define JANUARY "audit/events-2025-01.jsonl"
#define FEBRUARY "audit/events-2025-02.jsonl"
#define FIRST "{\"line\":1,\"kind\":\"event\"}\n"
#define STATE "{\"line\":4}\n"

static const struct {
    int64_t at_ms;
    const char *line;
} lines[] = {
    {JANUARY_MS, "{\"line\":3,\"kind\":\"event\",\"text\":\"in January\"}\n"},
    {FEBRUARY_MS, "{\"line\":4,\"kind\":\"event\",\"text\":\"in February\"}\n"},
    {FEBRUARY_MS, "{\"line\":5,\"kind\":\"event\"}\n"},
};

static void remove_audit(void)
{
    static const char *const names[] = {
        JANUARY, FEBRUARY, "audit/watcher.json", "audit/watcher.json.new"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(names[i]);
    }
    (void)rmdir("audit");
}

/* A crash has torn the last line. */
static void make_torn_audit(void)
{
    struct audit_files *files = NULL;
    TEXT_LOCAL(why, 256);

    remove_audit();
    assert_int_equal(
        audit_files_open("audit", (struct wall_time){JANUARY_MS}, &files, &why), STATUS_OK);
    audit_files_close(files);
    scratch_write_text(JANUARY, FIRST "{\"line\":2,\"ki");
}

/* As the audit's thread does it: what failed is done again. */
static void write_it_all(void)
{
    struct audit_files *files = NULL;
    int tries = 0;
    TEXT_LOCAL(why, 512);

    while (audit_files_open("audit", (struct wall_time){JANUARY_MS}, &files, &why) != STATUS_OK) {
        assert_true(why.length > 0 && ++tries < TRIES_MAX);
    }
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *rest = lines[i].line;
        size_t written = 0;

        while (audit_files_append(
                   files, (struct wall_time){lines[i].at_ms}, rest, strlen(rest), &written, &why) !=
               STATUS_OK) {
            assert_true(written < strlen(rest) && ++tries < TRIES_MAX);
            rest += written;
        }
    }
    while (audit_files_sync(files, &why) != STATUS_OK) {
        assert_true(++tries < TRIES_MAX);
    }
    while (audit_files_save(files, STATE, strlen(STATE), true, &why) != STATUS_OK) {
        assert_true(++tries < TRIES_MAX);
    }
    audit_files_close(files);
}

static char *contents(const char *path)
{
    static char bytes[2][8192];
    static int which;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    which = 1 - which;
    bytes[which][fread(bytes[which], 1, sizeof bytes[which] - 1, file)] = '\0';
    (void)fclose(file);
    return bytes[which];
}

/* The torn line's place is taken by a mark, by two if the mark itself was torn. */
static void check_written(void)
{
    const char *january = contents(JANUARY);
    size_t marks = 0;

    assert_memory_equal(january, FIRST, strlen(FIRST));
    for (const char *at = january; (at = strstr(at, "\"torn\"")) != NULL; at++) {
        marks++;
    }
    assert_in_range(marks, 0, 2);
    january = strstr(january, lines[0].line);
    assert_non_null(january);
    assert_string_equal(january, lines[0].line);
    assert_int_equal(january[-1], '\n');
    january = contents(FEBRUARY);
    assert_memory_equal(january, lines[1].line, strlen(lines[1].line));
    assert_string_equal(january + strlen(lines[1].line), lines[2].line);
    assert_string_equal(contents("audit/watcher.json"), STATE);
}

static void an_audit_survives_each_call_to_the_disk_that_fails(void **state)
{
    size_t struck = 0;

    (void)state;
    for (int fault = 0; fault < DISK_FAULTS; fault++) {
        bool strikes = true;

        for (unsigned nth = 1; strikes; nth++) {
            assert_true(nth < CALLS_MAX);
            make_torn_audit();
            failing_disk_order(nth, (enum disk_fault)fault);
            write_it_all();
            strikes = failing_disk_end();
            struck += strikes;
            check_written();
        }
    }
    print_message("note: %zu calls to the disk failed in turn\n", struck);
    assert_true(struck > 20);
    remove_audit();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_audit_survives_each_call_to_the_disk_that_fails),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
