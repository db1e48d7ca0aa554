/* Several Sentinels, and whom to believe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "persistence/redis_votes.h"

#define NOW_MS 100000

static const struct mono_time now = {.ms = NOW_MS};
static const struct endpoint nothing = {.port = 0};

static struct endpoint master(char letter)
{
    struct endpoint endpoint = {.host = {letter}, .port = 6379};
    return endpoint;
}

/* One voice a letter: the master it names; '-' names none. Those from `stale` on are old. */
static size_t say(const char *letters, size_t stale, struct sentinel_voice voices[SENTINELS_MAX])
{
    size_t count = strlen(letters);

    for (size_t i = 0; i < count; i++) {
        voices[i] = (struct sentinel_voice){
            .named = letters[i] != '-',
            .at.ms = i < stale ? NOW_MS : NOW_MS - SENTINEL_FRESH_MS,
            .master = master(letters[i]),
        };
    }
    return count;
}

static char letter(const struct endpoint *chosen)
{
    return chosen == NULL ? '-' : chosen->host[0];
}

static char choose(const char *letters, char last)
{
    struct sentinel_voice voices[SENTINELS_MAX];
    size_t count = say(letters, SENTINELS_MAX, voices);
    struct endpoint before = last == '-' ? nothing : master(last);

    return letter(sentinel_choose(voices, count, now, &before));
}

static char moved(const char *letters, size_t stale, char last)
{
    struct sentinel_voice voices[SENTINELS_MAX];
    size_t count = say(letters, stale, voices);
    struct endpoint before = last == '-' ? nothing : master(last);

    return letter(sentinel_moved(voices, count, now, &before));
}

static void the_master_that_most_of_them_name_is_tried(void **state)
{
    (void)state;
    assert_int_equal(choose("---", '-'), '-');
    assert_int_equal(choose("-a-", '-'), 'a');
    assert_int_equal(choose("abb", '-'), 'b');
    assert_int_equal(choose("abb", 'b'), 'b'); /* whatever came of it */
    assert_int_equal(choose("aab", 'b'), 'a');
    assert_int_equal(choose("aabbbccc", 'b'), 'c');
}

static void where_as_many_name_another_each_has_its_turn(void **state)
{
    (void)state;
    assert_int_equal(choose("ab", '-'), 'a');
    assert_int_equal(choose("ab", 'a'), 'b');
    assert_int_equal(choose("ab", 'b'), 'a');
    assert_int_equal(choose("abc", 'a'), 'b');
    assert_int_equal(choose("abc", 'b'), 'c');
    assert_int_equal(choose("abc", 'c'), 'a');
    assert_int_equal(choose("aabb", 'a'), 'b');
    assert_int_equal(choose("aabb", 'b'), 'a');
}

static void a_connection_that_works_is_left_when_more_than_half_of_all_say_so(void **state)
{
    (void)state;
    assert_int_equal(moved("b", SENTINELS_MAX, 'a'), 'b');
    assert_int_equal(moved("ab", SENTINELS_MAX, 'a'), '-');
    assert_int_equal(moved("bb", SENTINELS_MAX, 'a'), 'b');
    assert_int_equal(moved("-b", SENTINELS_MAX, 'a'), '-');
    assert_int_equal(moved("--b", SENTINELS_MAX, 'a'), '-'); /* cut off from the rest, perhaps */
    assert_int_equal(moved("b-b", SENTINELS_MAX, 'a'), 'b');
    assert_int_equal(moved("aab", SENTINELS_MAX, 'a'), '-');
    assert_int_equal(moved("bbaa", SENTINELS_MAX, 'a'), '-');
    assert_int_equal(moved("aaa", SENTINELS_MAX, 'a'), '-');
    assert_int_equal(moved("---", SENTINELS_MAX, 'a'), '-');
}

static void the_first_answer_is_enough_where_nothing_was_known(void **state)
{
    (void)state;
    assert_int_equal(moved("--b", SENTINELS_MAX, '-'), 'b');
    assert_int_equal(moved("---", SENTINELS_MAX, '-'), '-');
}

static void an_answer_counts_no_more_when_three_questions_went_without(void **state)
{
    struct sentinel_voice voice = {.named = true, .master = master('b')};
    struct endpoint last = master('a');

    (void)state;
    voice.at.ms = NOW_MS - SENTINEL_FRESH_MS + 1;
    assert_int_equal(letter(sentinel_choose(&voice, 1, now, &last)), 'b');
    voice.at.ms = NOW_MS - SENTINEL_FRESH_MS;
    assert_int_equal(letter(sentinel_choose(&voice, 1, now, &last)), '-');
    assert_int_equal(moved("bbb", 2, 'a'), 'b');
    assert_int_equal(moved("bbb", 1, 'a'), '-');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_master_that_most_of_them_name_is_tried),
        cmocka_unit_test(where_as_many_name_another_each_has_its_turn),
        cmocka_unit_test(a_connection_that_works_is_left_when_more_than_half_of_all_say_so),
        cmocka_unit_test(the_first_answer_is_enough_where_nothing_was_known),
        cmocka_unit_test(an_answer_counts_no_more_when_three_questions_went_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
