/* The inside of a backup: a tar archive of files and folders, written into a sealed file and read
 * from one. Plain tar, so that a backup whose seal was opened needs nothing of ours.
 */
#ifndef TAGOUT_BACKUP_BUNDLE_H
#define TAGOUT_BACKUP_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "controller/backup/seal.h"
#include "controller/support/status.h"
#include "controller/support/text.h"

#define BUNDLE_NAME_SIZE 768
#define BUNDLE_OWNER_SIZE 64

/* Whether a name from an archive stays within the folder that it is unpacked in: parts between
 * slashes, none of them empty, `.` or `..`, at most eight, no control characters. */
bool bundle_name_is_safe(const char *name);

struct bundle_writer;

MUST_USE enum status
bundle_writer_new(struct seal_writer *seal, struct bundle_writer **ret_writer, struct text *why);
/* A file whose content is at hand. */
MUST_USE enum status bundle_add_bytes(
    struct bundle_writer *writer, const char *name, const void *bytes, size_t length,
    struct text *why);
/* The file or folder that `fd` is, under another name, with its mode, its time, and its owner by
 * name; of a file as much as there is at this moment. */
MUST_USE enum status
bundle_add(struct bundle_writer *writer, const char *name, int fd, struct text *why);
MUST_USE enum status bundle_finish(struct bundle_writer *writer, struct text *why);
void bundle_writer_free(struct bundle_writer *writer); /* takes NULL */

struct bundle_item {
    char name[BUNDLE_NAME_SIZE]; /* safe; without a slash at the end */
    bool is_folder;
    mode_t mode; /* the nine bits of permissions */
    uint64_t size;
    int64_t modified_s;
    char user[BUNDLE_OWNER_SIZE]; /* "" where it is not known */
    char group[BUNDLE_OWNER_SIZE];
};

struct bundle_reader;

MUST_USE enum status
bundle_reader_new(struct seal_reader *seal, struct bundle_reader **ret_reader, struct text *why);
/* STATUS_NOT_FOUND: there is no more, and nothing of the sealed file is missing. STATUS_INVALID
 * also for what is neither file nor folder, or would land elsewhere. */
MUST_USE enum status
bundle_next(struct bundle_reader *reader, struct bundle_item *ret_item, struct text *why);
/* The next bytes of the item; 0 at its end. */
MUST_USE enum status bundle_read(
    struct bundle_reader *reader, void *bytes, size_t size, size_t *ret_length, struct text *why);
void bundle_reader_free(struct bundle_reader *reader); /* takes NULL */

#endif
