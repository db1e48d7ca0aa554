#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/audit_months.h"
#include "controller/support/clock.h"
#include "controller/support/json.h"
#include "controller/watcher/audit.h"
#include "controller/watcher/audit_files.h"
#include "tests/lib/audit_bench.h"
#include "tests/lib/scratch.h"

#define DAY_MS INT64_C(86400000)
/* 2025-01-31 23:59:59.999 UTC */
#define JANUARY_MS INT64_C(1738367999999)

static void remove_audit(void)
{
    static const char *const names[] = {
        "watcher.json", "watcher.json.new", "other", "events-2025-1.jsonl"};
    char name[64];

    for (int month = 2020 * 12; month < 2045 * 12; month++) {
        char file[AUDIT_NAME_SIZE];
        audit_month_name((struct audit_month){month}, file);
        snprintf(name, sizeof name, "audit/%s", file);
        unlink(name);
    }
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "audit/%s", names[i]);
        unlink(name);
    }
    rmdir("audit");
}

static int setup(void **state)
{
    (void)state;
    remove_audit();
    return 0;
}

static char *contents(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "audit/%s", name);
    FILE *file = fopen(path, "r");
    char *bytes = calloc(1, 1 << 20);

    assert_non_null(bytes);
    if (file == NULL) {
        free(bytes);
        return NULL;
    }
    assert_true(fread(bytes, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
    fclose(file);
    return bytes;
}

static void assert_contents(const char *name, const char *expected)
{
    char *bytes = contents(name);

    assert_non_null(bytes);
    assert_string_equal(bytes, expected);
    free(bytes);
}

/* ---- months ---- */

static void a_file_is_called_as_its_month(void **state)
{
    struct audit_month month = audit_month_of((struct wall_time){JANUARY_MS});
    struct audit_month parsed;
    char name[AUDIT_NAME_SIZE];

    (void)state;
    audit_month_name(month, name);
    assert_string_equal(name, "events-2025-01.jsonl");
    assert_int_equal(audit_month_end(month).ms, JANUARY_MS + 1);
    audit_month_name(audit_month_of((struct wall_time){JANUARY_MS + 1}), name);
    assert_string_equal(name, "events-2025-02.jsonl");
    assert_true(audit_month_parse("events-2025-02.jsonl", &parsed));
    assert_int_equal(parsed.number, month.number + 1);
    assert_false(audit_month_parse("events-2025-13.jsonl", &parsed));
    assert_false(audit_month_parse("events-2025-00.jsonl", &parsed));
    assert_false(audit_month_parse("events-2025-1.jsonl", &parsed));
    assert_false(audit_month_parse("events-2025-02.jsonl~", &parsed));
    assert_false(audit_month_parse("eventsX2025-02.jsonl", &parsed));
    assert_false(audit_month_parse("watcher.json", &parsed));
}

/* ---- files ---- */

static struct audit_files *open_files(void)
{
    struct audit_files *files = NULL;
    TEXT_LOCAL(why, 512);

    if (audit_files_open("audit", (struct wall_time){JANUARY_MS}, &files, &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
    return files;
}

static void append(struct audit_files *files, int64_t at_ms, const char *bytes)
{
    size_t written = 0;
    TEXT_LOCAL(why, 512);

    assert_int_equal(
        audit_files_append(files, (struct wall_time){at_ms}, bytes, strlen(bytes), &written, &why),
        STATUS_OK);
    assert_int_equal(written, strlen(bytes));
}

static void take_line(void *context, int64_t number, const char *bytes, size_t length)
{
    struct text *text = context;

    text_addf(text, "%lld=%.*s;", (long long)number, (int)length, bytes);
}

static void assert_reads(const struct audit_files *files, int64_t after, const char *expected)
{
    TEXT_LOCAL(read, 4096);

    audit_files_read(files, after, 4096, take_line, &read);
    assert_string_equal(read.data, expected);
}

static void lines_go_into_the_file_of_their_month(void **state)
{
    struct audit_files *files = open_files();
    struct stat about;

    (void)state;
    assert_int_equal(audit_files_last(files), 0);
    append(files, JANUARY_MS, "{\"line\":1}\n");
    append(files, JANUARY_MS + 1, "{\"line\":2}\n{\"line\":3}\n");
    append(files, JANUARY_MS, "{\"line\":4}\n");
    assert_contents("events-2025-01.jsonl", "{\"line\":1}\n{\"line\":4}\n");
    assert_contents("events-2025-02.jsonl", "{\"line\":2}\n{\"line\":3}\n");
    assert_reads(files, 2, "4={\"line\":4};3={\"line\":3};");
    audit_files_close(files);
    assert_int_equal(stat("audit", &about), 0);
    assert_int_equal(about.st_mode & 0777 & ~0750U, 0);
    assert_int_equal(stat("audit/events-2025-01.jsonl", &about), 0);
    assert_int_equal(about.st_mode & 0777 & ~0640U, 0);
}

static void numbers_go_on_behind_the_last_line(void **state)
{
    struct audit_files *files = open_files();

    (void)state;
    append(files, JANUARY_MS, "{\"line\":1}\n{\"line\":41,\"a\":2}\n");
    audit_files_close(files);
    files = open_files();
    assert_int_equal(audit_files_last(files), 41);
    audit_files_close(files);
    /* A month that has just begun, with a line that is none. */
    scratch_write_text("audit/events-2025-02.jsonl", "nonsense\n");
    files = open_files();
    assert_int_equal(audit_files_last(files), 41);
    assert_reads(files, 0, "1={\"line\":1};41={\"line\":41,\"a\":2};");
    audit_files_close(files);
}

static void assert_mended(const char *torn, size_t length, const char *expected, int64_t last)
{
    struct audit_files *files;

    remove_audit();
    assert_int_equal(mkdir("audit", 0700), 0);
    scratch_write("audit/events-2025-01.jsonl", torn, length);
    files = open_files();
    assert_contents("events-2025-01.jsonl", expected);
    assert_int_equal(audit_files_last(files), last);
    audit_files_close(files);
    files = open_files();
    assert_int_equal(audit_files_last(files), last);
    assert_contents("events-2025-01.jsonl", expected);
    audit_files_close(files);
}

#define TORN(number, bytes, text)                                                                  \
    "{\"line\":" #number ",\"kind\":\"torn\",\"seen\":1738367999.999,\"bytes\":" #bytes            \
    ",\"text\":\"" text "\"}\n"

static void a_line_that_a_crash_cut_off_is_replaced_by_a_mark(void **state)
{
    static const char whole[] = "{\"line\":1}\n{\"line\":2}\n";

    (void)state;
    for (size_t cut = 0; cut < sizeof whole; cut++) {
        char bytes[sizeof whole] = "";
        TEXT_LOCAL(expected, 512);
        size_t torn = cut % 11;
        size_t lines = cut / 11;
        memcpy(bytes, whole, cut);
        text_add_bytes(&expected, whole, cut - torn);
        if (torn > 0) {
            text_addf(
                &expected,
                "{\"line\":%zu,\"kind\":\"torn\",\"seen\":1738367999.999,\"bytes\":%zu,\"text\":\"",
                lines + 1, torn);
            for (size_t i = cut - torn; i < cut; i++) {
                text_addf(&expected, whole[i] == '"' ? "\\\"" : "%c", whole[i]);
            }
            text_add(&expected, "\"}\n");
        }
        assert_mended(bytes, cut, expected.data, (int64_t)(lines + (torn > 0)));
    }
    assert_mended("{\"line\":7}\n\0\0\xff\x1b", 15, "{\"line\":7}\n" TORN(8, 4, "????"), 8);
}

static void files_of_a_clock_that_was_ahead_hide_no_other(void **state)
{
    struct audit_files *files;

    (void)state;
    assert_int_equal(mkdir("audit", 0700), 0);
    scratch_write_text("audit/events-2024-11.jsonl", "{\"line\":1}\n");
    scratch_write_text("audit/events-2024-12.jsonl", "{\"line\":2}\n");
    scratch_write_text("audit/events-2025-01.jsonl", "{\"line\":3}\n{\"l");
    scratch_write_text("audit/events-2038-01.jsonl", "{\"line\":4}\n");
    scratch_write_text("audit/events-2039-01.jsonl", "{\"line\":5}\n");
    files = open_files();
    assert_contents("events-2025-01.jsonl", "{\"line\":3}\n" TORN(6, 3, "{\\\"l"));
    assert_int_equal(audit_files_last(files), 6);
    assert_reads(
        files, 1,
        "2={\"line\":2};3={\"line\":3};6={\"line\":6,\"kind\":\"torn\",\"seen\":1738367999.999,"
        "\"bytes\":3,\"text\":\"{\\\"l\"};4={\"line\":4};5={\"line\":5};");
    audit_files_close(files);
}

static void a_file_that_holds_no_line_at_all_is_left_as_it_is(void **state)
{
    size_t length = 100000;
    char *bytes = malloc(length + 1);
    struct audit_files *files;
    char *now;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', length);
    bytes[length] = '\0';
    assert_int_equal(mkdir("audit", 0700), 0);
    scratch_write("audit/events-2025-01.jsonl", bytes, length);
    files = open_files();
    now = contents("events-2025-01.jsonl");
    assert_true(strlen(now) >= length);
    append(files, JANUARY_MS, "{\"line\":2}\n");
    free(now);
    now = contents("events-2025-01.jsonl");
    assert_non_null(strstr(now, "x\n{\"line\":2}\n"));
    free(now);
    audit_files_close(files);
    free(bytes);
}

static void two_watchers_do_not_write_into_one_folder(void **state)
{
    struct audit_files *files = open_files();
    struct audit_files *other = NULL;
    TEXT_LOCAL(why, 512);

    (void)state;
    assert_int_equal(
        audit_files_open("audit", (struct wall_time){JANUARY_MS}, &other, &why), STATUS_IO);
    assert_non_null(strstr(why.data, "another watcher has it"));
    audit_files_close(files);
    files = open_files();
    audit_files_close(files);
}

static void a_folder_that_cannot_be_made_is_an_error_with_its_name(void **state)
{
    struct audit_files *files = NULL;
    TEXT_LOCAL(why, 512);

    (void)state;
    scratch_write_text("file", "");
    assert_int_equal(
        audit_files_open("file/a/b", (struct wall_time){JANUARY_MS}, &files, &why), STATUS_IO);
    assert_string_equal(why.data, "file/a: cannot be made: Not a directory");
}

static void months_are_kept_as_long_as_configured(void **state)
{
    struct audit_files *files = open_files();
    int64_t end_ms = JANUARY_MS + 1;

    (void)state;
    append(files, JANUARY_MS, "{\"line\":1}\n");
    append(files, JANUARY_MS + 1, "{\"line\":2}\n");
    scratch_write_text("audit/other", "");
    scratch_write_text("audit/events-2025-1.jsonl", "");
    assert_int_equal(
        audit_files_expire(files, (struct wall_time){end_ms + 30 * DAY_MS - 1}, 30), 0);
    assert_int_equal(audit_files_expire(files, (struct wall_time){end_ms + 30 * DAY_MS}, 30), 1);
    assert_int_equal(access("audit/events-2025-01.jsonl", F_OK), -1);
    assert_int_equal(access("audit/events-2025-02.jsonl", F_OK), 0);
    assert_int_equal(access("audit/other", F_OK), 0);
    assert_int_equal(access("audit/events-2025-1.jsonl", F_OK), 0);
    audit_files_close(files);
}

static void a_clock_that_leaps_years_removes_nothing(void **state)
{
    struct audit_files *files = open_files();

    (void)state;
    append(files, JANUARY_MS, "{\"line\":1}\n");
    assert_int_equal(
        audit_files_expire(files, (struct wall_time){JANUARY_MS + 5000 * DAY_MS}, 30), 0);
    audit_files_close(files);
}

static void append_seen(struct audit_files *files, int64_t at_ms)
{
    TEXT_LOCAL(line, 64);

    text_addf(
        &line, "{\"line\":1,\"seen\":%lld.%03d}\n", (long long)at_ms / 1000, (int)(at_ms % 1000));
    append(files, at_ms, line.data);
}

static size_t expire(const struct audit_files *files, int64_t now_ms)
{
    return audit_files_expire(files, (struct wall_time){now_ms}, 30);
}

/* Over a restart, too: what the wrong clock wrote before is there then. */
static void a_clock_that_has_leapt_is_believed_when_a_line_of_its_own_is_a_day_old(void **state)
{
    static const int64_t leaps_days[] = {90, 5000};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct audit_files *files = open_files();
        int64_t leapt_ms = JANUARY_MS + leaps_days[i] * DAY_MS;

        append_seen(files, JANUARY_MS);
        append_seen(files, leapt_ms);
        assert_int_equal(expire(files, leapt_ms), 0);
        assert_int_equal(expire(files, leapt_ms + DAY_MS - 1), 0);
        assert_int_equal(expire(files, leapt_ms + DAY_MS), 1);
        audit_files_close(files);
        remove_audit();
    }
}

static void months_of_a_clock_that_was_ahead_take_nothing_along(void **state)
{
    struct audit_files *files = open_files();

    (void)state;
    append_seen(files, JANUARY_MS);
    append_seen(files, JANUARY_MS + 1);
    append_seen(files, JANUARY_MS + 5000 * DAY_MS);
    assert_int_equal(expire(files, JANUARY_MS + 30 * DAY_MS), 0);
    assert_int_equal(expire(files, JANUARY_MS + 1 + 30 * DAY_MS), 1);
    audit_files_close(files);
}

static void a_line_without_a_time_does_not_say_for_how_long_it_stands(void **state)
{
    static const char *const lines[] = {
        "{\"line\":1}\n", "{\"line\":1,\"seen\":\"x\"}\n", "x\n", "x"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct audit_files *files = open_files();

        append_seen(files, JANUARY_MS);
        append(files, JANUARY_MS + 5000 * DAY_MS, lines[i]);
        assert_int_equal(expire(files, JANUARY_MS + 5002 * DAY_MS), 0);
        audit_files_close(files);
        remove_audit();
    }
}

static void the_state_is_replaced_as_a_whole(void **state)
{
    struct audit_files *files = open_files();
    size_t length;
    char *bytes;
    TEXT_LOCAL(why, 512);

    (void)state;
    assert_null(audit_files_load(files, &length));
    assert_int_equal(audit_files_save(files, "{\"from\":1}", 10, true, &why), STATUS_OK);
    assert_int_equal(audit_files_save(files, "{}", 2, false, &why), STATUS_OK);
    bytes = audit_files_load(files, &length);
    assert_int_equal(length, 2);
    assert_string_equal(bytes, "{}");
    free(bytes);
    audit_files_close(files);
}

/* ---- the thread ---- */

static struct wall_time january(void)
{
    return (struct wall_time){JANUARY_MS};
}

static void what_is_committed_is_in_the_file_after_a_stop(void **state)
{
    struct audit *audit = audit_bench_start();
    struct audit_past *past;

    (void)state;
    assert_int_equal(audit_add(audit, january(), "{\"a\":1}", 7), 1);
    assert_int_equal(audit_add(audit, (struct wall_time){JANUARY_MS + 1}, "{}", 2), 2);
    audit_commit(audit);
    past = audit_bench_past(audit);
    assert_int_equal(past->base, 0);
    assert_null(past->state);
    assert_null(past->lines);
    audit_past_free(past);
    audit_save(audit, "{\"from\":1}", 10);
    audit_add(audit, january(), "{\"b\":2}", 7);
    audit_bench_stop(audit);
    assert_contents("events-2025-01.jsonl", "{\"line\":1,\"a\":1}\n{\"line\":3,\"b\":2}\n");
    assert_contents("events-2025-02.jsonl", "{\"line\":2}\n");
    assert_contents("watcher.json", "{\"from\":1}");

    audit = audit_bench_start();
    past = audit_bench_past(audit);
    assert_int_equal(past->base, 3); /* in an older file: the clock was put back */
    assert_string_equal(past->state, "{\"from\":1}");
    assert_int_equal(past->lines->number, 3);
    assert_int_equal(past->lines->next->number, 2);
    assert_null(past->lines->next->next);
    audit_past_free(past);
    audit_bench_stop(audit);

    /* Without a state nothing is known to be owed. */
    assert_int_equal(unlink("audit/watcher.json"), 0);
    audit = audit_bench_start();
    past = audit_bench_past(audit);
    assert_int_equal(past->base, 3);
    assert_null(past->lines);
    audit_past_free(past);
    audit_bench_stop(audit);
}

/* A pipe that nobody reads takes some bytes and then makes the writer wait. */
static void a_disk_that_hangs_holds_up_nobody_and_memory_is_bounded(void **state)
{
    char object[1001];
    struct audit *audit;
    struct now before;
    size_t length = sizeof object - 1;
    char *rest = calloc(1, 64 << 20);
    size_t got = 0;
    int fd;

    (void)state;
    assert_non_null(rest);
    assert_int_equal(mkdir("audit", 0700), 0);
    assert_int_equal(mkfifo("audit/events-2025-01.jsonl", 0600), 0);
    memset(object, 'x', sizeof object);
    memcpy(object, "{\"a\":\"", 6);
    memcpy(object + length - 2, "\"}", 3);
    audit = audit_bench_start();
    before = clock_now();
    for (int i = 0; i < 60000; i++) {
        audit_add(audit, january(), object, length);
        audit_commit(audit);
    }
    assert_true(clock_now().mono.ms - before.mono.ms < 30000);
    assert_true(audit_behind_ms(audit, (struct mono_time){before.mono.ms + 60000}) > 0);

    /* It thaws: what waited comes, then the mark of what did not fit, then what came after it. */
    fd = open("audit/events-2025-01.jsonl", O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    for (int i = 0, more = 0; i < 20000; i++) {
        const struct timespec pause = {.tv_nsec = 1000000};
        ssize_t count = read(fd, rest + got, ((size_t)64 << 20) - got - 1);
        got += count > 0 ? (size_t)count : 0;
        rest[got] = '\0';
        if (more == 0 && audit_behind_ms(audit, clock_now().mono) == 0) {
            more = 1;
            audit_add(audit, january(), "{\"after\":1}", 11);
            audit_commit(audit);
        }
        if (got > 20 && strstr(rest + got - 20, "\"after\":1}\n") != NULL) {
            break;
        }
        nanosleep(&pause, NULL);
    }
    /* The thread holds as much as it found, which may be all or next to nothing, and as much may
     * wait. The limit counts what a record is in memory, a little more than its line. */
    assert_true(got < 2 * AUDIT_WAITING_BYTES_MAX + 4096);
    assert_true(got > AUDIT_WAITING_BYTES_MAX - AUDIT_WAITING_BYTES_MAX / 16);
    assert_non_null(strstr(rest, "{\"line\":60001,\"after\":1}\n"));
    {
        char name[AUDIT_NAME_SIZE];
        unsigned lines = 0;
        unsigned dropped = 0;
        char *mark;

        audit_month_name(audit_month_of(clock_now().wall), name); /* the mark is of now */
        mark = contents(name);
        assert_non_null(mark);
        assert_ptr_equal(strstr(mark, "{\"line\":60000,\"kind\":\"dropped\",\"seen\":"), mark);
        for (size_t i = 0; i < got; i++) {
            lines += rest[i] == '\n';
        }
        assert_int_equal(sscanf(strstr(mark, "\"lines\":"), "\"lines\":%u", &dropped), 1);
        assert_int_equal(lines - 1 + dropped, 60000);
        free(mark);
    }
    audit_bench_stop(audit);
    close(fd);
    free(rest);
}

static void sleep_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void a_disk_that_refuses_is_tried_again(void **state)
{
    struct audit *audit;
    char object[1001];
    struct stat about;

    memset(object, 'x', sizeof object);
    memcpy(object, "{\"a\":\"", 6);
    memcpy(object + 998, "\"}", 3);

    (void)state;
    scratch_write_text("audit", "a file where the folder should be");
    audit = audit_bench_start();
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 10000; i++) {
            audit_add(audit, january(), object, 1000);
            audit_commit(audit);
        }
        sleep_ms(AUDIT_RETRY_MS + 100);
    }
    assert_int_equal(unlink("audit"), 0);
    audit_past_free(audit_bench_past(audit));
    audit_bench_stop(audit);
    assert_int_equal(stat("audit/events-2025-01.jsonl", &about), 0);
    assert_true((size_t)about.st_size > AUDIT_WAITING_BYTES_MAX / 2);
    assert_true((size_t)about.st_size < 2 * AUDIT_WAITING_BYTES_MAX + 4096);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_called_as_its_month),
        TEST(lines_go_into_the_file_of_their_month),
        TEST(numbers_go_on_behind_the_last_line),
        TEST(a_line_that_a_crash_cut_off_is_replaced_by_a_mark),
        TEST(files_of_a_clock_that_was_ahead_hide_no_other),
        TEST(a_file_that_holds_no_line_at_all_is_left_as_it_is),
        TEST(two_watchers_do_not_write_into_one_folder),
        TEST(a_folder_that_cannot_be_made_is_an_error_with_its_name),
        TEST(months_are_kept_as_long_as_configured),
        TEST(a_clock_that_leaps_years_removes_nothing),
        TEST(a_clock_that_has_leapt_is_believed_when_a_line_of_its_own_is_a_day_old),
        TEST(months_of_a_clock_that_was_ahead_take_nothing_along),
        TEST(a_line_without_a_time_does_not_say_for_how_long_it_stands),
        TEST(the_state_is_replaced_as_a_whole),
        TEST(what_is_committed_is_in_the_file_after_a_stop),
        TEST(a_disk_that_hangs_holds_up_nobody_and_memory_is_bounded),
        TEST(a_disk_that_refuses_is_tried_again),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
