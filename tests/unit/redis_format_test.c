#include "persistence/redis_format.h"

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 120

static void assert_as_hiredis(
    struct redis_format *format, const char *const words[], const size_t lengths[], size_t count)
{
    sds wanted = NULL;
    int length =
        redisFormatSdsCommandArgv(&wanted, (int)count, (const char **)(uintptr_t)words, lengths);

    assert_int_equal(redis_format(format, words, lengths, count), STATUS_OK);
    assert_int_equal(format->length, length);
    assert_memory_equal(format->bytes, wanted, format->length + 1);
    redisFreeSdsCommand(wanted);
}

static void a_command_is_written_as_hiredis_writes_it(void **state)
{
    static const char *const words[] = {"EVALSHA", "", "a b\r\nc", "0123456789"};
    struct redis_format format = {0};

    (void)state;
    assert_as_hiredis(&format, words, NULL, 4);
    assert_as_hiredis(&format, words, NULL, 1);
    redis_format_free(&format);
}

static void words_with_a_length_may_hold_anything(void **state)
{
    static const char *const words[] = {"SET", "k\0y", "\0"};
    static const size_t lengths[] = {3, 3, 1};
    struct redis_format format = {0};

    (void)state;
    assert_as_hiredis(&format, words, lengths, 3);
    redis_format_free(&format);
}

static void it_grows_to_the_longest_command(void **state)
{
    static char longest[70000];
    const char *words[WORDS_MAX];
    struct redis_format format = {0};

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    for (size_t i = 0; i < WORDS_MAX; i++) {
        words[i] = longest + sizeof longest - 1 - i * i;
    }
    assert_as_hiredis(&format, words, NULL, 2);
    assert_as_hiredis(&format, words, NULL, WORDS_MAX);
    words[0] = longest;
    assert_as_hiredis(&format, words, NULL, WORDS_MAX);
    assert_as_hiredis(&format, words, NULL, 3);
    redis_format_free(&format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_written_as_hiredis_writes_it),
        cmocka_unit_test(words_with_a_length_may_hold_anything),
        cmocka_unit_test(it_grows_to_the_longest_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
