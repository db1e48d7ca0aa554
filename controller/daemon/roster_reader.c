#include "controller/daemon/roster_reader.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by the loop and the thread; whoever lets go last frees it. The paths are its own: the
 * process may be ending, settings and all, while a slow disk still keeps the thread. */
struct reading {
    atomic_int owners;
    int done_fd;
    char *machines;
    char *users;
    struct roster *roster;
    char why[512];
};

struct roster_reader {
    struct event *event;
    struct reading *reading;
    const struct settings *settings;
    int done_fd;
    roster_reader_done done;
    void *context;
};

static void reading_free(struct reading *reading)
{
    roster_free(reading->roster);
    if (reading->done_fd >= 0) {
        close(reading->done_fd);
    }
    free(reading->machines);
    free(reading->users);
    free(reading);
}

static void let_go(struct reading *reading)
{
    if (atomic_fetch_sub(&reading->owners, 1) == 1) {
        reading_free(reading);
    }
}

static void *read_files(void *argument)
{
    struct reading *reading = argument;
    struct text why = text_over(reading->why, sizeof reading->why);
    struct roster *roster = NULL;

    if (roster_load(reading->machines, reading->users, &roster, &why) == STATUS_OK) {
        reading->roster = roster;
    }
    eventfd_write(reading->done_fd, 1);
    let_go(reading);
    return NULL;
}

static void on_done(evutil_socket_t fd, short what, void *argument)
{
    struct roster_reader *reader = argument;
    struct reading *reading = reader->reading;
    struct roster *roster;
    eventfd_t count;

    (void)what;
    if (eventfd_read(fd, &count) != 0 || reading == NULL) {
        return;
    }
    roster = reading->roster;
    reading->roster = NULL;
    reader->reading = NULL;
    reader->done(reader->context, roster, reading->why);
    let_go(reading);
}

enum status roster_reader_new(
    struct event_base *base, const struct settings *settings, roster_reader_done done,
    void *context, struct roster_reader **ret_reader)
{
    struct roster_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL) {
        return STATUS_NO_MEMORY;
    }
    *reader = (struct roster_reader){
        .settings = settings,
        .done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .done = done,
        .context = context,
    };
    if (reader->done_fd < 0) {
        free(reader);
        return STATUS_IO;
    }
    reader->event = event_new(base, reader->done_fd, EV_READ | EV_PERSIST, on_done, reader);
    if (reader->event == NULL || event_add(reader->event, NULL) != 0) {
        roster_reader_free(reader);
        return STATUS_NO_MEMORY;
    }
    *ret_reader = reader;
    return STATUS_OK;
}

void roster_reader_free(struct roster_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->event != NULL) {
        event_free(reader->event);
    }
    if (reader->reading != NULL) {
        let_go(reader->reading);
    }
    close(reader->done_fd);
    free(reader);
}

static struct reading *reading_new(const struct roster_reader *reader)
{
    struct reading *reading = calloc(1, sizeof *reading);

    if (reading == NULL) {
        return NULL;
    }
    atomic_init(&reading->owners, 2);
    reading->done_fd = dup(reader->done_fd);
    reading->machines = strdup(reader->settings->controller.machines);
    reading->users = strdup(reader->settings->controller.users);
    if (reading->done_fd < 0 || reading->machines == NULL || reading->users == NULL) {
        reading_free(reading);
        return NULL;
    }
    return reading;
}

enum status roster_reader_start(struct roster_reader *reader)
{
    struct reading *reading;
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    if (reader->reading != NULL) {
        return STATUS_BUSY;
    }
    reading = reading_new(reader);
    if (reading == NULL) {
        return STATUS_NO_MEMORY;
    }
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, read_files, reading);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        reading_free(reading);
        return STATUS_NO_MEMORY;
    }
    reader->reading = reading;
    return STATUS_OK;
}
