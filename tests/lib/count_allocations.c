/* Loaded into a program ahead of the C library, it counts calls of malloc, calloc and realloc: in
 * the file that BENCH_ALLOCATIONS names, first those of all but Paho, then Paho's, 8 bytes each. */
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNTERS 2
#define RANGES_MAX 8

/* The C library's own, under the names by which it keeps them for such as this. */
void *__libc_malloc(size_t size);                // NOLINT(*-reserved-identifier,*-dcl37-c)
void *__libc_calloc(size_t count, size_t size);  // NOLINT(*-reserved-identifier,*-dcl37-c)
void *__libc_realloc(void *memory, size_t size); // NOLINT(*-reserved-identifier,*-dcl37-c)

static atomic_uint_least64_t nowhere[COUNTERS];
static atomic_uint_least64_t *counters = nowhere;
/* Where Paho's code is. */
static struct {
    uintptr_t start;
    uintptr_t end;
} ranges[RANGES_MAX];
static int range_count;

static int note_ranges(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum && strstr(info->dlpi_name, "libpaho") != NULL; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD && range_count < RANGES_MAX) {
            ranges[range_count].start = info->dlpi_addr + header->p_vaddr;
            ranges[range_count].end = ranges[range_count].start + header->p_memsz;
            range_count++;
        }
    }
    return 0;
}

__attribute__((constructor)) static void open_counters(void)
{
    const char *path = getenv("BENCH_ALLOCATIONS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *memory;

    (void)dl_iterate_phdr(note_ranges, NULL);
    if (fd < 0) {
        return;
    }
    memory = mmap(NULL, COUNTERS * sizeof nowhere[0], PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED) {
        counters = memory;
    }
}

static void count(const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    bool is_paho = false;

    for (int i = 0; i < range_count && !is_paho; i++) {
        is_paho = address >= ranges[i].start && address < ranges[i].end;
    }
    atomic_fetch_add(&counters[is_paho], 1);
}

void *malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(ptr, size);
}
