/* Cards as the world may see them: a keyed hash, never the number (C8.1). */
#ifndef TAGOUT_DAEMON_CARD_HASH_H
#define TAGOUT_DAEMON_CARD_HASH_H

#include <stdbool.h>

#include "controller/core/machine.h"

#define CARD_KEY_BYTES 32
#define CARD_KEY_HEX_SIZE (CARD_KEY_BYTES * 2 + 1)
#define CARD_KEY_FINGERPRINT_SIZE 17

struct card_key {
    unsigned char bytes[CARD_KEY_BYTES];
    char fingerprint[CARD_KEY_FINGERPRINT_SIZE]; /* tells keys apart, tells nothing of them */
};

void card_key_random(struct card_key *key);
/* False for anything but 64 hexadecimal digits. */
bool card_key_from_hex(struct card_key *key, const char *hex);
void card_key_to_hex(const struct card_key *key, char hex[CARD_KEY_HEX_SIZE]);
void card_key_forget(struct card_key *key);

/* "" stays "". */
void card_hash(const struct card_key *key, const char *card, char hash[CORE_CARD_SIZE]);

#endif
