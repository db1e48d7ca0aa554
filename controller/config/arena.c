#include "controller/config/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 * 1024)
#define ALIGNMENT sizeof(uint64_t)

struct arena_block {
    struct arena_block *older;
    size_t used;
    size_t size;
    uint64_t bytes[];
};

static struct arena_block *grow(struct arena *arena, size_t size)
{
    size_t wanted = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct arena_block *block = calloc(1, sizeof *block + wanted);

    if (block != NULL) {
        block->older = arena->newest;
        block->size = wanted;
        arena->newest = block;
    }
    return block;
}

void *arena_get(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->newest;
    void *memory;

    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (block == NULL || block->size - block->used < size) {
        block = grow(arena, size);
    }
    if (block == NULL) {
        return NULL;
    }
    memory = (char *)block->bytes + block->used;
    block->used += size;
    return memory;
}

char *arena_copy(struct arena *arena, const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = arena_get(arena, size);

    if (copy != NULL) {
        memcpy(copy, string, size);
    }
    return copy;
}

void arena_free(struct arena *arena)
{
    while (arena->newest != NULL) {
        struct arena_block *block = arena->newest;
        arena->newest = block->older;
        free(block);
    }
}
