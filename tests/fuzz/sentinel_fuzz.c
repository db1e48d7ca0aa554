/* Sentinels that answer anything: the input is a row of answers, one to each question of one of two
 * Sentinels, whichever asks. `1` and `2` name a master, `n` names none, `@` is a raw answer up to
 * the next \1, `-` is none at all, `!` hangs up. Where nobody asks, the next byte is time that
 * passes. */
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/support/log.h"
#include "persistence/redis_sentinel.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/passing_clock.h"

#define SENTINELS 2
#define TURNS_MAX 120
#define REASON_MAX 1024

struct play {
    struct event_base *base;
    struct redis_sentinel *sentinel;
    struct bytes answers;
    int peers[SENTINELS];
};

/* ---- whoever wants to know the master ---- */

static void check_master(struct redis_sentinel *sentinel, bool is_known)
{
    struct endpoint master = {.port = 0};
    struct endpoint same;
    char port[8];
    TEXT_LOCAL(why, 4 * REASON_MAX);

    if (!redis_sentinel_master(sentinel, &master, &why)) {
        FUZZ_CHECK(!is_known && master.port == 0);
        return;
    }
    (void)snprintf(port, sizeof port, "%u", (unsigned)master.port);
    FUZZ_CHECK(endpoint_set(master.host, port, &same) && endpoint_equals(&master, &same));
    FUZZ_CHECK(why.length == 0);
}

static void on_moved(void *context, const char *reason)
{
    const struct play *play = context;

    FUZZ_CHECK(reason[0] != '\0' && strlen(reason) < REASON_MAX);
    check_master(play->sentinel, true);
}

static void on_trouble(void *context, const char *reason)
{
    (void)context;
    FUZZ_CHECK(reason[0] != '\0' && strlen(reason) < REASON_MAX);
    log_warning("%s", reason);
}

/* ---- Sentinels ---- */

static void send_bytes(int peer, const char *bytes, size_t length)
{
    (void)send(peer, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_text(int peer, const char *text)
{
    send_bytes(peer, text, strlen(text));
}

/* False: it hangs up. */
static bool answer(struct play *play, int peer)
{
    size_t length;
    char *raw;

    switch (bytes_8(&play->answers)) {
    case '1':
        send_text(peer, "*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n");
        return true;
    case '2':
        send_text(peer, "*2\r\n$7\r\nredis-b\r\n$5\r\n26380\r\n");
        return true;
    case 'n':
        send_text(peer, "*-1\r\n");
        return true;
    case '@':
        raw = bytes_until(&play->answers, '\1', false, &length);
        send_bytes(peer, raw, length);
        free(raw);
        return true;
    case '!':
        return false;
    case '-':
        return true;
    default:
        send_text(peer, "+PONG\r\n");
        return true;
    }
}

/* Each command begins with `*`, and ours hold no other line that does. How many there were. */
static int serve(struct play *play, int *peer)
{
    char buffer[4096];
    ssize_t count = recv(*peer, buffer, sizeof buffer, MSG_DONTWAIT);
    char last = '\n';
    bool stays = count != 0;
    int commands = 0;

    for (ssize_t i = 0; stays && i < count; i++) {
        if (buffer[i] == '*' && last == '\n') {
            stays = answer(play, *peer);
            commands++;
        }
        last = buffer[i];
    }
    if (!stays) {
        close(*peer);
        *peer = -1;
    }
    return commands;
}

/* Without a port that waits for a minute: there are thousands of runs a minute. */
static int accept_next(int listener)
{
    const struct linger at_once = {.l_onoff = 1};
    int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (peer >= 0) {
        (void)setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return peer;
}

static int listen_somewhere(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FUZZ_CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    FUZZ_CHECK(listen(fd, 64) == 0);
    FUZZ_CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void run(struct play *play, const int listeners[SENTINELS])
{
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        int commands = 0;

        for (int i = 0; i < SENTINELS; i++) {
            if (play->peers[i] < 0) {
                play->peers[i] = accept_next(listeners[i]);
            }
            commands += play->peers[i] < 0 ? 0 : serve(play, &play->peers[i]);
        }
        (void)event_base_loop(play->base, EVLOOP_NONBLOCK);
        check_master(play->sentinel, false);
        if (commands == 0 && turn > 2) {
            if (bytes_end(&play->answers)) {
                break;
            }
            passing_clock_pass(bytes_ms(&play->answers));
        }
    }
}

static void end(struct play *play, const int listeners[SENTINELS])
{
    for (int i = 0; i < SENTINELS; i++) {
        int left;

        if (play->peers[i] >= 0) {
            close(play->peers[i]);
        }
        while ((left = accept_next(listeners[i])) >= 0) {
            close(left);
        }
    }
    (void)event_base_loop(play->base, EVLOOP_NONBLOCK);
    redis_sentinel_free(play->sentinel);
    event_base_free(play->base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int listeners[SENTINELS];
    static char places[64];
    struct play play = {
        .base = event_base_new(), .answers = bytes_of(data, size), .peers = {-1, -1}};
    struct redis_sentinel_options options = {
        .base = play.base,
        .sentinels = places,
        .master = "shop",
        .password = size % 2 == 0 ? "" : "secret",
        .nameserver = "127.0.0.1:1",
        .context = &play,
        .on_moved = on_moved,
        .on_trouble = on_trouble,
    };
    TEXT_LOCAL(why, 256);

    if (places[0] == '\0') {
        unsigned ports[SENTINELS];
        for (int i = 0; i < SENTINELS; i++) {
            listeners[i] = listen_somewhere(&ports[i]);
        }
        (void)snprintf(places, sizeof places, "127.0.0.1:%u, 127.0.0.1:%u", ports[0], ports[1]);
    }
    FUZZ_CHECK(redis_sentinel_new(&options, &play.sentinel, &why) == STATUS_OK);
    run(&play, listeners);
    end(&play, listeners);
    return 0;
}
