#include "tests/lib/failing_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* The linker's names for what is wrapped, and for what takes its place. */
// NOLINTBEGIN(*-reserved-identifier,readability-identifier-naming,*-dcl37-c)
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t size);

static struct {
    atomic_uint left; /* calls until the one that fails; 0: none does */
    atomic_bool for_good;
    atomic_bool struck;
} order;

void failing_memory_order(unsigned nth, bool for_good)
{
    order.struck = false;
    order.for_good = for_good;
    order.left = nth;
}

bool failing_memory_end(void)
{
    order.left = 0;
    return order.struck;
}

static bool fails(void)
{
    unsigned left = order.left;

    if (left == 0 || (left > 1 && atomic_fetch_sub(&order.left, 1) > 1)) {
        return false;
    }
    if (!order.for_good) {
        order.left = 0;
    }
    order.struck = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *string)
{
    return fails() ? NULL : __real_strdup(string);
}

char *__wrap_strndup(const char *string, size_t size)
{
    return fails() ? NULL : __real_strndup(string, size);
}
// NOLINTEND(*-reserved-identifier,readability-identifier-naming,*-dcl37-c)
