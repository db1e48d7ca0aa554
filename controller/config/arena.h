/* Memory that is freed all at once: what a roster's entries point to. */
#ifndef TAGOUT_CONFIG_ARENA_H
#define TAGOUT_CONFIG_ARENA_H

#include <stddef.h>

struct arena_block;

/* {NULL} is an empty one. */
struct arena {
    struct arena_block *newest;
};

/* Zeroed and aligned for pointers and numbers of 64 bits; NULL when memory is out. */
void *arena_get(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const char *string);
void arena_free(struct arena *arena);

#endif
