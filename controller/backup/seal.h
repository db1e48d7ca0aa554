/* An encrypted file: what goes in comes out again whole and unchanged, for whoever knows the
 * passphrase, or not at all.
 *
 * The key is made from the passphrase by Argon2id, under a cost that the file names; the content
 * goes through XChaCha20-Poly1305 in chunks, each bound to its place and the last one marked, so
 * that a file that was cut short, or had chunks moved, is found out. The file is
 *
 *   16 bytes  "tagout-backup 1\n": what it is, and the version of this layout
 *    8 bytes  operations, 8 bytes memory: Argon2id's cost, little-endian
 *   16 bytes  salt
 *   24 bytes  header of the stream
 *   32 bytes  keyed hash of all that: tells a wrong passphrase from a damaged file
 *   then chunks of SEAL_CHUNK bytes, the last one shorter, each with 17 bytes more
 *
 * Whoever reads must read to the end before believing anything: only the last chunk says that it
 * is all.
 */
#ifndef TAGOUT_BACKUP_SEAL_H
#define TAGOUT_BACKUP_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define SEAL_CHUNK ((size_t)65536)

struct seal_cost {
    uint64_t operations;
    uint64_t memory_bytes;
};

/* Most of a second, for us and for each guess of whoever found the file. */
extern const struct seal_cost seal_cost_default;

/* Both write to and read from a descriptor that stays the caller's. */
struct seal_writer;
struct seal_reader;

MUST_USE enum status seal_writer_new(
    int fd, const char *passphrase, const struct seal_cost *cost, struct seal_writer **ret_writer,
    struct text *why);
MUST_USE enum status
seal_write(struct seal_writer *writer, const void *bytes, size_t length, struct text *why);
/* The last chunk; then the file is on the disk. */
MUST_USE enum status seal_finish(struct seal_writer *writer, struct text *why);
void seal_writer_free(struct seal_writer *writer); /* takes NULL */

/* STATUS_INVALID: no such file, or a wrong passphrase. */
MUST_USE enum status
seal_reader_new(int fd, const char *passphrase, struct seal_reader **ret_reader, struct text *why);
/* The next chunk, the reader's until the next call; a length of 0 at the end. STATUS_INVALID: it
 * was changed, or cut short. */
MUST_USE enum status
seal_read(struct seal_reader *reader, const void **ret_bytes, size_t *ret_length, struct text *why);
/* The next chunk is the first again; the key, which took so long, is kept. */
MUST_USE enum status seal_rewind(struct seal_reader *reader, struct text *why);
void seal_reader_free(struct seal_reader *reader); /* takes NULL */

#endif
