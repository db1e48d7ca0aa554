/* A backup from anywhere: the first byte chooses between a sealed file and what an unsealed one
 * holds, a tar archive. Whatever is in it, no name leads out of the folder, and nobody asks for
 * more memory than a backup may. */
#include <string.h>
#include <unistd.h>

#include "controller/backup/bundle.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define PASSPHRASE "four words or so"
#define ITEMS_MAX 64
#define CONTENT_MAX ((size_t)1 << 20)
/* Where the head of a sealed file has Argon2id's cost. */
#define COST_AT 16
#define COST_BYTES 16

static void check_name(const char *name)
{
    FUZZ_CHECK(bundle_name_is_safe(name) && name[0] != '/' && name[0] != '\0');
    FUZZ_CHECK(strcmp(name, "..") != 0 && strncmp(name, "../", 3) != 0);
    FUZZ_CHECK(strstr(name, "/../") == NULL && strstr(name, "//") == NULL);
    FUZZ_CHECK(strlen(name) < 3 || strcmp(name + strlen(name) - 3, "/..") != 0);
}

static void check_item(struct bundle_reader *bundle, const struct bundle_item *item)
{
    char bytes[4096];
    size_t length = 1;
    size_t total = 0;
    TEXT_LOCAL(why, 1024);

    check_name(item->name);
    FUZZ_CHECK((item->mode & ~(mode_t)0777) == 0);
    while (length > 0 && total < CONTENT_MAX) {
        if (bundle_read(bundle, bytes, sizeof bytes, &length, &why) != STATUS_OK) {
            FUZZ_CHECK(why.length > 0);
            return;
        }
        FUZZ_CHECK(length <= sizeof bytes);
        total += length;
    }
}

static void check_bundle(struct seal_reader *seal)
{
    struct bundle_reader *bundle = NULL;
    struct bundle_item item;
    enum status status;
    TEXT_LOCAL(why, 1024);

    status = bundle_reader_new(seal, &bundle, &why);
    for (int i = 0; status == STATUS_OK && i < ITEMS_MAX; i++) {
        status = bundle_next(bundle, &item, &why);
        if (status == STATUS_OK) {
            check_item(bundle, &item);
        }
    }
    FUZZ_CHECK(status == STATUS_OK || status == STATUS_NOT_FOUND || why.length > 0);
    bundle_reader_free(bundle);
}

static void read_sealed(int fd)
{
    struct seal_reader *seal = NULL;
    TEXT_LOCAL(why, 1024);

    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    if (seal_reader_new(fd, PASSPHRASE, &seal, &why) == STATUS_OK) {
        check_bundle(seal);
    } else {
        FUZZ_CHECK(why.length > 0 && seal == NULL);
    }
    seal_reader_free(seal);
}

/* A head whose cost is allowed, and high, takes a second: it is left out. */
static bool is_cheap(const uint8_t *data, size_t size)
{
    uint8_t cost[COST_BYTES] = {0};

    if (size < COST_AT + COST_BYTES) {
        return true;
    }
    memcpy(cost, data + COST_AT, sizeof cost);
    /* Little-endian: at most two rounds over at most 64 KiB. */
    return cost[0] <= 2 && cost[10] == 0 && cost[11] == 0;
}

static void seal_and_read(const uint8_t *data, size_t size)
{
    static const struct seal_cost cheap = {1, 8192};
    char path[BYTES_PATH_SIZE];
    int fd = bytes_file("", 0, path);
    struct seal_writer *writer = NULL;
    TEXT_LOCAL(why, 256);

    FUZZ_CHECK(seal_writer_new(fd, PASSPHRASE, &cheap, &writer, &why) == STATUS_OK);
    FUZZ_CHECK(seal_write(writer, data, size, &why) == STATUS_OK);
    FUZZ_CHECK(seal_finish(writer, &why) == STATUS_OK);
    seal_writer_free(writer);
    read_sealed(fd);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[BYTES_PATH_SIZE];
    int fd;

    if (size == 0) {
        return 0;
    }
    if (data[0] != 's') {
        seal_and_read(data + 1, size - 1);
    } else if (is_cheap(data + 1, size - 1)) {
        fd = bytes_file((const char *)data + 1, size - 1, path);
        read_sealed(fd);
        close(fd);
    }
    return 0;
}
