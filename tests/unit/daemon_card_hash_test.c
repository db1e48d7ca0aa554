/* C8.1: cards as the world may see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/daemon/card_hash.h"

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct card_key key_of(const char *hex)
{
    struct card_key key = {0};

    assert_true(card_key_from_hex(&key, hex));
    return key;
}

static void C8_1_the_same_key_and_card_give_the_same_hash(void **state)
{
    struct card_key key = key_of(KEY);
    struct card_key again = key_of(KEY);
    char one[CORE_CARD_SIZE];
    char other[CORE_CARD_SIZE];

    (void)state;
    card_hash(&key, "0000000001", one);
    card_hash(&again, "0000000001", other);
    assert_string_equal(one, other);
    assert_string_equal(key.fingerprint, again.fingerprint);
    assert_int_equal(strlen(one), CORE_CARD_SIZE - 1);
    assert_int_equal(strspn(one, "0123456789abcdef"), CORE_CARD_SIZE - 1);
}

/* So that a new version of the code finds the cards that an old one wrote down. */
static void C8_1_the_hash_is_blake2b_with_the_key(void **state)
{
    struct card_key key = key_of(KEY);
    char hash[CORE_CARD_SIZE];

    (void)state;
    card_hash(&key, "0000000001", hash);
    assert_string_equal(hash, "a6e979f9b5450bf8afe2b1018f3619fb");
    assert_string_equal(key.fingerprint, "f39a2cad58411cd4");
}

static void C8_1_another_card_or_key_gives_another_hash(void **state)
{
    struct card_key key = key_of(KEY);
    struct card_key other_key = key_of(OTHER);
    char hash[CORE_CARD_SIZE];
    char other[CORE_CARD_SIZE];

    (void)state;
    card_hash(&key, "0000000001", hash);
    card_hash(&key, "0000000002", other);
    assert_string_not_equal(hash, other);
    card_hash(&other_key, "0000000001", other);
    assert_string_not_equal(hash, other);
    assert_string_not_equal(key.fingerprint, other_key.fingerprint);
}

static void C8_1_the_number_is_not_in_the_hash_and_the_key_not_in_its_fingerprint(void **state)
{
    struct card_key key = key_of(KEY);
    char hash[CORE_CARD_SIZE];

    (void)state;
    card_hash(&key, "1234", hash);
    assert_null(strstr(hash, "1234"));
    assert_null(strstr(KEY, key.fingerprint));
}

static void no_card_is_no_hash(void **state)
{
    struct card_key key = key_of(KEY);
    char hash[CORE_CARD_SIZE] = "x";

    (void)state;
    card_hash(&key, "", hash);
    assert_string_equal(hash, "");
}

static void the_longest_card_counts_to_its_last_character(void **state)
{
    struct card_key key = key_of(KEY);
    char card[65];
    char hash[CORE_CARD_SIZE];
    char other[CORE_CARD_SIZE];

    (void)state;
    memset(card, '7', 64);
    card[64] = '\0';
    card_hash(&key, card, hash);
    card[63] = '8';
    card_hash(&key, card, other);
    assert_string_not_equal(hash, other);
}

static void a_key_is_64_hexadecimal_digits(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        KEY "00",
        "0g0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        " 00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:1415",
    };
    struct card_key key = key_of(KEY);
    char hex[CARD_KEY_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(card_key_from_hex(&key, bad[i]));
    }
    card_key_to_hex(&key, hex);
    assert_string_equal(hex, KEY); /* a refused key has changed nothing */
}

static void keys_by_chance_differ_and_survive_being_written_down(void **state)
{
    struct card_key key;
    struct card_key other;
    struct card_key read = {0};
    char hex[CARD_KEY_HEX_SIZE];

    (void)state;
    card_key_random(&key);
    card_key_random(&other);
    assert_memory_not_equal(key.bytes, other.bytes, CARD_KEY_BYTES);
    card_key_to_hex(&key, hex);
    assert_true(card_key_from_hex(&read, hex));
    assert_memory_equal(read.bytes, key.bytes, CARD_KEY_BYTES);
    assert_string_equal(read.fingerprint, key.fingerprint);
}

static void a_key_that_is_forgotten_is_gone(void **state)
{
    static const unsigned char nothing[CARD_KEY_BYTES];
    struct card_key key = key_of(KEY);

    (void)state;
    card_key_forget(&key);
    assert_memory_equal(key.bytes, nothing, CARD_KEY_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C8_1_the_same_key_and_card_give_the_same_hash),
        cmocka_unit_test(C8_1_the_hash_is_blake2b_with_the_key),
        cmocka_unit_test(C8_1_another_card_or_key_gives_another_hash),
        cmocka_unit_test(C8_1_the_number_is_not_in_the_hash_and_the_key_not_in_its_fingerprint),
        cmocka_unit_test(no_card_is_no_hash),
        cmocka_unit_test(the_longest_card_counts_to_its_last_character),
        cmocka_unit_test(a_key_is_64_hexadecimal_digits),
        cmocka_unit_test(keys_by_chance_differ_and_survive_being_written_down),
        cmocka_unit_test(a_key_that_is_forgotten_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
