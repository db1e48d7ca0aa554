/* A preloaded library: a host that refuses one call, of the test's choice.
 *
 * What a program asks for is told apart by its kind and by the last functions that led to it: each
 * such site has a number, in the order in which they are first reached after the program's
 * libraries are loaded. FAILING_CALLS names a file that the test maps: the site whose first call is
 * refused, and whether all of that kind are from then on; and what came of it. With
 * FAILING_CALLS_LIST each site is written there as a line. A site within a library that
 * FAILING_CALLS_SPARE names is none.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/lib/preload.h"

#define SITES_MAX 8192 /* a power of two */
#define FRAMES 7       /* of which the first three are this library's own, or two */
#define OWN_FRAMES 2
#define OWN_NAME "failing_calls"

/* The C library's own, under the names by which it keeps them for such as this. */
void *__libc_malloc(size_t size);                // NOLINT(*-reserved-identifier,*-dcl37-c)
void *__libc_calloc(size_t count, size_t size);  // NOLINT(*-reserved-identifier,*-dcl37-c)
void *__libc_realloc(void *memory, size_t size); // NOLINT(*-reserved-identifier,*-dcl37-c)

enum kind {
    MEMORY,
    OPEN,
    READ,
    WRITE,
    SOCKET,
    CONNECT,
    THREAD,
    EVENT,
};

static const struct {
    const char *name;
    int error;
} kinds[] = {
    [MEMORY] = {"memory", ENOMEM}, [OPEN] = {"open", EMFILE},
    [READ] = {"read", EIO},        [WRITE] = {"write", EPIPE},
    [SOCKET] = {"socket", EMFILE}, [CONNECT] = {"connect", ENETUNREACH},
    [THREAD] = {"thread", EAGAIN}, [EVENT] = {"event", ENOMEM},
};

struct order {
    _Atomic uint32_t sites;    /* that were reached */
    _Atomic uint32_t site;     /* to be refused; 0: none */
    _Atomic uint32_t for_good; /* all of its kind after it, too */
    _Atomic uint32_t struck;   /* how often a call was refused */
    char what[256];            /* the first of them */
};

static struct order *order;
static const char *spared;
static int list = -1;
static _Atomic uint64_t known[SITES_MAX];
static _Atomic int kind_for_good = -1;
static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void map_order(void)
{
    const char *list_path = getenv("FAILING_CALLS_LIST");
    void *frames[FRAMES];
    void *mapped;

    inside = true;
    mapped = preload_map("FAILING_CALLS", sizeof *order);
    if (list_path != NULL) {
        list = open(list_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    }
    spared = getenv("FAILING_CALLS_SPARE");
    spared = spared == NULL ? "" : spared;
    (void)backtrace(frames, FRAMES); /* the first time it loads a library */
    inside = false;
    order = mapped;
}

static const char *module_of(const void *address, Dl_info *about)
{
    const char *slash;

    if (dladdr(address, about) == 0 || about->dli_fname == NULL) {
        return "?";
    }
    slash = strrchr(about->dli_fname, '/');
    return slash == NULL ? about->dli_fname : slash + 1;
}

/* "memory: libevent-2.1.so.7 event_base_new_with_config, tagoutd, ..." */
static void describe(enum kind kind, void *const frames[], int count, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "%s", kinds[kind].name);
    const char *between = ": ";

    for (int i = OWN_FRAMES; i < count && length < size; i++) {
        Dl_info about = {.dli_sname = NULL};
        const char *module = module_of(frames[i], &about);

        if (strncmp(module, OWN_NAME, strlen(OWN_NAME)) != 0) {
            length += (size_t)snprintf(
                text + length, size - length, "%s%s %s+%zx", between, module,
                about.dli_sname == NULL ? "" : about.dli_sname,
                (size_t)((const char *)frames[i] - (const char *)about.dli_fbase));
            between = ", ";
        }
    }
}

static bool is_named(enum kind kind, const char *module)
{
    const char *at = spared;

    while (*at != '\0') {
        size_t length = strcspn(at, " ");
        size_t name = strlen(kinds[kind].name);

        if (length > name + 1 && strncmp(at, kinds[kind].name, name) == 0 && at[name] == ':' &&
            strncmp(module, at + name + 1, length - name - 1) == 0) {
            return true;
        }
        at += length;
        at += strspn(at, " ");
    }
    return false;
}

/* The library is the first that is not the C library. */
static bool is_spared(enum kind kind, void *const frames[], int count)
{
    for (int i = OWN_FRAMES; i < count; i++) {
        Dl_info about;
        const char *module = module_of(frames[i], &about);

        if (strncmp(module, "libc.so", 7) != 0 &&
            strncmp(module, OWN_NAME, strlen(OWN_NAME)) != 0) {
            return is_named(kind, module);
        }
    }
    return false;
}

/* False: the site is known. */
static bool is_new(uint64_t site)
{
    for (uint64_t i = site;; i++) {
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&known[i % SITES_MAX], &found, site)) {
            return true;
        }
        if (found == site) {
            return false;
        }
    }
}

static void strike(enum kind kind, void *const frames[], int count)
{
    if (atomic_fetch_add(&order->struck, 1) == 0) {
        describe(kind, frames, count, order->what, sizeof order->what);
    }
    if (atomic_load(&order->for_good) != 0) {
        atomic_store(&kind_for_good, (int)kind);
    }
}

/* Whether this is the site that is to be refused. */
static bool is_chosen(enum kind kind, void *const frames[], int count)
{
    uint64_t site = 14695981039346656037U ^ (uint64_t)kind;
    char text[512];

    for (int i = OWN_FRAMES; i < count; i++) {
        site = (site ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211U;
    }
    if (!is_new(site | 1) || is_spared(kind, frames, count)) {
        return false;
    }
    if (list >= 0) {
        describe(kind, frames, count, text, sizeof text - 1);
        (void)!write(list, strcat(text, "\n"), strlen(text) + 1);
    }
    return atomic_fetch_add(&order->sites, 1) + 1 == atomic_load(&order->site);
}

__attribute__((noinline)) static bool look(enum kind kind)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    bool for_good = atomic_load(&kind_for_good) == (int)kind;

    if (for_good ? is_spared(kind, frames, count) : !is_chosen(kind, frames, count)) {
        return false;
    }
    strike(kind, frames, count);
    return true;
}

/* Sets errno when the call is refused. */
__attribute__((noinline)) static bool fails(enum kind kind)
{
    int error = errno;
    bool refused;

    if (order == NULL || inside) {
        return false;
    }
    inside = true;
    refused = look(kind);
    inside = false;
    errno = refused ? kinds[kind].error : error;
    return refused;
}

/* ---- in the place of the C library's ---- */

void *malloc(size_t size)
{
    return fails(MEMORY) ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return fails(MEMORY) ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return fails(MEMORY) ? NULL : __libc_realloc(ptr, size);
}

/* The next definition of this function, looked up once. */
#define NEXT(type, name, parameters)                                                               \
    static type(*_Atomic found) parameters;                                                        \
    type(*next) parameters = atomic_load(&found);                                                  \
    if (next == NULL) {                                                                            \
        bool was_inside = inside;                                                                  \
        inside = true;                                                                             \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                                                 \
        inside = was_inside;                                                                       \
        if (next == NULL) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
        atomic_store(&found, next);                                                                \
    }

#define OPENING(name)                                                                              \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        NEXT(int, name, (const char *, int, ...))                                                  \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = va_arg(arguments, mode_t);                                                   \
        va_end(arguments);                                                                         \
        return fails(OPEN) ? -1 : next(path, flags, mode);                                         \
    }

#define REFUSED(type, refusal, kind, name, parameters, ...)                                        \
    type name parameters                                                                           \
    {                                                                                              \
        NEXT(type, name, parameters)                                                               \
        return fails(kind) ? (refusal) : next(__VA_ARGS__);                                        \
    }

/* The mode is read whether or not it was given; it is passed on as unused as it came. */
OPENING(open)
OPENING(open64)
REFUSED(FILE *, NULL, OPEN, fopen, (const char *path, const char *mode), path, mode)
REFUSED(FILE *, NULL, OPEN, fopen64, (const char *path, const char *mode), path, mode)
REFUSED(ssize_t, -1, READ, read, (int fd, void *bytes, size_t size), fd, bytes, size)
REFUSED(
    ssize_t, -1, READ, recv, (int fd, void *bytes, size_t size, int flags), fd, bytes, size, flags)
REFUSED(ssize_t, -1, WRITE, write, (int fd, const void *bytes, size_t size), fd, bytes, size)
REFUSED(ssize_t, -1, WRITE, writev, (int fd, const struct iovec *parts, int n), fd, parts, n)
REFUSED(
    ssize_t, -1, WRITE, send, (int fd, const void *bytes, size_t size, int flags), fd, bytes, size,
    flags)
REFUSED(int, -1, SOCKET, socket, (int domain, int type, int protocol), domain, type, protocol)
REFUSED(int, -1, SOCKET, bind, (int fd, const struct sockaddr *at, socklen_t n), fd, at, n)
REFUSED(int, -1, SOCKET, listen, (int fd, int backlog), fd, backlog)
REFUSED(int, -1, CONNECT, connect, (int fd, const struct sockaddr *at, socklen_t n), fd, at, n)
REFUSED(int, -1, EVENT, epoll_create1, (int flags), flags)
REFUSED(
    int, -1, EVENT, epoll_ctl, (int fd, int what, int of, struct epoll_event *event), fd, what, of,
    event)
REFUSED(int, -1, EVENT, eventfd, (unsigned value, int flags), value, flags)
REFUSED(int, -1, EVENT, pipe2, (int ends[2], int flags), ends, flags)
REFUSED(
    int, EAGAIN, THREAD, pthread_create,
    (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context),
    thread, attributes, start, context)
