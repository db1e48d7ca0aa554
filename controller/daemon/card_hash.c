#include "controller/daemon/card_hash.h"

#include <sodium.h>
#include <string.h>

static void set_fingerprint(struct card_key *key)
{
    unsigned char digest[crypto_generichash_BYTES_MIN];

    crypto_generichash(digest, sizeof digest, key->bytes, sizeof key->bytes, NULL, 0);
    sodium_bin2hex(
        key->fingerprint, sizeof key->fingerprint, digest, (CARD_KEY_FINGERPRINT_SIZE - 1) / 2);
}

void card_key_random(struct card_key *key)
{
    randombytes_buf(key->bytes, sizeof key->bytes);
    set_fingerprint(key);
}

bool card_key_from_hex(struct card_key *key, const char *hex)
{
    struct card_key read;
    size_t length = 0;

    if (strlen(hex) != CARD_KEY_HEX_SIZE - 1 ||
        sodium_hex2bin(
            read.bytes, sizeof read.bytes, hex, CARD_KEY_HEX_SIZE - 1, NULL, &length, NULL) != 0 ||
        length != CARD_KEY_BYTES) {
        return false;
    }
    *key = read;
    set_fingerprint(key);
    return true;
}

void card_key_to_hex(const struct card_key *key, char hex[CARD_KEY_HEX_SIZE])
{
    sodium_bin2hex(hex, CARD_KEY_HEX_SIZE, key->bytes, sizeof key->bytes);
}

void card_key_forget(struct card_key *key)
{
    sodium_memzero(key, sizeof *key);
}

void card_hash(const struct card_key *key, const char *card, char hash[CORE_CARD_SIZE])
{
    unsigned char digest[(CORE_CARD_SIZE - 1) / 2];

    if (card[0] == '\0') {
        hash[0] = '\0';
        return;
    }
    crypto_generichash(
        digest, sizeof digest, (const unsigned char *)card, strlen(card), key->bytes,
        sizeof key->bytes);
    sodium_bin2hex(hash, CORE_CARD_SIZE, digest, sizeof digest);
}
