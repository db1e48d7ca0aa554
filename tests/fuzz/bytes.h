/* An input as a row of choices: what a fuzz target makes of bytes when they are no payload. At the
 * end there are only zeros. */
#ifndef TAGOUT_TESTS_FUZZ_BYTES_H
#define TAGOUT_TESTS_FUZZ_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES_STRING_MAX 16384

struct bytes {
    const uint8_t *at;
    size_t left;
};

struct bytes bytes_of(const uint8_t *data, size_t size);
bool bytes_end(const struct bytes *bytes);

uint8_t bytes_8(struct bytes *bytes);
uint16_t bytes_16(struct bytes *bytes);
uint32_t bytes_32(struct bytes *bytes);
uint64_t bytes_64(struct bytes *bytes);
bool bytes_bool(struct bytes *bytes);
/* 0 to `count` - 1. */
size_t bytes_below(struct bytes *bytes, size_t count);

/* A span of time: mostly one of those at which something is due, or a millisecond beside it. */
int64_t bytes_ms(struct bytes *bytes);

/* Up to the next `end` byte, which is passed over, or the rest: a copy of its own, exactly as long
 * as it is, so that a read behind it is seen. To be freed; with a NUL behind it if `with_nul`. */
char *bytes_until(struct bytes *bytes, char end, bool with_nul, size_t *ret_length);

/* A file that holds these bytes, kept in memory; `path` leads to it as long as it is open. */
#define BYTES_PATH_SIZE 32
int bytes_file(const char *data, size_t length, char path[BYTES_PATH_SIZE]);

/* A path in a folder of the process's own, which goes with the caller's $TMPDIR. */
#define BYTES_PLACE_SIZE 100
void bytes_place(char path[BYTES_PLACE_SIZE], const char *name);
/* Listens at a Unix socket there. */
int bytes_listen(char path[BYTES_PLACE_SIZE], const char *name);

#endif
