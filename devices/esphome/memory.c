#include "devices/esphome/memory.h"

#include <string.h>

/* In the upper bits, so that what is blank or another program's is not taken for ours. */
#define MARK 0x7A600100U
#define MARK_MASK 0xFFFFFF00U

enum {
    PRESS = 1,
    LAST_OOPS = 2,
    LAST_LOCKOUT = 4,
    SELF_REBOOTED = 8,
};

void memory_pack(const struct memory *memory, uint32_t words[MEMORY_WORDS])
{
    words[0] = MARK;
    words[0] |= memory->keep.press ? (uint32_t)PRESS : 0;
    words[0] |= memory->keep.last_oops ? (uint32_t)LAST_OOPS : 0;
    words[0] |= memory->keep.last_lockout ? (uint32_t)LAST_LOCKOUT : 0;
    words[0] |= memory->keep.self_rebooted ? (uint32_t)SELF_REBOOTED : 0;
    words[1] = memory->restart_id;
}

void memory_unpack(const uint32_t words[MEMORY_WORDS], struct memory *ret)
{
    memset(ret, 0, sizeof *ret);
    if ((words[0] & MARK_MASK) != MARK) {
        return;
    }
    ret->keep.press = (words[0] & PRESS) != 0;
    ret->keep.last_oops = (words[0] & LAST_OOPS) != 0;
    ret->keep.last_lockout = (words[0] & LAST_LOCKOUT) != 0;
    ret->keep.self_rebooted = (words[0] & SELF_REBOOTED) != 0;
    ret->restart_id = words[1];
}

bool memory_knows_restart(const struct memory *memory, uint32_t id, uint64_t connected_for_ms)
{
    return id != 0 && id == memory->restart_id && connected_for_ms < MEMORY_RETAINED_MS;
}
