#include "controller/ctl/password.h"

#include <sodium.h>
#include <string.h>

/* Mosquitto takes the number from the file. Iterations make guessing dearer, and nobody guesses 139
 * random bits; but its one thread hashes anew for each box that comes back after an outage, and for
 * all that are connected on each SIGHUP. With mosquitto_passwd's 101 it stood still for 0.6 s then,
 * with 2,000 boxes; with one for 0.04 s. */
#define ITERATIONS 1
#define SALT_BYTES 12

static const char alphabet[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

enum status password_make(char ret_password[PASSWORD_SIZE])
{
    if (sodium_init() < 0) {
        return STATUS_IO;
    }
    for (size_t i = 0; i < PASSWORD_SIZE - 1; i++) {
        ret_password[i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
    }
    ret_password[PASSWORD_SIZE - 1] = '\0';
    return STATUS_OK;
}

static void
hmac(const char *password, const unsigned char *bytes, size_t length, unsigned char *ret_sum)
{
    crypto_auth_hmacsha512_state state;

    crypto_auth_hmacsha512_init(&state, (const unsigned char *)password, strlen(password));
    crypto_auth_hmacsha512_update(&state, bytes, length);
    crypto_auth_hmacsha512_final(&state, ret_sum);
    sodium_memzero(&state, sizeof state);
}

/* RFC 8018's PBKDF2, of which one block of 64 bytes is asked for. */
static void derive(
    const char *password, const unsigned char salt[SALT_BYTES],
    unsigned char ret_key[crypto_auth_hmacsha512_BYTES])
{
    unsigned char first[SALT_BYTES + 4] = {[SALT_BYTES + 3] = 1};
    unsigned char sum[crypto_auth_hmacsha512_BYTES];

    memcpy(first, salt, SALT_BYTES);
    hmac(password, first, sizeof first, sum);
    memcpy(ret_key, sum, sizeof sum);
    for (int i = 1; i < ITERATIONS; i++) {
        hmac(password, sum, sizeof sum, sum);
        for (size_t at = 0; at < sizeof sum; at++) {
            ret_key[at] ^= sum[at];
        }
    }
}

enum status password_hash(const char *password, char ret_hash[PASSWORD_HASH_SIZE])
{
    unsigned char salt[SALT_BYTES];
    unsigned char key[crypto_auth_hmacsha512_BYTES];
    char salt_text[32];
    char key_text[96];
    struct text out = text_over(ret_hash, PASSWORD_HASH_SIZE);

    if (sodium_init() < 0) {
        return STATUS_IO;
    }
    randombytes_buf(salt, sizeof salt);
    derive(password, salt, key);
    sodium_bin2base64(
        salt_text, sizeof salt_text, salt, sizeof salt, sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(key_text, sizeof key_text, key, sizeof key, sodium_base64_VARIANT_ORIGINAL);
    text_addf(&out, "$7$%d$%s$%s", ITERATIONS, salt_text, key_text);
    return STATUS_OK;
}

void password_sha256(const char *password, char ret_hash[PASSWORD_SHA256_SIZE])
{
    unsigned char sum[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(sum, (const unsigned char *)password, strlen(password));
    sodium_bin2hex(ret_hash, PASSWORD_SHA256_SIZE, sum, sizeof sum);
}

void password_key(char ret_key[PASSWORD_KEY_SIZE])
{
    unsigned char key[(PASSWORD_KEY_SIZE - 1) / 2];

    randombytes_buf(key, sizeof key);
    sodium_bin2hex(ret_key, PASSWORD_KEY_SIZE, key, sizeof key);
    sodium_memzero(key, sizeof key);
}
