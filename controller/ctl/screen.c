#include "controller/ctl/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TAKE "\033[?1049h\033[?25l" /* the alternate screen, no cursor */
#define GIVE_BACK "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define REST_OF_LINE "\033[K"
#define REST_OF_SCREEN "\033[J"

static bool put(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return true;
}

static enum status watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? STATUS_OK : STATUS_IO;
}

enum status screen_open(struct screen *screen)
{
    static const int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
    sigset_t set;

    *screen = (struct screen){.fd = -1, .signals = -1};
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        sigaddset(&set, wanted[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return STATUS_IO;
    }
    screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    screen->fd = epoll_create1(EPOLL_CLOEXEC);
    if (screen->signals < 0 || screen->fd < 0 || watch(screen->fd, screen->signals) != STATUS_OK) {
        screen_close(screen);
        return STATUS_IO;
    }
    screen->has_keys = isatty(STDIN_FILENO) == 1 && watch(screen->fd, STDIN_FILENO) == STATUS_OK;
    return STATUS_OK;
}

void screen_close(struct screen *screen)
{
    screen_give_back(screen);
    if (screen->fd >= 0) {
        close(screen->fd);
    }
    if (screen->signals >= 0) {
        close(screen->signals);
    }
    screen->fd = -1;
    screen->signals = -1;
}

static void forget_frame(struct screen *screen)
{
    free(screen->shown);
    screen->shown = NULL;
}

void screen_take(struct screen *screen)
{
    struct termios quiet;

    forget_frame(screen);
    screen->taken = true;
    put(TAKE, sizeof TAKE - 1);
    if (screen->has_keys && tcgetattr(STDIN_FILENO, &screen->before) == 0) {
        quiet = screen->before;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
        quiet.c_cc[VMIN] = 0;
        quiet.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    }
}

void screen_give_back(struct screen *screen)
{
    if (!screen->taken) {
        return;
    }
    screen->taken = false;
    if (screen->has_keys) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &screen->before);
    }
    put(GIVE_BACK, sizeof GIVE_BACK - 1);
    forget_frame(screen);
}

void screen_size(size_t *ret_width, size_t *ret_height)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    }
    *ret_width = size.ws_col;
    *ret_height = size.ws_row;
}

/* Ctrl-Z: the shell gets its terminal, and the picture is drawn anew afterwards. */
static enum screen_event pause_here(struct screen *screen)
{
    screen_give_back(screen);
    raise(SIGSTOP);
    screen_take(screen);
    return SCREEN_RESIZED;
}

enum screen_event screen_read(struct screen *screen)
{
    struct signalfd_siginfo info;
    char keys[32];
    ssize_t count;
    enum screen_event event = SCREEN_NOTHING;

    while (read(screen->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH) {
            forget_frame(screen);
            event = SCREEN_RESIZED;
        } else if (info.ssi_signo == SIGTSTP) {
            event = pause_here(screen);
        } else {
            return SCREEN_QUIT;
        }
    }
    count = screen->has_keys ? read(STDIN_FILENO, keys, sizeof keys) : 0;
    for (ssize_t i = 0; i < count; i++) {
        if (keys[i] == 'q' || keys[i] == 'Q') {
            return SCREEN_QUIT;
        }
    }
    return event;
}

bool screen_show(struct screen *screen, const char *frame)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out;
    bool there = true;

    if (screen->shown != NULL && strcmp(screen->shown, frame) == 0) {
        return true;
    }
    out = open_memstream(&bytes, &length);
    if (out == NULL) {
        return true; /* no memory: an old picture is better than none */
    }
    fputs(HOME, out);
    for (const char *at = frame; *at != '\0'; at++) {
        fputs(*at == '\n' ? REST_OF_LINE : "", out);
        fputc(*at, out);
    }
    fputs(REST_OF_LINE REST_OF_SCREEN, out);
    if (fclose(out) == 0) {
        there = put(bytes, length);
    }
    free(bytes);
    forget_frame(screen);
    screen->shown = strdup(frame);
    return there;
}
