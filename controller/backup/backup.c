#include "controller/backup/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/backup/bundle.h"
#include "controller/backup/named.h"
#include "controller/backup/redis_copy.h"
#include "controller/support/json.h"

#define DEPTH_MAX 6
#define FILES_MAX 100000

struct making {
    const struct backup_wish *wish;
    const struct settings *settings;
    struct bundle_writer *bundle;
    struct backup_count count;
    struct stat own;   /* the backup's file, lest it goes into itself */
    struct stat audit; /* its folder, which is a part of its own */
    struct text *why;
};

/* ---- folders ---- */

static enum status fail(const struct making *making, const char *name)
{
    text_addf(making->why, "%s: %s", name, strerror(errno));
    return STATUS_IO;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static enum status
add_folder(struct making *making, int folder, const char *name, int depth, size_t *count);

/* A link to a file comes as the file: what is backed up has to stand on its own. */
static enum status add_entry(
    struct making *making, int folder, const char *base, const char *name, int depth, size_t *count)
{
    char full[BUNDLE_NAME_SIZE];
    struct text text = text_over(full, sizeof full);
    struct stat about;
    enum status status = STATUS_OK;
    int fd;

    text_addf(&text, "%s/%s", base, name);
    if (text.cut || *count >= FILES_MAX) {
        text_addf(making->why, "%s: too long a name, or too many files", full);
        return STATUS_TOO_LONG;
    }
    if (fstatat(folder, name, &about, 0) != 0) {
        return errno == ENOENT ? STATUS_OK
                               : fail(making, full); /* gone meanwhile, or leads nowhere */
    }
    if ((!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) || is_same(&about, &making->own) ||
        is_same(&about, &making->audit)) {
        return STATUS_OK;
    }
    fd = openat(
        folder, name,
        O_RDONLY | O_CLOEXEC | O_NONBLOCK |
            (S_ISDIR(about.st_mode) ? O_DIRECTORY | O_NOFOLLOW : 0));
    if (fd < 0) {
        return fail(making, full);
    }
    if (S_ISDIR(about.st_mode)) {
        return add_folder(making, fd, full, depth + 1, count);
    }
    status = bundle_add(making->bundle, full, fd, making->why);
    close(fd);
    *count += 1;
    return status;
}

/* Takes the descriptor over. */
static enum status
add_folder(struct making *making, int folder, const char *name, int depth, size_t *count)
{
    enum status status = bundle_add(making->bundle, name, folder, making->why);
    DIR *entries = NULL;

    if (status == STATUS_OK && depth > DEPTH_MAX) {
        text_addf(making->why, "%s: too deep", name);
        status = STATUS_TOO_LONG;
    }
    if (status == STATUS_OK) {
        entries = fdopendir(folder);
        status = entries == NULL ? fail(making, name) : STATUS_OK;
    }
    while (status == STATUS_OK) {
        const struct dirent *entry = readdir(entries);

        if (entry == NULL) {
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            status = add_entry(making, dirfd(entries), name, entry->d_name, depth, count);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    } else {
        close(folder);
    }
    return status;
}

static enum status
add_tree(struct making *making, const char *path, const char *name, bool may_miss, size_t *count)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0) {
        return may_miss && errno == ENOENT ? STATUS_OK : fail(making, path);
    }
    return add_folder(making, folder, name, 0, count);
}

/* ---- the parts ---- */

static enum status add_manifest(struct making *making)
{
    const struct settings *settings = making->settings;
    const char *slash = strrchr(making->wish->ini, '/');
    char host[256] = "";
    struct json_out out;
    TEXT_LOCAL(document, 4096);

    (void)gethostname(host, sizeof host - 1);
    out = json_out(&document);
    json_out_open(&out, NULL, '{');
    json_out_integer(&out, "version", 1);
    json_out_string(&out, "tagout", TAGOUT_VERSION);
    json_out_integer(&out, "at", making->wish->now.ms / 1000);
    json_out_string(&out, "host", utf8_is_valid(host, strlen(host)) ? host : "");
    json_out_string(&out, "prefix", settings->controller.prefix);
    json_out_string(&out, "ini", slash == NULL ? making->wish->ini : slash + 1);
    json_out_close(&out, '}');
    return bundle_add_bytes(
        making->bundle, BACKUP_MANIFEST, document.data, document.length, making->why);
}

static enum status add_redis(struct making *making)
{
    struct redis_place *place = NULL;
    struct redis_copy copy = {0};
    enum status status = redis_place_open(making->settings, &place, making->why);

    if (status == STATUS_OK) {
        status = redis_copy_out(place, &copy, making->why);
    }
    if (status == STATUS_OK) {
        making->count.keys = copy.keys;
        status =
            bundle_add_bytes(making->bundle, BACKUP_REDIS, copy.bytes, copy.length, making->why);
    }
    free(copy.bytes);
    redis_place_close(place);
    return status;
}

/* Whether the directory has it already, by its own name or a link's. */
static bool is_inside(const char *directory, const char *path)
{
    char *real = realpath(directory, NULL);
    size_t length = real == NULL ? 0 : strlen(real);
    char *file = realpath(path, NULL);
    bool inside = length > 0 && file != NULL &&
                  ((strncmp(file, real, length) == 0 && file[length] == '/') ||
                   strncmp(path, directory, strlen(directory)) == 0);

    free(file);
    free(real);
    return inside;
}

static enum status add_elsewhere(struct making *making)
{
    const char *named[BACKUP_NAMED_MAX];
    size_t count = backup_named(making->settings, named);
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        char name[BUNDLE_NAME_SIZE];
        struct text text = text_over(name, sizeof name);
        int fd = open(named[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        text_addf(&text, BACKUP_ELSEWHERE "%s", named[i]);
        if (fd < 0) {
            status = errno == ENOENT ? STATUS_OK : fail(making, named[i]);
            continue;
        }
        if (!is_inside(making->wish->directory, named[i])) {
            status = bundle_add(making->bundle, name, fd, making->why);
            making->count.files++;
        }
        close(fd);
    }
    return status;
}

static enum status fill(struct making *making, struct seal_writer *seal)
{
    enum status status = bundle_writer_new(seal, &making->bundle, making->why);

    if (status == STATUS_OK) {
        status = add_manifest(making);
    }
    if (status == STATUS_OK) {
        status = add_tree(
            making, making->wish->directory, BACKUP_CONFIGURATION, false, &making->count.files);
    }
    if (status == STATUS_OK) {
        status = add_elsewhere(making);
    }
    if (status == STATUS_OK) {
        status = add_redis(making);
    }
    if (status == STATUS_OK) {
        status = add_tree(
            making, making->settings->audit.directory, BACKUP_AUDIT, true,
            &making->count.audit_files);
    }
    if (status == STATUS_OK) {
        status = bundle_finish(making->bundle, making->why);
    }
    bundle_writer_free(making->bundle);
    return status;
}

/* ---- the file ---- */

static enum status write_file(struct making *making, int fd)
{
    struct seal_writer *seal = NULL;
    enum status status =
        seal_writer_new(fd, making->wish->passphrase, making->wish->cost, &seal, making->why);

    if (status == STATUS_OK && fstat(fd, &making->own) != 0) {
        status = fail(making, making->wish->file);
    }
    if (status == STATUS_OK) {
        status = fill(making, seal);
    }
    if (status == STATUS_OK) {
        status = seal_finish(seal, making->why);
    }
    seal_writer_free(seal);
    if (status == STATUS_OK && fstat(fd, &making->own) == 0) {
        making->count.bytes = (uint64_t)making->own.st_size;
    }
    return status;
}

enum status backup_make(
    const struct backup_wish *wish, const struct settings *settings, struct backup_count *ret_count,
    struct text *why)
{
    struct making making = {.wish = wish, .settings = settings, .why = why};
    char draft[BACKUP_PATH_SIZE];
    struct text text = text_over(draft, sizeof draft);
    enum status status;
    int fd;

    text_addf(&text, "%s.part-XXXXXX", wish->file);
    if (text.cut) {
        text_addf(why, "%s: the path is too long", wish->file);
        return STATUS_TOO_LONG;
    }
    if (!wish->force && access(wish->file, F_OK) == 0) {
        text_addf(why, "%s is there already", wish->file);
        return STATUS_BUSY;
    }
    (void)stat(settings->audit.directory, &making.audit); /* there may be none yet */
    fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0) {
        return fail(&making, wish->file);
    }
    status = write_file(&making, fd);
    close(fd);
    if (status == STATUS_OK && rename(draft, wish->file) != 0) {
        status = fail(&making, wish->file);
    }
    if (status != STATUS_OK) {
        (void)unlink(draft);
        return status;
    }
    *ret_count = making.count;
    return STATUS_OK;
}
