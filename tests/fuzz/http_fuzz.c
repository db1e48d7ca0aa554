/* The HTTP server of metrics and health, whoever asks. Each line of the input is what one of a few
 * clients does: its first byte names him, the second what: `s` says the rest of the line, where \1
 * is the end of a line and \2 one without its carriage return; `h` says no more; `x` goes; else
 * time passes. Whoever gets an answer gets one answer, and one of HTTP's. */
#include <event2/event.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/support/http.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/passing_clock.h"

#define CLIENTS (HTTP_CONNECTIONS_MAX + 2)
#define LINES_MAX 100
#define PIECES 5
#define SAID_MAX (2 * BYTES_STRING_MAX)

struct play {
    struct event_base *base;
    struct http *http;
    int clients[CLIENTS]; /* -1: not there */
    size_t heard[CLIENTS];
};

/* ---- pages ---- */

static bool write_short(void *context, struct http_reply *reply)
{
    (void)context;
    reply->status = 503;
    text_add(reply->out, "not ready\n");
    return false;
}

/* In pieces, of which one is empty. */
static bool write_long(void *context, struct http_reply *reply)
{
    (void)context;
    FUZZ_CHECK(reply->position[0] < PIECES);
    if (reply->position[0] != 2) {
        for (int i = 0; i < 500; i++) {
            text_add(reply->out, "tagout_reports_total 4711\n");
        }
    }
    return ++reply->position[0] < PIECES;
}

/* ---- clients ---- */

/* -1: the host has no port to come from at the moment, after so many runs. */
static int connect_to(uint16_t port)
{
    const struct linger at_once = {.l_onoff = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FUZZ_CHECK(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return fd;
}

static void leave(struct play *play, size_t client)
{
    if (play->clients[client] >= 0) {
        close(play->clients[client]);
        play->clients[client] = -1;
        play->heard[client] = 0;
    }
}

static void say(int fd, struct bytes *line)
{
    static char said[SAID_MAX];
    size_t length = 0;

    while (!bytes_end(line) && length < sizeof said - 2) {
        char byte = (char)bytes_8(line);
        if (byte == '\1') {
            said[length++] = '\r';
        }
        said[length++] = byte == '\1' || byte == '\2' ? '\n' : byte;
    }
    (void)send(fd, said, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void hear(struct play *play, size_t client)
{
    static const char head[] = "HTTP/";
    char bytes[16384];
    ssize_t count = recv(play->clients[client], bytes, sizeof bytes, MSG_DONTWAIT);

    if (count > 0 && play->heard[client] == 0) {
        FUZZ_CHECK((size_t)count > sizeof head && memcmp(bytes, head, sizeof head - 1) == 0);
    }
    if (count > 0) {
        play->heard[client] += (size_t)count;
    } else if (count == 0) {
        leave(play, client);
    }
}

static void happen(struct play *play, struct bytes *line)
{
    size_t client = bytes_below(line, CLIENTS);
    uint8_t what = bytes_8(line);

    if (play->clients[client] < 0) {
        play->clients[client] = connect_to(http_port(play->http));
    }
    if (play->clients[client] < 0) {
        return;
    }
    if (what == 's') {
        say(play->clients[client], line);
    } else if (what == 'h') {
        (void)shutdown(play->clients[client], SHUT_WR);
    } else if (what == 'x') {
        leave(play, client);
    } else {
        passing_clock_pass(bytes_ms(line));
    }
}

/* ---- its life ---- */

static void open_server(struct play *play)
{
    static const struct http_page pages[] = {
        {"/healthz", write_short, NULL},
        {"/metrics", write_long, NULL},
    };
    const struct http_options options = {
        .base = play->base,
        .listen = "127.0.0.1:0",
        .key = "[http] listen",
        .pages = pages,
        .page_count = 2,
    };

    FUZZ_CHECK(http_new(&options, &play->http) == STATUS_OK);
    FUZZ_CHECK(http_port(play->http) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    struct play play = {.base = event_base_new()};

    memset(play.clients, -1, sizeof play.clients);
    open_server(&play);
    for (int i = 0; i < LINES_MAX && !bytes_end(&bytes); i++) {
        size_t length;
        char *line = bytes_until(&bytes, '\n', false, &length);
        struct bytes rest = bytes_of((const uint8_t *)line, length);

        happen(&play, &rest);
        (void)event_base_loop(play.base, EVLOOP_NONBLOCK);
        for (size_t client = 0; client < CLIENTS; client++) {
            if (play.clients[client] >= 0) {
                hear(&play, client);
            }
        }
        free(line);
    }
    http_free(play.http);
    for (size_t client = 0; client < CLIENTS; client++) {
        leave(&play, client);
    }
    event_base_free(play.base);
    return 0;
}
