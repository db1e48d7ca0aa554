/* What the libraries share that tests load into programs ahead of the C library. Each of them is
 * one file, so this has no other.
 */
#ifndef TAGOUT_TESTS_PRELOAD_H
#define TAGOUT_TESTS_PRELOAD_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The function of that name in whose place this library's stands. */
static inline void *preload_next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL) {
        abort();
    }
    return function;
}

/* The memory that the program shares with the test: the file that the variable names. */
static inline void *preload_map(const char *variable, size_t size)
{
    static const char complaint[] = " names no file that can be mapped\n";
    const char *path = getenv(variable);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *mapped = MAP_FAILED;

    if (fd >= 0) {
        mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
    if (mapped == MAP_FAILED) {
        (void)!write(STDERR_FILENO, variable, strlen(variable));
        (void)!write(STDERR_FILENO, complaint, sizeof complaint - 1);
        abort();
    }
    return mapped;
}

#endif
