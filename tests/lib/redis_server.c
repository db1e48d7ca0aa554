#include "tests/lib/redis_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/free_port.h"
#include "tests/lib/scratch.h"

#define START_TRIES 3000
#define START_TRY_US 20000

static const char *socket_path(const struct redis_server *server)
{
    return server->url + strlen("unix://");
}

#define WORDS_MAX 48

/* The shipped line "user tagout ..." as the server's arguments: returns how many, in `line`. */
static size_t shipped_user(char **ret_line, const char *words[], size_t room)
{
    static const char start[] = "\nuser tagout ";
    char *file = scratch_read_tree("deploy/redis/tagout.conf");
    char *line = strstr(file, start);
    char *rest = NULL;
    size_t count = 0;

    assert_non_null(line);
    line += strlen(start);
    line[strcspn(line, "\n")] = '\0';
    words[count++] = "--user";
    words[count++] = "tagout";
    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < room);
        words[count++] = word[0] == '#' ? ">tagout" : word[0] == '~' ? "~shop:*" : word;
    }
    *ret_line = file;
    return count;
}

static void run(const struct redis_server *server)
{
    char port[16];
    char *line;
    const char *arguments[WORDS_MAX + 20] = {
        "redis-server",
        "--port",
        port,
        "--bind",
        "127.0.0.1",
        "--unixsocket",
        socket_path(server),
        "--dir",
        server->directory,
        "--save",
        "",
        "--appendonly",
        "no",
        "--logfile",
        "log",
    };
    size_t count = 15;

    count += shipped_user(&line, arguments + count, WORDS_MAX);
    if (server->password[0] != '\0') {
        arguments[count++] = "--requirepass";
        arguments[count++] = server->password;
    }
    arguments[count] = NULL;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)snprintf(port, sizeof port, "%d", server->port);
    (void)execvp("redis-server", (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static bool
answers(const struct redis_server *server, const char *command, char *answer, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = 5};
    char line[512];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t got = -1;

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path(server));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        int length = snprintf(line, sizeof line, "%s\r\n", command);
        if (server->password[0] != '\0') {
            char greeting[64];
            int greeted = snprintf(greeting, sizeof greeting, "AUTH %s\r\n", server->password);
            (void)!write(fd, greeting, (size_t)greeted);
            (void)!read(fd, greeting, sizeof greeting);
        }
        (void)!write(fd, line, (size_t)length);
        got = read(fd, answer, size - 1);
    }
    close(fd);
    answer[got > 0 ? got : 0] = '\0';
    return got > 0;
}

void redis_server_restart(struct redis_server *server)
{
    char answer[64];

    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        run(server);
    }
    for (int i = 0; i < START_TRIES; i++) {
        if (answers(server, "PING", answer, sizeof answer) && strncmp(answer, "+PONG", 5) == 0) {
            return;
        }
        usleep(START_TRY_US);
    }
    fail_msg("redis-server does not start");
}

void redis_server_start(struct redis_server *server, const char *password)
{
    const char *base = getenv("TMPDIR");

    memset(server, 0, sizeof *server);
    (void)snprintf(server->password, sizeof server->password, "%s", password);
    (void)snprintf(
        server->directory, sizeof server->directory, "%.80s/redis-XXXXXX",
        base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(server->directory));
    server->port = free_port();
    (void)snprintf(server->url, sizeof server->url, "unix://%s/socket", server->directory);
    (void)snprintf(server->tcp_url, sizeof server->tcp_url, "redis://127.0.0.1:%d", server->port);
    redis_server_restart(server);
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

void redis_server_stop(struct redis_server *server)
{
    DIR *directory = opendir(server->directory);
    const struct dirent *entry = NULL;

    redis_server_kill(server);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    }
    if (directory != NULL) {
        closedir(directory);
    }
    (void)rmdir(server->directory);
}

void redis_server_freeze(const struct redis_server *server)
{
    assert_int_equal(kill(server->pid, SIGSTOP), 0);
}

void redis_server_thaw(const struct redis_server *server)
{
    assert_int_equal(kill(server->pid, SIGCONT), 0);
}

void redis_server_ask(
    const struct redis_server *server, const char *command, char *ret_answer, size_t size)
{
    if (!answers(server, command, ret_answer, size)) {
        fail_msg("no answer to %s", command);
    }
}

void redis_server_command(
    const struct redis_server *server, const char *command, const char *expected)
{
    char answer[256];

    redis_server_ask(server, command, answer, sizeof answer);
    if (strncmp(answer, expected, strlen(expected)) != 0) {
        fail_msg("%s: %s", command, answer);
    }
}
