#include "controller/backup/seal.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "tagout-backup 1\n"
#define MAGIC_BYTES (sizeof MAGIC - 1)
#define KEY_BYTES crypto_secretstream_xchacha20poly1305_KEYBYTES
#define CHECK_BYTES ((size_t)32)
#define SEALED (SEAL_CHUNK + crypto_secretstream_xchacha20poly1305_ABYTES)

/* A file from elsewhere may not ask for more than this: it is asked before anything is proven. */
#define OPERATIONS_MAX 16
#define MEMORY_MAX ((uint64_t)1 << 30)

const struct seal_cost seal_cost_default = {
    crypto_pwhash_OPSLIMIT_MODERATE,
    crypto_pwhash_MEMLIMIT_MODERATE,
};

struct head {
    unsigned char magic[MAGIC_BYTES];
    unsigned char operations[8];
    unsigned char memory[8];
    unsigned char salt[crypto_pwhash_SALTBYTES];
    unsigned char stream[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
    unsigned char check[CHECK_BYTES];
};

/* In the file as in memory. */
_Static_assert(sizeof(struct head) == 16 + 8 + 8 + 16 + 24 + 32, "the head has no gaps");

struct keys {
    unsigned char stream[KEY_BYTES];
    unsigned char check[CHECK_BYTES];
};

struct seal_writer {
    int fd;
    size_t length;
    crypto_secretstream_xchacha20poly1305_state state;
    unsigned char plain[SEAL_CHUNK];
    unsigned char sealed[SEALED];
};

struct seal_reader {
    int fd;
    bool ended;
    struct head head;
    struct keys keys;
    crypto_secretstream_xchacha20poly1305_state state;
    unsigned char plain[SEAL_CHUNK];
    unsigned char sealed[SEALED];
};

static void put_number(unsigned char bytes[8], uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
}

static uint64_t get_number(const unsigned char bytes[8])
{
    uint64_t number = 0;

    for (int i = 7; i >= 0; i--) {
        number = number << 8 | bytes[i];
    }
    return number;
}

/* `check` is the hash that the head should have. */
static enum status make_keys(
    const struct head *head, const char *passphrase, struct keys *ret_keys,
    unsigned char ret_check[CHECK_BYTES], struct text *why)
{
    _Static_assert(sizeof(struct keys) == KEY_BYTES + CHECK_BYTES, "the keys have no gaps");

    if (crypto_pwhash(
            (unsigned char *)ret_keys, sizeof *ret_keys, passphrase, strlen(passphrase), head->salt,
            get_number(head->operations), (size_t)get_number(head->memory),
            crypto_pwhash_ALG_ARGON2ID13) != 0) {
        text_addf(
            why, "the key takes %llu MB of memory, and they are not there",
            (unsigned long long)(get_number(head->memory) >> 20));
        return STATUS_NO_MEMORY;
    }
    crypto_generichash(
        ret_check, CHECK_BYTES, (const unsigned char *)head, sizeof *head - CHECK_BYTES,
        ret_keys->check, sizeof ret_keys->check);
    return STATUS_OK;
}

static enum status write_all(int fd, const void *bytes, size_t length, struct text *why)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t wrote = write(fd, at, length);

        if (wrote < 0 && errno != EINTR) {
            text_addf(why, "it cannot be written: %s", strerror(errno));
            return STATUS_IO;
        }
        if (wrote > 0) {
            at += wrote;
            length -= (size_t)wrote;
        }
    }
    return STATUS_OK;
}

/* Less than asked for only at the end of the file. */
static enum status
read_all(int fd, void *bytes, size_t length, size_t *ret_length, struct text *why)
{
    size_t total = 0;

    while (total < length) {
        ssize_t got = read(fd, (char *)bytes + total, length - total);

        if (got < 0 && errno != EINTR) {
            text_addf(why, "it cannot be read: %s", strerror(errno));
            return STATUS_IO;
        }
        if (got == 0) {
            break;
        }
        total += got > 0 ? (size_t)got : 0;
    }
    *ret_length = total;
    return STATUS_OK;
}

enum status seal_writer_new(
    int fd, const char *passphrase, const struct seal_cost *cost, struct seal_writer **ret_writer,
    struct text *why)
{
    struct seal_writer *writer = calloc(1, sizeof *writer);
    struct head head;
    struct keys keys;
    enum status status;

    if (writer == NULL || sodium_init() < 0) {
        free(writer);
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    writer->fd = fd;
    memcpy(head.magic, MAGIC, MAGIC_BYTES);
    put_number(head.operations, cost->operations);
    put_number(head.memory, cost->memory_bytes);
    randombytes_buf(head.salt, sizeof head.salt);
    /* The stream's header comes from its own beginning, which needs the key: it is made after the
     * keys, and the check after both. */
    memset(head.stream, 0, sizeof head.stream);
    status = make_keys(&head, passphrase, &keys, head.check, why);
    if (status == STATUS_OK) {
        crypto_secretstream_xchacha20poly1305_init_push(&writer->state, head.stream, keys.stream);
        crypto_generichash(
            head.check, sizeof head.check, (const unsigned char *)&head, sizeof head - CHECK_BYTES,
            keys.check, sizeof keys.check);
        status = write_all(fd, &head, sizeof head, why);
    }
    sodium_memzero(&keys, sizeof keys);
    if (status != STATUS_OK) {
        seal_writer_free(writer);
        return status;
    }
    *ret_writer = writer;
    return STATUS_OK;
}

static enum status push(struct seal_writer *writer, unsigned char tag, struct text *why)
{
    unsigned long long length;

    crypto_secretstream_xchacha20poly1305_push(
        &writer->state, writer->sealed, &length, writer->plain, writer->length, NULL, 0, tag);
    writer->length = 0;
    return write_all(writer->fd, writer->sealed, (size_t)length, why);
}

enum status
seal_write(struct seal_writer *writer, const void *bytes, size_t length, struct text *why)
{
    const unsigned char *at = bytes;

    while (length > 0) {
        size_t room = SEAL_CHUNK - writer->length;
        size_t part = length < room ? length : room;

        if (room == 0) {
            enum status status =
                push(writer, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, why);
            if (status != STATUS_OK) {
                return status;
            }
            continue;
        }
        memcpy(writer->plain + writer->length, at, part);
        writer->length += part;
        at += part;
        length -= part;
    }
    return STATUS_OK;
}

enum status seal_finish(struct seal_writer *writer, struct text *why)
{
    enum status status = push(writer, crypto_secretstream_xchacha20poly1305_TAG_FINAL, why);

    if (status == STATUS_OK && fsync(writer->fd) != 0 && errno != EINVAL) {
        text_addf(why, "it cannot be written: %s", strerror(errno));
        status = STATUS_IO;
    }
    return status;
}

void seal_writer_free(struct seal_writer *writer)
{
    if (writer != NULL) {
        sodium_memzero(writer, sizeof *writer);
        free(writer);
    }
}

static enum status check_head(const struct head *head, size_t length, struct text *why)
{
    if (length < sizeof *head || memcmp(head->magic, MAGIC, MAGIC_BYTES) != 0) {
        bool is_ours = length >= MAGIC_BYTES && memcmp(head->magic, MAGIC, MAGIC_BYTES - 2) == 0;
        bool is_cut = is_ours && length < sizeof *head;

        text_add(
            why, is_cut    ? "it is cut short"
                 : is_ours ? "it is a backup of a newer version of Tagout"
                           : "it is no backup of Tagout");
        return STATUS_INVALID;
    }
    if (get_number(head->operations) < crypto_pwhash_OPSLIMIT_MIN ||
        get_number(head->operations) > OPERATIONS_MAX ||
        get_number(head->memory) < crypto_pwhash_MEMLIMIT_MIN ||
        get_number(head->memory) > MEMORY_MAX) {
        text_add(why, "its first bytes are damaged");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status seal_rewind(struct seal_reader *reader, struct text *why)
{
    if (lseek(reader->fd, (off_t)sizeof reader->head, SEEK_SET) < 0) {
        text_addf(why, "it cannot be read: %s", strerror(errno));
        return STATUS_IO;
    }
    reader->ended = false;
    if (crypto_secretstream_xchacha20poly1305_init_pull(
            &reader->state, reader->head.stream, reader->keys.stream) != 0) {
        text_add(why, "its first bytes are damaged");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status
seal_reader_new(int fd, const char *passphrase, struct seal_reader **ret_reader, struct text *why)
{
    struct seal_reader *reader = calloc(1, sizeof *reader);
    unsigned char check[CHECK_BYTES];
    size_t length = 0;
    enum status status;

    if (reader == NULL || sodium_init() < 0) {
        free(reader);
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    reader->fd = fd;
    status = read_all(fd, &reader->head, sizeof reader->head, &length, why);
    if (status == STATUS_OK) {
        status = check_head(&reader->head, length, why);
    }
    if (status == STATUS_OK) {
        status = make_keys(&reader->head, passphrase, &reader->keys, check, why);
    }
    if (status == STATUS_OK && sodium_memcmp(check, reader->head.check, sizeof check) != 0) {
        text_add(why, "the passphrase is wrong, or its first bytes are damaged");
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        status = seal_rewind(reader, why);
    }
    if (status != STATUS_OK) {
        seal_reader_free(reader);
        return status;
    }
    *ret_reader = reader;
    return STATUS_OK;
}

enum status
seal_read(struct seal_reader *reader, const void **ret_bytes, size_t *ret_length, struct text *why)
{
    size_t length = 0;
    unsigned long long plain = 0;
    unsigned char tag = 0;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && plain == 0) {
        status = read_all(reader->fd, reader->sealed, SEALED, &length, why);
        if (status != STATUS_OK) {
            break;
        }
        if (reader->ended) {
            if (length > 0) {
                text_add(why, "it goes on behind its end");
                status = STATUS_INVALID;
            }
            break;
        }
        if (length == 0) {
            text_add(why, "it is cut short");
            status = STATUS_INVALID;
        } else if (
            length < crypto_secretstream_xchacha20poly1305_ABYTES ||
            crypto_secretstream_xchacha20poly1305_pull(
                &reader->state, reader->plain, &plain, &tag, reader->sealed, length, NULL, 0) !=
                0) {
            text_add(why, "it is damaged, or cut short");
            status = STATUS_INVALID;
        } else {
            reader->ended = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
        }
    }
    if (status == STATUS_OK) {
        *ret_bytes = reader->plain;
        *ret_length = (size_t)plain;
    }
    return status;
}

void seal_reader_free(struct seal_reader *reader)
{
    if (reader != NULL) {
        sodium_memzero(reader, sizeof *reader);
        free(reader);
    }
}
