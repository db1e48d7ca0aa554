#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/watcher/spool.h"
#include "tests/lib/scratch.h"

static struct spool *spool;

static void begin(void)
{
    TEXT_LOCAL(why, 256);

    if (spool_open(".", &spool, &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
}

/* The process is killed: nothing is said to the file. */
static void kill_and_begin(void)
{
    spool_close(spool);
    begin();
}

static int open_spool(void **state)
{
    (void)state;
    begin();
    return 0;
}

static int close_spool(void **state)
{
    (void)state;
    spool_close(spool);
    return unlink("heard");
}

static void take(void *context, const char *topic, const char *payload, size_t length)
{
    struct text *text = context;

    assert_int_equal(strlen(payload), length);
    text_addf(text, "%s=%s;", topic, payload);
}

static void expect(const char *expected)
{
    TEXT_LOCAL(left, 1024);

    spool_recall(spool, take, &left);
    assert_string_equal(left.data, expected);
}

static void add(const char *topic, const char *payload)
{
    spool_add(spool, topic, payload, strlen(payload));
}

static void what_was_heard_is_left_for_the_next_process(void **state)
{
    (void)state;
    expect("");
    add("a", "1");
    add("b/c", "");
    add("a", "22");
    expect(""); /* that is this process's own */
    kill_and_begin();
    expect("a=1;b/c=;a=22;");
    expect("");
    add("a", "3");
    kill_and_begin(); /* and again, as long as there is room */
    expect("a=1;b/c=;a=22;a=3;");
}

static void what_was_written_is_not_left(void **state)
{
    (void)state;
    add("a", "1");
    spool_clear(spool);
    add("a", "2");
    kill_and_begin();
    spool_clear(spool); /* nobody has recalled it */
    kill_and_begin();
    expect("a=2;");
    spool_clear(spool);
    kill_and_begin();
    expect("");
}

static size_t count;
static unsigned last;

static void count_one(void *context, const char *topic, const char *payload, size_t length)
{
    unsigned number = (unsigned)strtoul(payload, NULL, 10);

    (void)context;
    assert_string_equal(topic, "tagout/machine/saw/event");
    assert_int_equal(length, 1000);
    assert_true(count == 0 || number == last + 1);
    last = number;
    count++;
}

/* Whichever half is the newer. */
static void the_newest_are_left_at_least_a_half_of_them(void **state)
{
    const unsigned half = (unsigned)(SPOOL_HALF_BYTES / 1000);
    unsigned number = 0;
    char payload[1001];

    (void)state;
    for (unsigned halves = 1; halves <= 6; halves++) {
        for (unsigned i = 0; i < half; i++) {
            snprintf(payload, sizeof payload, "%-1000u", ++number);
            add("tagout/machine/saw/event", payload);
        }
        kill_and_begin();
        count = 0;
        spool_recall(spool, count_one, NULL);
        assert_int_equal(last, number);
        assert_in_range(count, half - half / 20, 2 * half);
    }
}

static void what_is_longer_than_a_half_is_no_event(void **state)
{
    char *payload = malloc(SPOOL_HALF_BYTES);

    (void)state;
    assert_non_null(payload);
    memset(payload, 'x', SPOOL_HALF_BYTES);
    spool_add(spool, "a", payload, SPOOL_HALF_BYTES);
    free(payload);
    add("a", "1");
    kill_and_begin();
    expect("a=1;");
}

static void a_file_that_is_damaged_or_anothers_is_begun_anew_or_read_up_to_there(void **state)
{
    (void)state;
    for (long at = 0; at < 64; at++) {
        FILE *file;
        TEXT_LOCAL(left, 1024);

        add("a", "1");
        add("b", "2");
        spool_close(spool);
        file = fopen("heard", "r+");
        assert_non_null(file);
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_int_equal(fputc(0xff, file), 0xff);
        assert_int_equal(fclose(file), 0);
        begin();
        spool_recall(spool, take, &left);
        add("a", "3");
        spool_close(spool);
        assert_int_equal(unlink("heard"), 0);
        begin();
    }
    spool_close(spool);
    scratch_write_text("heard", "a note");
    begin();
    expect("");
}

static void two_watchers_do_not_share_one(void **state)
{
    struct spool *second = NULL;
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(spool_open(".", &second, &why), STATUS_IO);
    assert_non_null(strstr(why.data, "./heard: another watcher has it"));
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct spool *second = NULL;
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(spool_open("nowhere", &second, &why), STATUS_IO);
    assert_string_equal(
        why.data, "nowhere/heard: its folder cannot be opened: No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_spool, close_spool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_heard_is_left_for_the_next_process),
        TEST(what_was_written_is_not_left),
        TEST(the_newest_are_left_at_least_a_half_of_them),
        TEST(what_is_longer_than_a_half_is_no_event),
        TEST(a_file_that_is_damaged_or_anothers_is_begun_anew_or_read_up_to_there),
        TEST(two_watchers_do_not_share_one),
        TEST(a_folder_that_is_not_there_is_told),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
