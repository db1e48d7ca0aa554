#include "controller/support/json_memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#define PIECE_BYTES 16384

/* A parser's hooks have no context, and every thread may parse: hence one a thread. */
struct piece {
    alignas(max_align_t) char bytes[PIECE_BYTES];
    size_t used;
    bool open; /* a parse is under way */
};

static _Thread_local struct piece piece;

static bool is_inside(const void *memory)
{
    uintptr_t start = (uintptr_t)piece.bytes;
    uintptr_t at = (uintptr_t)memory;

    return at >= start && at < start + PIECE_BYTES;
}

bool json_memory_begin(void)
{
    piece.open = piece.used == 0;
    return piece.open;
}

void json_memory_end(bool failed)
{
    piece.open = false;
    piece.used = failed ? 0 : piece.used;
}

void *json_memory_take(size_t size)
{
    const size_t alignment = alignof(max_align_t);
    void *memory;

    if (!piece.open || size > PIECE_BYTES - piece.used) {
        return malloc(size);
    }
    memory = piece.bytes + piece.used;
    piece.used += (size + alignment - 1) / alignment * alignment;
    return memory;
}

void json_memory_drop(void *memory)
{
    if (!is_inside(memory)) {
        free(memory);
    }
}

void json_memory_reset(const void *memory)
{
    if (is_inside(memory)) {
        piece.used = 0;
    }
}
