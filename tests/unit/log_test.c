#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/log.h"
#include "controller/support/log_line.h"
#include "controller/support/text.h"

/* Standard error is a pipe of ours while a test runs. */
static int saved_stderr;
static int reader;
static char output[1024 * 1024];

static void redirect(int read_end, int write_end)
{
    reader = read_end;
    dup2(write_end, STDERR_FILENO);
    close(write_end);
    fcntl(reader, F_SETFL, O_NONBLOCK);
}

static int set_up(void **state)
{
    int fds[2];

    (void)state;
    unsetenv("JOURNAL_STREAM");
    unsetenv("NO_COLOR");
    saved_stderr = dup(STDERR_FILENO);
    if (pipe(fds) != 0) {
        return -1;
    }
    redirect(fds[0], fds[1]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_stop();
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(reader);
    return 0;
}

/* What was written so far, waiting a moment for the first byte. */
static const char *written(void)
{
    size_t length = 0;
    ssize_t got;

    poll(&(struct pollfd){.fd = reader, .events = POLLIN}, 1, 5000);
    while ((got = read(reader, output + length, sizeof output - 1 - length)) > 0) {
        length += (size_t)got;
    }
    output[length] = '\0';
    return output;
}

/* Behind the time, "2026-11-22 14:03:05.123 ". */
static const char *after_time(const char *line)
{
    static const char shape[] = "dddd-dd-dd dd:dd:dd.ddd ";

    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool digit = line[i] >= '0' && line[i] <= '9';
        assert_true(shape[i] == 'd' ? digit : line[i] == shape[i]);
    }
    return line + sizeof shape - 1;
}

static void a_line_has_time_level_program_and_text(void **state)
{
    (void)state;
    assert_int_equal(log_start("tagoutd", LOG_LEVEL_DEBUG), STATUS_OK);
    log_info("card %d in", 7);
    log_stop();
    assert_string_equal(after_time(written()), "INFO  tagoutd: card 7 in\n");
}

static void the_time_is_local_and_has_milliseconds(void **state)
{
    char line[LOG_LINE_MAX];
    size_t length;

    (void)state;
    setenv("TZ", "XYZ-2", 1);
    tzset();
    log_line_look_around();
    length = log_line(line, LOG_LEVEL_ERROR, "p", "t", (struct wall_time){.ms = 86400007});
    line[length] = '\0';
    assert_string_equal(line, "1970-01-02 02:00:00.007 ERROR p: t\n");
    unsetenv("TZ");
    tzset();
}

static void levels_below_the_least_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(log_start("p", LOG_LEVEL_WARNING), STATUS_OK);
    log_debug("no");
    log_info("no");
    log_warning("yes");
    log_error("yes");
    log_stop();
    written();
    assert_string_equal(after_time(output), strstr(output, "WARN  p: yes\n"));
    assert_string_equal(after_time(strchr(output, '\n') + 1), "ERROR p: yes\n");
}

static void a_hostile_payload_cannot_forge_a_line(void **state)
{
    (void)state;
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    log_info(
        "%s", "a\nb\r\t\033[31m\x7f\xc2\x9b"
              "z");
    log_stop();
    assert_string_equal(
        after_time(written()), "INFO  p: a\\nb\\x0d\\x09\\x1b[31m\\x7f\\xc2\\x9bz\n");
}

static void invalid_utf8_is_escaped_and_valid_is_not(void **state)
{
    (void)state;
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    log_info("%s", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x94\x91 \xff \xc3 \xed\xa0\x80 \xe2\x82");
    log_stop();
    assert_string_equal(
        after_time(written()), "INFO  p: Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x94\x91 "
                               "\\xff \\xc3 \\xed\\xa0\\x80 \\xe2\\x82\n");
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    char text[6000];

    (void)state;
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_info("%s", text);
    memset(text, '\001', sizeof text - 1);
    log_info("%s", text);
    log_stop();
    written();
    char *second = strchr(output, '\n') + 1;
    assert_memory_equal(second - 5, "x...\n", 5);
    size_t length = strlen(second);
    assert_in_range(length, 3000, LOG_LINE_MAX);
    assert_memory_equal(second + length - 4, "...\n", 4);
}

static void before_the_start_and_after_the_stop_lines_are_written_directly(void **state)
{
    (void)state;
    log_info("before");
    assert_string_equal(strstr(written(), ": before\n"), ": before\n");
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    log_stop();
    log_info("after");
    assert_string_equal(strstr(written(), " p: after\n"), " p: after\n");
}

static void the_journal_gets_priorities_instead_of_the_time(void **state)
{
    struct stat target;
    char stream[64];

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &target), 0);
    snprintf(
        stream, sizeof stream, "%llu:%llu", (unsigned long long)target.st_dev,
        (unsigned long long)target.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    assert_int_equal(log_start("p", LOG_LEVEL_DEBUG), STATUS_OK);
    log_debug("d");
    log_info("i");
    log_warning("w");
    log_error("e");
    log_stop();
    assert_string_equal(written(), "<7>d\n<6>i\n<4>w\n<3>e\n");
    unsetenv("JOURNAL_STREAM");
}

static void a_redirected_child_of_a_service_writes_the_time(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "1:1", 1);
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    log_info("i");
    log_stop();
    assert_string_equal(after_time(written()), "INFO  p: i\n");
    unsetenv("JOURNAL_STREAM");
}

static void open_terminal(void)
{
    int master;
    int slave;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    close(reader);
    redirect(master, slave);
}

static void a_terminal_gets_colour_unless_NO_COLOR_says_no(void **state)
{
    (void)state;
    open_terminal();
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    log_error("e");
    log_stop();
    assert_non_null(strstr(written(), "\033[31mERROR\033[0m p: e"));
    setenv("NO_COLOR", "1", 1);
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    log_error("e");
    log_stop();
    assert_null(strchr(written(), '\033'));
    unsetenv("NO_COLOR");
}

/* Far more than the pipe (64 KiB) and the ring hold. */
#define FLOOD 20000

static void C1_logging_never_blocks_and_dropped_lines_are_counted(void **state)
{
    int64_t slowest = 0;
    uint64_t dropped;
    size_t lines = 0;
    char told[64];

    (void)state;
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    for (int i = 0; i < FLOOD; i++) {
        int64_t before = clock_now().mono.ms;
        log_info("line %d", i);
        int64_t took = clock_now().mono.ms - before;
        slowest = took > slowest ? took : slowest;
    }
    assert_true(slowest < 5000); /* nobody reads: who waits does so for ever */
    dropped = log_dropped();
    assert_in_range(dropped, 1000, FLOOD - 1000);

    /* Somebody reads again: what was kept comes, in order, and then the count. */
    snprintf(
        told, sizeof told, "WARN  p: %llu log lines were dropped\n", (unsigned long long)dropped);
    size_t length = 0;
    while (strstr(output, told) == NULL) {
        assert_int_equal(poll(&(struct pollfd){.fd = reader, .events = POLLIN}, 1, 5000), 1);
        ssize_t got = read(reader, output + length, sizeof output - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        output[length] = '\0';
    }
    for (const char *at = output; (at = strstr(at, "p: line ")) != NULL; at++) {
        assert_int_equal(strtoul(at + 8, NULL, 10), lines);
        lines++;
    }
    assert_int_equal(lines + dropped, FLOOD);
    log_info("as before");
    log_stop();
    assert_string_equal(after_time(written()), "INFO  p: as before\n");
    assert_int_equal(log_dropped(), dropped);
}

static void a_logger_keeps_errno(void **state)
{
    (void)state;
    errno = EDOM;
    log_info("x");
    assert_int_equal(errno, EDOM);
}

#define WRITERS 4
#define LINES 500

static void *write_many(void *number)
{
    for (int i = 0; i < LINES; i++) {
        log_info("%d.%d.", (int)(intptr_t)number, i);
    }
    return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    pthread_t threads[WRITERS];
    size_t length = 0;
    int lines = 0;

    (void)state;
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    for (int i = 0; i < WRITERS; i++) {
        pthread_create(&threads[i], NULL, write_many, (void *)(intptr_t)i);
    }
    while (lines < WRITERS * LINES) {
        ssize_t got;
        assert_int_equal(poll(&(struct pollfd){.fd = reader, .events = POLLIN}, 1, 5000), 1);
        got = read(reader, output + length, sizeof output - 1 - length);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++) {
            lines += output[length + (size_t)i] == '\n';
        }
        length += (size_t)got;
    }
    output[length] = '\0';
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        int number;
        int count;
        assert_int_equal(sscanf(after_time(line), "INFO  p: %d.%d.", &number, &count), 2);
        assert_int_equal(line[strlen(line) - 1], '.');
    }
}

static void log_stop_gives_up_when_nobody_reads(void **state)
{
    int64_t before;

    (void)state;
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_OK);
    for (int i = 0; i < FLOOD; i++) {
        log_info("line %d", i);
    }
    before = clock_now().mono.ms;
    log_stop();
    assert_in_range(clock_now().mono.ms - before, 900, 20000);
    before = clock_now().mono.ms;
    log_error("no room for this one");
    assert_true(clock_now().mono.ms - before < 5000);
    assert_int_equal(log_start("p", LOG_LEVEL_INFO), STATUS_BUSY);
    /* Its thread ends as soon as somebody reads, for the sake of the test's own output. */
    while (poll(&(struct pollfd){.fd = reader, .events = POLLIN}, 1, 200) == 1) {
        written();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_has_time_level_program_and_text),
        TEST(the_time_is_local_and_has_milliseconds),
        TEST(levels_below_the_least_are_left_out),
        TEST(a_hostile_payload_cannot_forge_a_line),
        TEST(invalid_utf8_is_escaped_and_valid_is_not),
        TEST(a_long_line_is_cut_and_says_so),
        TEST(before_the_start_and_after_the_stop_lines_are_written_directly),
        TEST(the_journal_gets_priorities_instead_of_the_time),
        TEST(a_redirected_child_of_a_service_writes_the_time),
        TEST(a_terminal_gets_colour_unless_NO_COLOR_says_no),
        TEST(C1_logging_never_blocks_and_dropped_lines_are_counted),
        TEST(a_logger_keeps_errno),
        TEST(lines_of_many_threads_stay_whole),
        TEST(log_stop_gives_up_when_nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
