/* A backup's copy of Redis. Behind a `c` stands a copy, which anybody may have made: what is taken
 * for one holds only commands that write below the prefix. Behind any other byte stands what Redis
 * answers, in a row: what is made of it is a copy, or is refused. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/backup/redis_copy.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

struct answers {
    int listener;
    const char *bytes;
    size_t length;
};

/* Says all that it has to say to whoever comes, and hears him out. */
static void *serve(void *context)
{
    const struct answers *answers = context;
    struct pollfd coming = {.fd = answers->listener, .events = POLLIN};
    int peer = poll(&coming, 1, -1) == 1 ? accept4(coming.fd, NULL, NULL, SOCK_CLOEXEC) : -1;
    char heard[4096];

    if (peer >= 0) {
        (void)send(peer, answers->bytes, answers->length, MSG_NOSIGNAL);
        (void)shutdown(peer, SHUT_WR);
        while (read(peer, heard, sizeof heard) > 0) {
        }
        close(peer);
    }
    return NULL;
}

/* Read once, with the place of our Redis. */
static const struct settings *the_settings(const char *path)
{
    static struct settings *settings;
    TEXT_LOCAL(url, BYTES_PLACE_SIZE + 8);
    TEXT_LOCAL(why, 256);

    if (settings == NULL) {
        FUZZ_CHECK(settings_load(NULL, &settings, &why) == STATUS_OK);
        text_addf(&url, "unix://%s", path);
        free(settings->redis.url);
        settings->redis.url = strdup(url.data);
    }
    return settings;
}

static bool begins(const char *at, const char *end, const char *with)
{
    return (size_t)(end - at) >= strlen(with) && memcmp(at, with, strlen(with)) == 0;
}

/* Each command is SET or HSET, and its key stands below the prefix. */
static void check_copy(struct redis_place *place, struct redis_copy *copy)
{
    const char *at = copy->bytes;
    const char *end = copy->bytes + copy->length;
    TEXT_LOCAL(why, 1024);

    if (redis_copy_check(place, copy, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
        return;
    }
    FUZZ_CHECK(copy->length == 0 || copy->keys > 0);
    if (copy->keys > 0) {
        at = memchr(at, '\n', copy->length);
        FUZZ_CHECK(at != NULL);
        FUZZ_CHECK(begins(at, end, "\n$3\r\nSET\r\n") || begins(at, end, "\n$4\r\nHSET\r\n"));
    }
}

/* Asks a Redis that answers so. */
static void ask(int listener, const char *path, const char *bytes, size_t length, bool out)
{
    struct answers answers = {.listener = listener, .bytes = bytes, .length = length};
    struct redis_place *place = NULL;
    struct redis_copy copy = {0};
    pthread_t thread;
    bool is_led = false;
    size_t keys = 0;
    TEXT_LOCAL(why, 1024);

    FUZZ_CHECK(pthread_create(&thread, NULL, serve, &answers) == 0);
    FUZZ_CHECK(redis_place_open(the_settings(path), &place, &why) == STATUS_OK);
    if (out && redis_copy_out(place, &copy, &why) == STATUS_OK) {
        size_t copied = copy.keys;
        FUZZ_CHECK(redis_copy_check(place, &copy, &why) == STATUS_OK && copy.keys == copied);
    } else if (out) {
        FUZZ_CHECK(why.length > 0 && copy.bytes == NULL);
    } else if (redis_look(place, &is_led, &keys, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
    }
    free(copy.bytes);
    redis_place_close(place);
    (void)pthread_join(thread, NULL);
}

/* Without asking anybody. */
static void check(int listener, const char *path, char *bytes, size_t length)
{
    struct answers nothing = {.listener = listener, .bytes = ""};
    struct redis_place *place = NULL;
    struct redis_copy copy = {.bytes = bytes, .length = length};
    pthread_t thread;
    TEXT_LOCAL(why, 256);

    FUZZ_CHECK(pthread_create(&thread, NULL, serve, &nothing) == 0);
    FUZZ_CHECK(redis_place_open(the_settings(path), &place, &why) == STATUS_OK);
    check_copy(place, &copy);
    redis_place_close(place);
    (void)pthread_join(thread, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int listener = -1;
    static char path[BYTES_PLACE_SIZE];
    struct bytes bytes = bytes_of(data, size);
    size_t length;
    char *input;
    uint8_t choice;

    if (listener < 0) {
        (void)signal(SIGPIPE, SIG_IGN);
        listener = bytes_listen(path, "redis");
    }
    choice = bytes_8(&bytes);
    input = bytes_until(&bytes, '\0', false, &length);
    if (choice == 'c') {
        check(listener, path, input, length);
    } else {
        ask(listener, path, input, length, choice % 2 == 0);
    }
    free(input);
    return 0;
}
