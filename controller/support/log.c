/* A ring of bytes between whoever logs and one thread that may block in write(2). */
#include "controller/support/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/support/clock.h"
#include "controller/support/log_line.h"

#define RING_BYTES (256 * 1024)
#define STOP_WAIT_S 1
/* Between two writes: waking the thread for each line would cost more than the line. */
#define GATHER_MS 5

/* One for the process, as standard error is. Zero but for the lock: lines are written directly. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t ended;
    char *ring;
    size_t head;
    size_t used;
    bool idle;    /* the thread waits for a line */
    bool running; /* a thread writes; changed by log_start and log_stop only */
    bool stop;
    bool has_ended;
    uint64_t dropped;
    uint64_t told; /* of `dropped`: how many a line has told of */
    atomic_int least;
    _Atomic(const char *) program;
} logger = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .least = LOG_LEVEL_INFO,
};

static const char *program_name(void)
{
    const char *program = atomic_load(&logger.program);
    return program != NULL ? program : program_invocation_short_name;
}

/* With the lock held. False: no room. */
static bool append(const char *line, size_t length)
{
    size_t tail = (logger.head + logger.used) % RING_BYTES;
    size_t first = RING_BYTES - tail < length ? RING_BYTES - tail : length;

    if (RING_BYTES - logger.used < length) {
        return false;
    }
    memcpy(logger.ring + tail, line, first);
    memcpy(logger.ring, line + first, length - first);
    logger.used += length;
    if (logger.idle) {
        logger.idle = false;
        pthread_cond_signal(&logger.filled);
    }
    return true;
}

static void append_told(void)
{
    char line[LOG_LINE_MAX];
    char text[64];
    uint64_t untold = logger.dropped - logger.told;
    size_t length;

    snprintf(
        text, sizeof text, "%llu log %s dropped", (unsigned long long)untold,
        untold == 1 ? "line was" : "lines were");
    length = log_line(line, LOG_LEVEL_WARNING, program_name(), text, clock_now().wall);
    if (append(line, length)) {
        logger.told = logger.dropped;
    }
}

/* Writes all, however long it takes. False: standard error is of no use. */
static bool write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written >= 0) {
            bytes += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static uint64_t count_lines(const char *bytes, size_t length)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < length; i++) {
        lines += bytes[i] == '\n';
    }
    return lines;
}

/* With the lock held. */
static void wait_for_lines(void)
{
    while (logger.used == 0 && !logger.stop) {
        logger.idle = true;
        pthread_cond_wait(&logger.filled, &logger.lock);
    }
    logger.idle = false;
}

/* With the lock held, after a write: what comes now is written a moment later, together. */
static void let_lines_gather(void)
{
    struct timespec deadline;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += GATHER_MS * 1000000L;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    while (!logger.stop && error == 0) {
        error = pthread_cond_timedwait(&logger.filled, &logger.lock, &deadline);
    }
}

static void *write_lines(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&logger.lock);
    for (;;) {
        wait_for_lines();
        if (logger.used == 0) {
            break;
        }
        /* Only this thread takes from the ring: its bytes stay while the lock is open. */
        const char *bytes = logger.ring + logger.head;
        size_t rest = RING_BYTES - logger.head;
        size_t length = logger.used < rest ? logger.used : rest;
        pthread_mutex_unlock(&logger.lock);
        bool written = write_all(bytes, length);
        pthread_mutex_lock(&logger.lock);
        logger.head = (logger.head + length) % RING_BYTES;
        logger.used -= length;
        if (!written) {
            logger.dropped += count_lines(bytes, length);
            logger.told = logger.dropped; /* nobody reads it */
        } else if (logger.dropped != logger.told) {
            append_told();
        }
        let_lines_gather();
    }
    logger.has_ended = true;
    pthread_cond_signal(&logger.ended);
    pthread_mutex_unlock(&logger.lock);
    return NULL;
}

/* A thread that takes no signals: they are the main thread's. */
static int start_thread(void)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, NULL, write_lines, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        pthread_detach(thread);
    }
    return error;
}

static void init_conditions(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&logger.filled, &attributes);
    pthread_cond_init(&logger.ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void destroy_conditions(void)
{
    pthread_cond_destroy(&logger.filled);
    pthread_cond_destroy(&logger.ended);
}

enum status log_start(const char *program, enum log_level least)
{
    enum status status = STATUS_OK;

    pthread_mutex_lock(&logger.lock);
    if (logger.ring != NULL) {
        status = STATUS_BUSY; /* it runs, or log_stop had to leave its thread alone */
        goto unlock;
    }
    logger.ring = malloc(RING_BYTES);
    if (logger.ring == NULL) {
        status = STATUS_NO_MEMORY;
        goto unlock;
    }
    init_conditions();
    atomic_store(&logger.program, program);
    atomic_store(&logger.least, least);
    logger.head = logger.used = 0;
    logger.dropped = logger.told = 0;
    logger.stop = logger.has_ended = logger.idle = false;
    log_line_look_around();
    if (start_thread() != 0) {
        destroy_conditions();
        free(logger.ring);
        logger.ring = NULL;
        status = STATUS_NO_MEMORY;
        goto unlock;
    }
    logger.running = true;
unlock:
    pthread_mutex_unlock(&logger.lock);
    return status;
}

void log_stop(void)
{
    struct timespec deadline;
    int error = 0;

    pthread_mutex_lock(&logger.lock);
    if (logger.running) {
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_sec += STOP_WAIT_S;
        logger.stop = true;
        logger.running = false;
        pthread_cond_signal(&logger.filled);
        while (!logger.has_ended && error == 0) {
            error = pthread_cond_timedwait(&logger.ended, &logger.lock, &deadline);
        }
        if (logger.has_ended) {
            destroy_conditions();
            free(logger.ring);
            logger.ring = NULL;
        }
    }
    pthread_mutex_unlock(&logger.lock);
}

/* Without a thread: only as far as it doesn't block, for a line is shorter than PIPE_BUF. */
static void write_directly(const char *line, size_t length)
{
    struct pollfd target = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&target, 1, 0) == 1 && target.revents == POLLOUT) {
        ssize_t written = write(STDERR_FILENO, line, length);
        if (written == (ssize_t)length) {
            return;
        }
    }
    pthread_mutex_lock(&logger.lock);
    logger.dropped++;
    pthread_mutex_unlock(&logger.lock);
}

static void write_line(enum log_level level, const char *text)
{
    char line[LOG_LINE_MAX];
    size_t length = log_line(line, level, program_name(), text, clock_now().wall);
    bool running;

    pthread_mutex_lock(&logger.lock);
    running = logger.running;
    if (running && !append(line, length)) {
        logger.dropped++;
    }
    pthread_mutex_unlock(&logger.lock);
    if (!running) {
        write_directly(line, length);
    }
}

static void log_at(enum log_level level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void log_at(enum log_level level, const char *format, va_list arguments)
{
    char text[LOG_TEXT_MAX];
    static const char cut[] = "...";
    int error = errno;

    if ((int)level >= atomic_load(&logger.least)) {
        if (vsnprintf(text, sizeof text, format, arguments) >= (int)sizeof text) {
            memcpy(text + sizeof text - sizeof cut, cut, sizeof cut);
        }
        write_line(level, text);
    }
    errno = error; /* so that a caller can log before it looks */
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(const char *format, ...)                                                             \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        log_at(level, format, arguments);                                                          \
        va_end(arguments);                                                                         \
    }

LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)

uint64_t log_dropped(void)
{
    uint64_t dropped;

    pthread_mutex_lock(&logger.lock);
    dropped = logger.dropped;
    pthread_mutex_unlock(&logger.lock);
    return dropped;
}
