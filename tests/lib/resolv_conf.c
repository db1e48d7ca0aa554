/* A preloaded library: whoever opens /etc/resolv.conf gets the file that RESOLV_CONF names. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int open_instead(const char *name, const char *path, int flags, mode_t mode)
{
    int (*next)(const char *, int, ...) = NULL;
    const char *instead = getenv("RESOLV_CONF");

    *(void **)&next = dlsym(RTLD_NEXT, name);
    if (instead != NULL && strcmp(path, "/etc/resolv.conf") == 0) {
        path = instead;
    }
    return next(path, flags, mode);
}

/* The mode is read whether or not it was given; it is passed on as unused as it came. */
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = va_arg(arguments, mode_t);                                                   \
        va_end(arguments);                                                                         \
        return open_instead(#name, path, flags, mode);                                             \
    }

OPEN(open)
OPEN(open64)
