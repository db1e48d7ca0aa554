#include "controller/ctl/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define INTERRUPT '\003'

/* Without the end of its line. */
static enum status take_line(int fd, const char *from, char line[PASSPHRASE_SIZE], struct text *why)
{
    size_t length = 0;
    ssize_t got;

    for (;;) {
        got = read(fd, line + length, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || line[length] == '\n') {
            break;
        }
        if (++length == PASSPHRASE_SIZE) {
            text_addf(why, "%s: a line of over %d bytes", from, PASSPHRASE_SIZE - 1);
            return STATUS_INVALID;
        }
    }
    if (got < 0) {
        text_addf(why, "%s: %s", from, strerror(errno));
        return STATUS_IO;
    }
    line[length] = '\0';
    if (length > 0 && line[length - 1] == '\r') {
        line[length - 1] = '\0';
    }
    if (strlen(line) < length - (length > 0 && line[length - 1] == '\0')) {
        text_addf(why, "%s: holds a byte that is no text", from);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status read_file(const char *path, char line[PASSPHRASE_SIZE], struct text *why)
{
    struct stat about;
    enum status status = STATUS_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &about) != 0) {
        text_addf(why, "%s: %s", path, strerror(errno));
        status = STATUS_IO;
    } else if (S_ISREG(about.st_mode) && (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        text_addf(why, "%s: others may read it; chmod 600 it", path);
        status = STATUS_INVALID;
    } else {
        status = take_line(fd, path, line, why);
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

/* With echo off, and signals too: an interrupt would leave the terminal mute. Its character ends
 * the question all the same. */
static enum status
ask(int terminal, const char *question, char line[PASSPHRASE_SIZE], struct text *why)
{
    struct termios before;
    struct termios mute;
    enum status status;

    if (tcgetattr(terminal, &before) != 0) {
        text_addf(why, "the terminal: %s", strerror(errno));
        return STATUS_IO;
    }
    mute = before;
    mute.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    mute.c_lflag |= ECHONL;
    (void)tcsetattr(terminal, TCSAFLUSH, &mute);
    (void)dprintf(terminal, "%s: ", question);
    status = take_line(terminal, "the terminal", line, why);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    if (status == STATUS_OK && strchr(line, INTERRUPT) != NULL) {
        text_add(why, "interrupted");
        status = STATUS_INVALID;
    }
    return status;
}

static enum status read_terminal(bool is_new, char line[PASSPHRASE_SIZE], struct text *why)
{
    char again[PASSPHRASE_SIZE];
    enum status status;
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);

    if (terminal < 0) {
        text_add(why, "there is no terminal to ask for the passphrase: give --passphrase-file");
        return STATUS_INVALID;
    }
    status = ask(terminal, is_new ? "New passphrase" : "Passphrase", line, why);
    if (status == STATUS_OK && is_new) {
        status = ask(terminal, "Once more", again, why);
        if (status == STATUS_OK && strcmp(line, again) != 0) {
            text_add(why, "that is not the same");
            status = STATUS_INVALID;
        }
        explicit_bzero(again, sizeof again);
    }
    close(terminal);
    return status;
}

enum status passphrase_read(
    const char *file, bool is_new, char ret_passphrase[PASSPHRASE_SIZE], struct text *why)
{
    char line[PASSPHRASE_SIZE];
    enum status status =
        file != NULL ? read_file(file, line, why) : read_terminal(is_new, line, why);

    if (status == STATUS_OK && is_new &&
        (!utf8_is_valid(line, strlen(line)) || utf8_length(line) < PASSPHRASE_MIN)) {
        text_addf(
            why, "a passphrase of at least %d characters: five words of a dice list, for instance",
            PASSPHRASE_MIN);
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        memcpy(ret_passphrase, line, sizeof line);
    }
    explicit_bzero(line, sizeof line);
    return status;
}
