/* Sentinels that say what a test wants, on ports of their own, in the test's one thread. Failures
 * fail the running test. */
#ifndef TAGOUT_TESTS_FAKE_SENTINEL_H
#define TAGOUT_TESTS_FAKE_SENTINEL_H

#include <stdbool.h>
#include <stddef.h>

struct fake_sentinel {
    int port;
    int listener;      /* -1: it is gone */
    int peer;          /* who asks; -1: nobody */
    char answer[512];  /* to a question, in Redis's protocol; "": none */
    char refusal[128]; /* to AUTH and PING, "-NOAUTH ..."; "": they are welcome */
    unsigned asked;
    char heard[256]; /* the beginning of what was said last */
};

void fake_sentinel_start(struct fake_sentinel *sentinel);
/* As one that is killed; it can be started again at its port. */
void fake_sentinel_stop(struct fake_sentinel *sentinel);

/* From the next question on it names that place; NULL: it knows no such master. */
void fake_sentinel_name(struct fake_sentinel *sentinel, const char *host, const char *port);

/* "127.0.0.1:port, ..." */
void fake_sentinel_list(
    const struct fake_sentinel sentinels[], size_t count, char *ret_list, size_t size);

/* Takes who comes and answers what was asked; waits for nothing. */
void fake_sentinel_turn(struct fake_sentinel *sentinel);

#endif
