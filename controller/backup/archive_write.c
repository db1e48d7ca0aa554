#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/backup/bundle.h"

#define FILE_MODE 0600
#define BUFFER_BYTES 65536

struct bundle_writer {
    struct seal_writer *seal;
    struct archive *archive;
    char trouble[256]; /* of the seal; "" for none */
    char buffer[BUFFER_BYTES];
};

static la_ssize_t on_write(struct archive *archive, void *context, const void *bytes, size_t length)
{
    struct bundle_writer *writer = context;
    struct text trouble = text_over(writer->trouble, sizeof writer->trouble);

    if (seal_write(writer->seal, bytes, length, &trouble) != STATUS_OK) {
        archive_set_error(archive, EIO, "%s", writer->trouble);
        return -1;
    }
    return (la_ssize_t)length;
}

/* libarchive's own words where they are ours, or where there are none of ours. */
static enum status fail(struct bundle_writer *writer, struct text *why)
{
    const char *said = archive_error_string(writer->archive);

    text_add(why, writer->trouble[0] != '\0' ? writer->trouble : said == NULL ? "tar fails" : said);
    return STATUS_IO;
}

enum status
bundle_writer_new(struct seal_writer *seal, struct bundle_writer **ret_writer, struct text *why)
{
    struct bundle_writer *writer = calloc(1, sizeof *writer);
    enum status status = STATUS_OK;

    if (writer == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    writer->seal = seal;
    writer->archive = archive_write_new();
    if (writer->archive == NULL) {
        text_add(why, "out of memory");
        status = STATUS_NO_MEMORY;
    } else if (
        archive_write_set_format_pax_restricted(writer->archive) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(writer->archive, 1) != ARCHIVE_OK ||
        archive_write_open(writer->archive, writer, NULL, on_write, NULL) != ARCHIVE_OK) {
        status = fail(writer, why);
    }
    if (status != STATUS_OK) {
        bundle_writer_free(writer);
        return status;
    }
    *ret_writer = writer;
    return STATUS_OK;
}

static enum status add_header(
    struct bundle_writer *writer, const char *name, const struct stat *about, struct text *why)
{
    struct archive_entry *entry = archive_entry_new2(writer->archive);
    const struct passwd *user = about == NULL ? NULL : getpwuid(about->st_uid);
    const struct group *group = about == NULL ? NULL : getgrgid(about->st_gid);
    enum status status = STATUS_OK;

    if (entry == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    archive_entry_copy_stat(entry, about);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_uname(entry, user == NULL ? "" : user->pw_name);
    archive_entry_set_gname(entry, group == NULL ? "" : group->gr_name);
    if (archive_write_header(writer->archive, entry) != ARCHIVE_OK) {
        status = fail(writer, why);
    }
    archive_entry_free(entry);
    return status;
}

static enum status
add_data(struct bundle_writer *writer, const void *bytes, size_t length, struct text *why)
{
    return archive_write_data(writer->archive, bytes, length) == (la_ssize_t)length
               ? STATUS_OK
               : fail(writer, why);
}

enum status bundle_add_bytes(
    struct bundle_writer *writer, const char *name, const void *bytes, size_t length,
    struct text *why)
{
    const struct stat about = {
        .st_mode = S_IFREG | FILE_MODE, .st_size = (off_t)length, .st_mtime = time(NULL)};
    enum status status = add_header(writer, name, &about, why);

    return status == STATUS_OK && length > 0 ? add_data(writer, bytes, length, why) : status;
}

/* It may be growing, as the audit's last file does. */
static enum status
copy(struct bundle_writer *writer, const char *name, int fd, off_t size, struct text *why)
{
    while (size > 0) {
        size_t want = size < BUFFER_BYTES ? (size_t)size : BUFFER_BYTES;
        ssize_t got = read(fd, writer->buffer, want);
        enum status status;

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            text_addf(why, "%s: %s", name, got < 0 ? strerror(errno) : "it became shorter");
            return STATUS_IO;
        }
        status = add_data(writer, writer->buffer, (size_t)got, why);
        if (status != STATUS_OK) {
            return status;
        }
        size -= got;
    }
    return STATUS_OK;
}

enum status bundle_add(struct bundle_writer *writer, const char *name, int fd, struct text *why)
{
    struct stat about;
    enum status status;

    if (!bundle_name_is_safe(name)) {
        text_addf(why, "%s: a name like that cannot be backed up", name);
        return STATUS_INVALID;
    }
    if (fstat(fd, &about) != 0) {
        text_addf(why, "%s: %s", name, strerror(errno));
        return STATUS_IO;
    }
    if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
        text_addf(why, "%s: is neither file nor folder", name);
        return STATUS_INVALID;
    }
    if (S_ISDIR(about.st_mode)) {
        about.st_size = 0;
    }
    status = add_header(writer, name, &about, why);
    return status == STATUS_OK ? copy(writer, name, fd, about.st_size, why) : status;
}

enum status bundle_finish(struct bundle_writer *writer, struct text *why)
{
    return archive_write_close(writer->archive) == ARCHIVE_OK ? STATUS_OK : fail(writer, why);
}

void bundle_writer_free(struct bundle_writer *writer)
{
    if (writer != NULL) {
        archive_write_free(writer->archive);
        explicit_bzero(writer, sizeof *writer);
        free(writer);
    }
}
