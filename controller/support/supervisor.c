#include "controller/support/supervisor.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define AGAIN_MS 1000
#define USEC_MAX (INT64_MAX / 2)

/* A number of the environment; -1 where there is none. */
static int64_t number_in(const char *variable)
{
    const char *value = getenv(variable);
    char *end = NULL;
    long long number;

    if (value == NULL || value[0] < '0' || value[0] > '9') {
        return -1;
    }
    errno = 0;
    number = strtoll(value, &end, 10);
    return errno == 0 && *end == '\0' && number <= USEC_MAX ? number : -1;
}

struct supervisor supervisor_open(void)
{
    struct supervisor supervisor = {.socket = getenv("NOTIFY_SOCKET")};
    int64_t limit_us = number_in("WATCHDOG_USEC");
    const char *whom = getenv("WATCHDOG_PID");

    /* Inherited from a supervised parent, it is not meant for this process. */
    if (limit_us > 0 && (whom == NULL || number_in("WATCHDOG_PID") == getpid())) {
        supervisor.every_ms = limit_us / 3000 > 0 ? limit_us / 3000 : 1;
    }
    return supervisor;
}

/* False when it should be tried again: the manager's queue is full. */
static bool tell(const struct supervisor *supervisor, const char *what)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = supervisor->socket == NULL ? 0 : strlen(supervisor->socket);
    bool refused;
    int fd;

    if (length < 2 || length >= sizeof address.sun_path) {
        return true;
    }
    memcpy(address.sun_path, supervisor->socket, length);
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0'; /* an abstract address */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    refused = sendto(
                  fd, what, strlen(what), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0 &&
              errno == EAGAIN;
    close(fd);
    return !refused;
}

void supervisor_ready(struct supervisor *supervisor, struct mono_time now)
{
    supervisor->owes_ready = !tell(supervisor, "READY=1");
    supervisor->next = now;
}

void supervisor_stopping(const struct supervisor *supervisor)
{
    (void)tell(supervisor, "STOPPING=1");
}

struct mono_time supervisor_tick(struct supervisor *supervisor, struct mono_time now)
{
    int64_t wait_ms = supervisor->every_ms;

    if (wait_ms == 0 && !supervisor->owes_ready) {
        return (struct mono_time){0};
    }
    if (now.ms < supervisor->next.ms) {
        return supervisor->next;
    }
    if (supervisor->owes_ready) {
        supervisor->owes_ready = !tell(supervisor, "READY=1");
    }
    if (wait_ms > 0 && !tell(supervisor, "WATCHDOG=1")) {
        wait_ms = wait_ms < AGAIN_MS ? wait_ms : AGAIN_MS;
    }
    supervisor->next.ms = now.ms + (wait_ms > 0 ? wait_ms : AGAIN_MS);
    return supervisor->next;
}
