#include "devices/sim/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status control_open(struct control *control, const char *path, struct text *why)
{
    struct stat status;
    bool is_fifo;

    *control = (struct control){.fd = -1, .name = "control"};
    if (path == NULL) {
        return STATUS_OK;
    }
    if (strcmp(path, "-") == 0) {
        control->fd = STDIN_FILENO;
        return STATUS_OK;
    }
    /* A FIFO's writers come and go: with a writer of our own it has no end. */
    is_fifo = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    control->fd = open(path, (is_fifo ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (control->fd < 0) {
        text_addf(why, "%s: %s", path, strerrordesc_np(errno));
        return STATUS_IO;
    }
    return STATUS_OK;
}

void control_close(struct control *control)
{
    if (control->fd > STDIN_FILENO) {
        close(control->fd);
    }
    control->fd = -1;
}

/* Gives away the whole lines in the buffer; a line that is too long is one, cut. */
static void take_lines(
    struct control *control, bool at_end,
    void (*take)(void *context, unsigned number, const char *line), void *context)
{
    while (control->length > 0) {
        char *newline = memchr(control->buffer, '\n', control->length);
        size_t line = newline == NULL ? control->length : (size_t)(newline - control->buffer);
        size_t used = newline == NULL ? line : line + 1;

        if (newline == NULL && !at_end && control->length <= SCENARIO_LINE_MAX) {
            return;
        }
        control->buffer[line] = '\0';
        take(context, ++control->lines, control->buffer);
        control->length -= used;
        memmove(control->buffer, control->buffer + used, control->length);
    }
}

void control_read(
    struct control *control, void (*take)(void *context, unsigned number, const char *line),
    void *context)
{
    size_t room = sizeof control->buffer - 1 - control->length;
    ssize_t got = read(control->fd, control->buffer + control->length, room);

    if (got < 0 && errno == EINTR) {
        return;
    }
    if (got > 0) {
        control->length += (size_t)got;
    }
    take_lines(control, got <= 0, take, context);
    if (got <= 0) {
        control_close(control);
    }
}
