#include "tests/fuzz/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

struct bytes bytes_of(const uint8_t *data, size_t size)
{
    return (struct bytes){data, size};
}

bool bytes_end(const struct bytes *bytes)
{
    return bytes->left == 0;
}

uint8_t bytes_8(struct bytes *bytes)
{
    if (bytes->left == 0) {
        return 0;
    }
    bytes->left--;
    return *bytes->at++;
}

uint16_t bytes_16(struct bytes *bytes)
{
    unsigned high = bytes_8(bytes);
    return (uint16_t)(high << 8 | bytes_8(bytes));
}

uint32_t bytes_32(struct bytes *bytes)
{
    uint32_t high = bytes_16(bytes);
    return high << 16 | bytes_16(bytes);
}

uint64_t bytes_64(struct bytes *bytes)
{
    uint64_t high = bytes_32(bytes);
    return high << 32 | bytes_32(bytes);
}

bool bytes_bool(struct bytes *bytes)
{
    return bytes_8(bytes) % 2 != 0;
}

size_t bytes_below(struct bytes *bytes, size_t count)
{
    return bytes_8(bytes) % count;
}

int64_t bytes_ms(struct bytes *bytes)
{
    static const int64_t spans[] = {
        0,    1,     20,    100,   500,   1000,  1500,   2000,   3000,   4000,
        5000, 10000, 15000, 30000, 60000, 90000, 300000, 600000, 900000, 3600000,
    };
    int64_t span = spans[bytes_below(bytes, sizeof spans / sizeof spans[0])];
    uint8_t beside = bytes_8(bytes);

    if (beside == UINT8_MAX) {
        return bytes_16(bytes);
    }
    return span + (beside % 3 == 1) - (beside % 3 == 2 && span > 0);
}

char *bytes_until(struct bytes *bytes, char end, bool with_nul, size_t *ret_length)
{
    const uint8_t *stop = bytes->left == 0 ? NULL : memchr(bytes->at, end, bytes->left);
    size_t length = stop == NULL ? bytes->left : (size_t)(stop - bytes->at);
    size_t passed = length + (stop != NULL);
    char *copy;

    if (length > BYTES_STRING_MAX) {
        passed = length = BYTES_STRING_MAX;
    }
    copy = malloc(with_nul || length == 0 ? length + 1 : length);
    FUZZ_CHECK(copy != NULL);
    if (with_nul) {
        copy[length] = '\0';
    }
    if (length > 0) {
        memcpy(copy, bytes->at, length);
    }
    bytes->at += passed;
    bytes->left -= passed;
    *ret_length = length;
    return copy;
}

int bytes_file(const char *data, size_t length, char path[BYTES_PATH_SIZE])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, data, length) == (ssize_t)length);
    (void)snprintf(path, BYTES_PATH_SIZE, "/proc/self/fd/%d", fd);
    return fd;
}

void bytes_place(char path[BYTES_PLACE_SIZE], const char *name)
{
    static char folder[BYTES_PLACE_SIZE / 2];
    const char *base = getenv("TMPDIR");

    if (folder[0] == '\0') {
        int length =
            snprintf(folder, sizeof folder, "%s/fuzz-XXXXXX", base == NULL ? "/tmp" : base);
        FUZZ_CHECK(length > 0 && (size_t)length < sizeof folder && mkdtemp(folder) != NULL);
    }
    (void)snprintf(path, BYTES_PLACE_SIZE, "%s/%s", folder, name);
}

int bytes_listen(char path[BYTES_PLACE_SIZE], const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    bytes_place(path, name);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    FUZZ_CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    FUZZ_CHECK(listen(fd, 4) == 0);
    return fd;
}
