#include "tests/lib/mosquitto.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/free_port.h"

#define START_TRIES 3000
#define START_PAUSE_MS 10

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

void mosquitto_prepare(struct mosquitto *broker)
{
    const char *scratch = getenv("TMPDIR");

    *broker = (struct mosquitto){.port = free_port()};
    snprintf(
        broker->directory, sizeof broker->directory, "%s/tagout-XXXXXX",
        scratch != NULL && strlen(scratch) < 32 ? scratch : "/tmp");
    must(mkdtemp(broker->directory) != NULL, "mkdtemp");
}

static void write_configuration(const struct mosquitto *broker, const char *path, const char *more)
{
    FILE *file = fopen(path, "w");

    must(file != NULL, path);
    fprintf(
        file,
        "per_listener_settings false\n"
        "persistence false\n"
        "log_dest none\n"
        "set_tcp_nodelay true\n"
        "max_inflight_messages 0\n"
        "max_queued_messages 0\n"
        "%s" /* else it becomes another user, who may not read our files */
        "listener %u 127.0.0.1\n"
        "%s",
        geteuid() == 0 ? "user root\n" : "", (unsigned)broker->port, more);
    must(fclose(file) == 0, path);
}

static bool accepts(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    must(fd >= 0, "socket");
    connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

static _Noreturn void become(const char *const arguments[])
{
    int nowhere = open("/dev/null", O_RDWR);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

void mosquitto_start(struct mosquitto *broker, const char *configuration)
{
    const struct timespec pause = {.tv_nsec = START_PAUSE_MS * 1000000L};
    char path[96];
    int tries = 0;

    snprintf(path, sizeof path, "%s/mosquitto.conf", broker->directory);
    write_configuration(broker, path, configuration);
    broker->pid = fork();
    must(broker->pid >= 0, "fork");
    if (broker->pid == 0) {
        /* Debian keeps it in /usr/sbin, which is not in everybody's PATH. */
        const char *program =
            access("/usr/sbin/mosquitto", X_OK) == 0 ? "/usr/sbin/mosquitto" : "mosquitto";
        become((const char *const[]){program, "-c", path, NULL});
    }
    while (!accepts(broker->port)) {
        must(waitpid(broker->pid, NULL, WNOHANG) == 0, "mosquitto ended");
        must(++tries < START_TRIES, "mosquitto does not accept");
        nanosleep(&pause, NULL);
    }
}

void mosquitto_signal(struct mosquitto *broker, int signal)
{
    if (broker->pid > 0) {
        must(kill(broker->pid, signal) == 0, "kill");
        if (signal == SIGKILL || signal == SIGTERM) {
            must(waitpid(broker->pid, NULL, 0) == broker->pid, "waitpid");
            broker->pid = 0;
        }
    }
}

void mosquitto_remove(struct mosquitto *broker)
{
    mosquitto_signal(broker, SIGKILL);
    run_program((const char *const[]){"rm", "-rf", broker->directory, NULL});
}

void run_program(const char *const arguments[])
{
    int status = 0;
    pid_t pid = fork();

    must(pid >= 0, "fork");
    if (pid == 0) {
        become(arguments);
    }
    must(waitpid(pid, &status, 0) == pid, "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "%s failed\n", arguments[0]);
        exit(1);
    }
}
