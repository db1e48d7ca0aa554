/* Loaded into a program ahead of the C library, it counts calls of malloc, calloc and realloc: in
 * the file that BENCH_ALLOCATIONS names, first those of the program's first thread, then all
 * others', 8 bytes each. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNTERS 2

/* The C library's own, under the names by which it keeps them for such as this. */
void *__libc_malloc(size_t size);                // NOLINT(*-reserved-identifier,*-dcl37-c)
void *__libc_calloc(size_t count, size_t size);  // NOLINT(*-reserved-identifier,*-dcl37-c)
void *__libc_realloc(void *memory, size_t size); // NOLINT(*-reserved-identifier,*-dcl37-c)

static atomic_uint_least64_t nowhere[COUNTERS];
static atomic_uint_least64_t *counters = nowhere;
static _Thread_local int thread; /* 1: the first, 2: another, 0: not known yet */

__attribute__((constructor)) static void open_counters(void)
{
    const char *path = getenv("BENCH_ALLOCATIONS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *memory;

    if (fd < 0) {
        return;
    }
    memory = mmap(NULL, COUNTERS * sizeof nowhere[0], PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED) {
        counters = memory;
    }
}

static void count(void)
{
    if (thread == 0) {
        thread = gettid() == getpid() ? 1 : 2;
    }
    atomic_fetch_add(&counters[thread - 1], 1);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    count();
    return __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    count();
    return __libc_realloc(ptr, size);
}
