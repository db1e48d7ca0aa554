#include "controller/setup/program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX 2048

/* Not the caller's: OPENSSL_CONF and its like would change what comes out. */
#define PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

/* Reads to the end, keeps the beginning. */
static void hear(int fd, struct text *said)
{
    char buffer[512];
    ssize_t got;

    while ((got = read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0) {
            text_add_bytes(said, buffer, (size_t)got);
        }
    }
    for (size_t i = 0; i < said->length; i++) {
        if (said->data[i] == '\n') {
            said->data[i] = i + 1 == said->length ? '\0' : ' ';
        }
    }
}

static enum status await(pid_t pid, const char *name, const struct text *said, struct text *why)
{
    int result;

    while (waitpid(pid, &result, 0) < 0) {
        if (errno != EINTR) {
            text_addf(why, "%s: %s", name, strerror(errno));
            return STATUS_IO;
        }
    }
    if (WIFEXITED(result) && WEXITSTATUS(result) == 0) {
        return STATUS_OK;
    }
    text_addf(why, "%s failed: %s", name, said->length > 0 ? said->data : "without a word");
    return STATUS_IO;
}

static int spawn(
    const char *const words[], const char *directory, int said_fd, const char *const environment[],
    pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    mode_t before;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0) {
        return error;
    }
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    error = error != 0 ? error : posix_spawn_file_actions_adddup2(&actions, said_fd, STDOUT_FILENO);
    error = error != 0 ? error : posix_spawn_file_actions_adddup2(&actions, said_fd, STDERR_FILENO);
    error = error != 0 ? error : posix_spawn_file_actions_addchdir_np(&actions, directory);
    before = umask(077);
    if (error == 0) {
        /* The strings are not written to: its type is older than const. */
        error = posix_spawnp(
            ret_pid, words[0], &actions, NULL, (char *const *)(uintptr_t)words,
            (char *const *)(uintptr_t)environment);
    }
    umask(before);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

enum status program_run(const char *const words[], const char *directory, struct text *why)
{
    static const char *const environment[] = {PATH, "LC_ALL=C", NULL};
    enum status status;
    pid_t pid;
    int said_by[2];
    int error;
    TEXT_LOCAL(said, SAID_MAX);

    if (pipe2(said_by, O_CLOEXEC) != 0) {
        text_addf(why, "%s: %s", words[0], strerror(errno));
        return STATUS_IO;
    }
    error = spawn(words, directory, said_by[1], environment, &pid);
    close(said_by[1]);
    if (error != 0) {
        text_addf(why, "%s cannot be run: %s", words[0], strerror(error));
        status = error == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    } else {
        hear(said_by[0], &said);
        status = await(pid, words[0], &said, why);
    }
    close(said_by[0]);
    return status;
}
