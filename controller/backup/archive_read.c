#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/backup/bundle.h"

#define DEPTH_MAX 8

struct bundle_reader {
    struct seal_reader *seal;
    struct archive *archive;
    char trouble[256]; /* of the seal; "" for none */
};

bool bundle_name_is_safe(const char *name)
{
    const char *part = name;
    int depth = 0;

    if (strlen(name) >= BUNDLE_NAME_SIZE || text_has_control(name) ||
        !utf8_is_valid(name, strlen(name))) {
        return false;
    }
    for (;;) {
        size_t length = strcspn(part, "/");

        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && strncmp(part, "..", 2) == 0) || ++depth > DEPTH_MAX) {
            return false;
        }
        if (part[length] == '\0') {
            return true;
        }
        part += length + 1;
    }
}

static la_ssize_t on_read(struct archive *archive, void *context, const void **ret_bytes)
{
    struct bundle_reader *reader = context;
    struct text trouble = text_over(reader->trouble, sizeof reader->trouble);
    size_t length = 0;

    if (seal_read(reader->seal, ret_bytes, &length, &trouble) != STATUS_OK) {
        archive_set_error(archive, EIO, "%s", reader->trouble);
        return ARCHIVE_FATAL;
    }
    return (la_ssize_t)length;
}

static enum status fail(struct bundle_reader *reader, struct text *why)
{
    const char *said = archive_error_string(reader->archive);

    text_add(why, reader->trouble[0] != '\0' ? reader->trouble : said == NULL ? "tar fails" : said);
    return STATUS_INVALID;
}

enum status
bundle_reader_new(struct seal_reader *seal, struct bundle_reader **ret_reader, struct text *why)
{
    struct bundle_reader *reader = calloc(1, sizeof *reader);
    enum status status = STATUS_OK;

    if (reader == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    reader->seal = seal;
    reader->archive = archive_read_new();
    if (reader->archive == NULL) {
        text_add(why, "out of memory");
        status = STATUS_NO_MEMORY;
    } else if (
        archive_read_support_format_tar(reader->archive) != ARCHIVE_OK ||
        archive_read_open(reader->archive, reader, NULL, on_read, NULL) != ARCHIVE_OK) {
        status = fail(reader, why);
    }
    if (status != STATUS_OK) {
        bundle_reader_free(reader);
        return status;
    }
    *ret_reader = reader;
    return STATUS_OK;
}

/* tar's end comes before the seal's, and only that says that nothing was changed or cut. */
static enum status reach_end(struct bundle_reader *reader, struct text *why)
{
    const void *bytes;
    size_t length = 1;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && length > 0) {
        status = seal_read(reader->seal, &bytes, &length, why);
    }
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

static enum status take(struct archive_entry *entry, struct bundle_item *item, struct text *why)
{
    const char *name = archive_entry_pathname(entry);
    const char *user = archive_entry_uname(entry);
    const char *group = archive_entry_gname(entry);
    size_t length = name == NULL ? 0 : strlen(name);

    item->is_folder = archive_entry_filetype(entry) == AE_IFDIR;
    if (item->is_folder && length > 1 && name[length - 1] == '/') {
        length--;
    }
    if (length == 0 || length >= sizeof item->name) {
        text_add(why, "it holds a name that is empty or too long");
        return STATUS_INVALID;
    }
    memcpy(item->name, name, length);
    item->name[length] = '\0';
    if (!bundle_name_is_safe(item->name)) {
        text_add(why, "it holds a name that leads elsewhere");
        return STATUS_INVALID;
    }
    if ((!item->is_folder && archive_entry_filetype(entry) != AE_IFREG) ||
        archive_entry_hardlink(entry) != NULL || archive_entry_symlink(entry) != NULL) {
        text_addf(why, "%s: is neither file nor folder", item->name);
        return STATUS_INVALID;
    }
    item->mode = archive_entry_perm(entry) & (S_IRWXU | S_IRWXG | S_IRWXO);
    item->size = archive_entry_size(entry) > 0 ? (uint64_t)archive_entry_size(entry) : 0;
    item->modified_s = archive_entry_mtime(entry);
    text_copy(item->user, sizeof item->user, user == NULL ? "" : user);
    text_copy(item->group, sizeof item->group, group == NULL ? "" : group);
    return STATUS_OK;
}

enum status
bundle_next(struct bundle_reader *reader, struct bundle_item *ret_item, struct text *why)
{
    struct archive_entry *entry = NULL;
    struct bundle_item item = {.size = 0};
    enum status status;
    int result = archive_read_next_header(reader->archive, &entry);

    if (result == ARCHIVE_EOF) {
        return reach_end(reader, why);
    }
    if (result != ARCHIVE_OK) {
        return fail(reader, why);
    }
    status = take(entry, &item, why);
    if (status == STATUS_OK) {
        *ret_item = item;
    }
    return status;
}

enum status bundle_read(
    struct bundle_reader *reader, void *bytes, size_t size, size_t *ret_length, struct text *why)
{
    la_ssize_t got = archive_read_data(reader->archive, bytes, size);

    if (got < 0) {
        return fail(reader, why);
    }
    *ret_length = (size_t)got;
    return STATUS_OK;
}

void bundle_reader_free(struct bundle_reader *reader)
{
    if (reader != NULL) {
        archive_read_free(reader->archive);
        free(reader);
    }
}
