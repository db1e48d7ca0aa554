/* A TCP proxy in the test's own loop that hands on what the server says as it likes: at once, one
 * byte at a time, or something else altogether. One client at a time is all it is meant for. */
#ifndef TAGOUT_TESTS_SLOW_PROXY_H
#define TAGOUT_TESTS_SLOW_PROXY_H

#include <stdbool.h>

struct event_base;
struct slow_proxy;

struct slow_proxy *slow_proxy_new(struct event_base *base, int server_port);
void slow_proxy_free(struct slow_proxy *proxy);
int slow_proxy_port(const struct slow_proxy *proxy);

/* From now on the server's bytes come one in 5 ms. */
void slow_proxy_trickle(struct slow_proxy *proxy, bool trickle);
/* New connections get this for all that they say, and no server; NULL: the server. Borrowed. */
void slow_proxy_answer(struct slow_proxy *proxy, const char *answer);

#endif
