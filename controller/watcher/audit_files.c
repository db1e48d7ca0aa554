#include "controller/watcher/audit_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/support/audit_months.h"
#include "controller/support/json.h"
#include "controller/watcher/audit_expire.h"
#include "controller/watcher/audit_lines.h"

#define STATE_NAME "watcher.json"
#define STATE_NEW_NAME "watcher.json.new"
#define DIRECTORY_MODE 0750
#define FILE_MODE 0640
#define TAIL_BYTES (4 * AUDIT_LINE_MAX)
#define TORN_TEXT_MAX 1024

struct audit_files {
    int directory;
    int fd; /* the month's file, -1 before the first line */
    struct audit_month month;
    struct audit_month opened; /* in which it was */
    int64_t last;
};

static enum status fail(struct text *why, const char *what, const char *name)
{
    int error = errno;

    text_addf(why, "%s: %s: %s", name, what, strerror(error));
    /* The unit's sandbox is the likeliest reason. */
    text_add(why, error == EROFS ? " (its unit wants ReadWritePaths=, see tagout.ini(5))" : "");
    return STATUS_IO;
}

static bool write_all(int fd, const char *bytes, size_t length, size_t *ret_written)
{
    size_t written = 0;

    while (written < length) {
        ssize_t count = write(fd, bytes + written, length - written);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        written += (size_t)count;
    }
    *ret_written = written;
    return written == length;
}

/* ---- opening ---- */

static enum status make_directories(const char *directory, struct text *why)
{
    TEXT_LOCAL(path, PATH_MAX);

    for (const char *at = directory; *at != '\0'; at++) {
        if (at != directory && *at == '/' && mkdir(path.data, DIRECTORY_MODE) != 0 &&
            errno != EEXIST) {
            return fail(why, "cannot be made", path.data);
        }
        text_add_bytes(&path, at, 1);
    }
    if (mkdir(path.data, DIRECTORY_MODE) != 0 && errno != EEXIST) {
        return fail(why, "cannot be made", path.data);
    }
    return STATUS_OK;
}

static int open_month(const struct audit_files *files, struct audit_month month, int flags)
{
    char name[AUDIT_NAME_SIZE];

    audit_month_name(month, name);
    return openat(files->directory, name, flags | O_CLOEXEC, FILE_MODE);
}

/* The line that stands for one that a crash cut off. */
static void
add_torn(struct text *line, int64_t number, struct wall_time now, const char *bytes, size_t length)
{
    struct json_out out = json_out(line);
    TEXT_LOCAL(kept, TORN_TEXT_MAX);

    for (size_t i = 0; i < length && !kept.cut; i++) {
        bool is_plain = bytes[i] >= ' ' && bytes[i] <= '~';
        text_add_bytes(&kept, is_plain ? bytes + i : "?", 1);
    }
    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "line", number);
    json_out_string(&out, "kind", "torn");
    json_out_wall(&out, "seen", now);
    json_out_integer(&out, "bytes", (int64_t)length);
    json_out_string(&out, "text", kept.data);
    json_out_close(&out, '}');
    text_add(line, "\n");
}

/* Finds the number of the last whole line among the last bytes of a file. */
static int64_t last_number(const char *tail, size_t length)
{
    size_t end = length;

    while (end > 0 && tail[end - 1] == '\n') {
        size_t start = end - 1;
        int64_t number;
        while (start > 0 && tail[start - 1] != '\n') {
            start--;
        }
        number = audit_line_number(tail + start, end - start);
        if (number > 0) {
            return number;
        }
        end = start;
    }
    return 0;
}

/* On a full disk the torn end stays: it is taken out when what stands for it has been written. */
static bool replace_end(int fd, off_t size, size_t torn, const struct text *line)
{
    size_t written;

    if (lseek(fd, size, SEEK_SET) < 0 || !write_all(fd, line->data, line->length, &written)) {
        int error = errno;

        (void)!ftruncate(fd, size);
        errno = error;
        return false;
    }
    size -= (off_t)torn;
    return ftruncate(fd, size) == 0 && lseek(fd, size, SEEK_SET) == size &&
           write_all(fd, line->data, line->length, &written);
}

/* Reads the end of a month's file and mends it. */
static enum status
mend(struct audit_files *files, struct audit_month month, struct wall_time now, struct text *why)
{
    char *tail = malloc(TAIL_BYTES);
    char name[AUDIT_NAME_SIZE];
    struct stat about;
    enum status status = STATUS_OK;
    size_t whole = 0;
    ssize_t count = 0;
    int64_t last;
    int fd = open_month(files, month, O_RDWR);

    audit_month_name(month, name);
    if (fd < 0 || fstat(fd, &about) != 0 || tail == NULL) {
        status = fail(why, "cannot be opened", name);
        goto out;
    }
    if (!S_ISREG(about.st_mode) || about.st_size == 0) {
        goto out;
    }
    count =
        pread(fd, tail, TAIL_BYTES, about.st_size > TAIL_BYTES ? about.st_size - TAIL_BYTES : 0);
    if (count < 0) {
        status = fail(why, "cannot be read", name);
        goto out;
    }
    whole = (size_t)count;
    while (whole > 0 && tail[whole - 1] != '\n') {
        whole--;
    }
    last = last_number(tail, whole);
    files->last = last > files->last ? last : files->last;
    if (whole == 0 && about.st_size > TAIL_BYTES) {
        /* No line of ours is that long: what this is is not for us to remove. */
        if (lseek(fd, 0, SEEK_END) < 0 || !write_all(fd, "\n", 1, &whole)) {
            status = fail(why, "cannot be written", name);
        }
    } else if (whole < (size_t)count) {
        TEXT_LOCAL(line, 8 * TORN_TEXT_MAX);
        size_t torn = (size_t)count - whole;
        add_torn(&line, ++files->last, now, tail + whole, torn);
        if (!replace_end(fd, about.st_size, torn, &line)) {
            status = fail(why, "its torn end cannot be mended", name);
        }
    }
out:
    if (fd >= 0) {
        close(fd);
    }
    free(tail);
    return status;
}

static enum status look_back(struct audit_files *files, struct wall_time now, struct text *why)
{
    struct audit_month months[AUDIT_MONTHS_RECENT];
    size_t count = 0;
    enum status status = STATUS_OK;

    files->opened = audit_month_of(now);
    if (!audit_months_recent(files->directory, files->opened, months, &count)) {
        return fail(why, "cannot be read", "the audit's folder");
    }
    /* The newest has the last line, unless it has none yet or the clock was put back. */
    while (count > 0 && status == STATUS_OK) {
        status = mend(files, months[--count], now, why);
    }
    return status;
}

enum status audit_files_open(
    const char *directory, struct wall_time now, struct audit_files **ret_files, struct text *why)
{
    enum status status = make_directories(directory, why);
    struct audit_files *files = calloc(1, sizeof *files);

    if (files == NULL) {
        text_add(why, status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    files->fd = -1;
    files->directory = -1;
    if (status != STATUS_OK) {
        goto out;
    }
    files->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->directory < 0) {
        status = fail(why, "cannot be opened", directory);
    } else if (flock(files->directory, LOCK_EX | LOCK_NB) != 0) {
        status = fail(why, "another watcher has it", directory);
    } else {
        status = look_back(files, now, why);
    }
out:
    if (status == STATUS_OK) {
        *ret_files = files;
    } else {
        audit_files_close(files);
    }
    return status;
}

void audit_files_close(struct audit_files *files)
{
    if (files == NULL) {
        return;
    }
    if (files->fd >= 0) {
        close(files->fd);
    }
    if (files->directory >= 0) {
        close(files->directory);
    }
    free(files);
}

int64_t audit_files_last(const struct audit_files *files)
{
    return files->last;
}

/* ---- lines ---- */

enum status audit_files_append(
    struct audit_files *files, struct wall_time at, const char *bytes, size_t length,
    size_t *ret_written, struct text *why)
{
    struct audit_month month = audit_month_of(at);
    char name[AUDIT_NAME_SIZE];

    *ret_written = 0;
    audit_month_name(month, name);
    if (files->fd >= 0 && files->month.number != month.number) {
        /* A month ends on the disk before the next one begins. */
        if (audit_files_sync(files, why) != STATUS_OK) {
            return STATUS_IO;
        }
        close(files->fd);
        files->fd = -1;
    }
    if (files->fd < 0) {
        files->fd = open_month(files, month, O_RDWR | O_APPEND | O_CREAT);
        files->month = month;
        if (files->fd < 0) {
            return fail(why, "cannot be opened", name);
        }
    }
    if (!write_all(files->fd, bytes, length, ret_written)) {
        return fail(why, "cannot be written", name);
    }
    return STATUS_OK;
}

enum status audit_files_sync(struct audit_files *files, struct text *why)
{
    if (files->fd >= 0 && fdatasync(files->fd) != 0 && errno != EINVAL) {
        return fail(why, "cannot be synchronised", "the audit");
    }
    return STATUS_OK;
}

size_t audit_files_expire(const struct audit_files *files, struct wall_time now, int64_t keep_days)
{
    return audit_expire(files->directory, now, keep_days);
}

void audit_files_read(
    const struct audit_files *files, int64_t after, size_t bytes_max,
    void (*take)(void *context, int64_t number, const char *line, size_t length), void *context)
{
    struct audit_month months[AUDIT_MONTHS_RECENT];
    size_t count = 0;

    if (!audit_months_recent(files->directory, files->opened, months, &count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int fd = open_month(files, months[i], O_RDONLY | O_NONBLOCK);
        if (fd >= 0) {
            audit_lines_read(fd, after, bytes_max, take, context);
            close(fd);
        }
    }
}

/* ---- watcher.json ---- */

enum status audit_files_save(
    const struct audit_files *files, const char *bytes, size_t length, bool sync, struct text *why)
{
    int fd = openat(
        files->directory, STATE_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    size_t written;
    bool good;

    if (fd < 0) {
        return fail(why, "cannot be opened", STATE_NEW_NAME);
    }
    good = write_all(fd, bytes, length, &written) && (!sync || fsync(fd) == 0);
    good = close(fd) == 0 && good;
    if (!good || renameat(files->directory, STATE_NEW_NAME, files->directory, STATE_NAME) != 0) {
        return fail(why, "cannot be written", STATE_NAME);
    }
    return STATUS_OK;
}

char *audit_files_load(const struct audit_files *files, size_t *ret_length)
{
    int fd = openat(files->directory, STATE_NAME, O_RDONLY | O_CLOEXEC);
    struct stat about;
    char *bytes = NULL;
    ssize_t count = -1;

    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &about) == 0 && about.st_size >= 0 && (size_t)about.st_size <= AUDIT_STATE_MAX) {
        bytes = malloc((size_t)about.st_size + 1);
    }
    if (bytes != NULL) {
        count = read(fd, bytes, (size_t)about.st_size);
    }
    close(fd);
    if (count < 0) {
        free(bytes);
        return NULL;
    }
    bytes[count] = '\0';
    *ret_length = (size_t)count;
    return bytes;
}
