#include "controller/config/hash.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(uint64_t) <= crypto_generichash_BYTES_MIN, "too short a hash");

enum status hash_start(void)
{
    return sodium_init() < 0 ? STATUS_IO : STATUS_OK;
}

static uint64_t finish(crypto_generichash_state *state)
{
    unsigned char bytes[crypto_generichash_BYTES_MIN];
    uint64_t number = 0;

    crypto_generichash_final(state, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof number; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

uint64_t hash_bytes(const char *bytes, size_t length)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MIN);
    crypto_generichash_update(&state, (const unsigned char *)bytes, length);
    return finish(&state);
}

uint64_t hash_string(const char *string)
{
    return hash_bytes(string, strlen(string));
}

uint64_t hash_list(const uint64_t *numbers, size_t count)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MIN);
    for (size_t i = 0; i < count; i++) {
        unsigned char bytes[sizeof numbers[i]];
        for (size_t byte = 0; byte < sizeof bytes; byte++) {
            bytes[byte] = (unsigned char)(numbers[i] >> (8 * byte) & 0xff);
        }
        crypto_generichash_update(&state, bytes, sizeof bytes);
    }
    return finish(&state);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

uint64_t hash_set(uint64_t *numbers, size_t count)
{
    if (count > 1) {
        qsort(numbers, count, sizeof *numbers, compare);
    }
    return hash_list(numbers, count);
}
