#include "tests/lib/fake_sentinel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/support/text.h"
#include "tests/lib/free_port.h"

void fake_sentinel_start(struct fake_sentinel *sentinel)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (sentinel->port == 0) {
        sentinel->port = free_port();
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)sentinel->port);
    sentinel->peer = -1;
    sentinel->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(sentinel->listener >= 0);
    assert_int_equal(setsockopt(sentinel->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(
        bind(sentinel->listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(sentinel->listener, 8), 0);
}

static void hang_up(struct fake_sentinel *sentinel)
{
    if (sentinel->peer >= 0) {
        close(sentinel->peer);
        sentinel->peer = -1;
    }
}

void fake_sentinel_stop(struct fake_sentinel *sentinel)
{
    hang_up(sentinel);
    if (sentinel->listener >= 0) {
        close(sentinel->listener);
        sentinel->listener = -1;
    }
}

void fake_sentinel_name(struct fake_sentinel *sentinel, const char *host, const char *port)
{
    struct text answer = text_over(sentinel->answer, sizeof sentinel->answer);

    if (host == NULL) {
        text_add(&answer, "*-1\r\n");
    } else {
        text_addf(
            &answer, "*2\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(host), host, strlen(port), port);
    }
    assert_false(answer.cut);
}

void fake_sentinel_list(
    const struct fake_sentinel sentinels[], size_t count, char *ret_list, size_t size)
{
    struct text list = text_over(ret_list, size);

    for (size_t i = 0; i < count; i++) {
        text_addf(&list, "%s127.0.0.1:%d", i == 0 ? "" : ", ", sentinels[i].port);
    }
    assert_false(list.cut);
}

static void say(const struct fake_sentinel *sentinel, const char *text)
{
    ssize_t count = send(sentinel->peer, text, strlen(text), MSG_NOSIGNAL);

    /* Whoever asked may have gone. */
    assert_true(
        count == (ssize_t)strlen(text) || (count < 0 && (errno == EPIPE || errno == ECONNRESET)));
}

/* A command in Redis's protocol; what it begins with tells what it is. */
static void answer(struct fake_sentinel *sentinel, const char *command)
{
    if (strncmp(command, "*3\r\n$8\r\nSENTINEL", 16) == 0) {
        sentinel->asked++;
        say(sentinel, sentinel->answer);
    } else if (sentinel->refusal[0] != '\0') {
        say(sentinel, sentinel->refusal);
    } else {
        say(sentinel, "+OK\r\n");
    }
}

void fake_sentinel_turn(struct fake_sentinel *sentinel)
{
    char bytes[4096];
    ssize_t count;

    if (sentinel->listener >= 0 && sentinel->peer < 0) {
        sentinel->peer = accept4(sentinel->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    count = sentinel->peer < 0 ? -1 : recv(sentinel->peer, bytes, sizeof bytes - 1, 0);
    if (count == 0) {
        hang_up(sentinel);
    }
    if (count <= 0) {
        return;
    }
    bytes[count] = '\0';
    text_copy(sentinel->heard, sizeof sentinel->heard, bytes);
    for (const char *at = bytes; at != NULL && sentinel->peer >= 0; at = strstr(at + 1, "*")) {
        if (*at == '*' && (at == bytes || at[-1] == '\n')) {
            answer(sentinel, at);
        }
    }
}
