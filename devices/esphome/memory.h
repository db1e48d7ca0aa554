/* What the firmware keeps in flash. */
#ifndef TAGOUT_ESPHOME_MEMORY_H
#define TAGOUT_ESPHOME_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/device.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MEMORY_WORDS 2

/* How soon after a connect a restart may be a retained message that somebody left by mistake. */
#define MEMORY_RETAINED_MS 5000

struct memory {
    struct device_keep keep;
    uint32_t restart_id; /* of the last restart that was obeyed; 0: none */
};

void memory_pack(const struct memory *memory, uint32_t words[MEMORY_WORDS]);

/* Words that no memory_pack wrote are a new device's. */
void memory_unpack(const uint32_t words[MEMORY_WORDS], struct memory *ret);

/* The client tells no retained message from a live one, and obeying a retained restart would
 * restart the box for ever. One that comes at once after a connect, with the number that was obeyed
 * last, is taken for it. */
bool memory_knows_restart(const struct memory *memory, uint32_t id, uint64_t connected_for_ms);

#ifdef __cplusplus
}
#endif

#endif
