/* A Redis of the test's own: a private port and Unix socket in a fresh directory, ended by its pid.
 * It dies with the test. Failures fail the running test.
 *
 * Beside the default user, which may do everything, it has the user of deploy/redis/tagout.conf,
 * with the password "tagout" and the keys `shop:*`. */
#ifndef TAGOUT_TESTS_REDIS_SERVER_H
#define TAGOUT_TESTS_REDIS_SERVER_H

#include <stddef.h>
#include <sys/types.h>

struct redis_server {
    pid_t pid; /* 0: not running */
    int port;
    char directory[128];
    char url[160];     /* unix:///path */
    char tcp_url[64];  /* redis://127.0.0.1:port */
    char password[32]; /* "": none */
};

/* Starts it and waits until it answers. */
void redis_server_start(struct redis_server *server, const char *password);
/* Starts it again after redis_server_kill, in the same place. */
void redis_server_restart(struct redis_server *server);
/* Ends it and removes the directory. */
void redis_server_stop(struct redis_server *server);

/* Ends it without a goodbye. */
void redis_server_kill(struct redis_server *server);
/* SIGSTOP and SIGCONT. */
void redis_server_freeze(const struct redis_server *server);
void redis_server_thaw(const struct redis_server *server);

/* One command in inline form, on a connection of its own; the raw answer, cut to `size`. */
void redis_server_ask(
    const struct redis_server *server, const char *command, char *ret_answer, size_t size);
/* The same; the answer must begin with `expected`. */
void redis_server_command(
    const struct redis_server *server, const char *command, const char *expected);

#endif
