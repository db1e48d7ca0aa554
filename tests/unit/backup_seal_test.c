/* A backup's encryption: whole and unchanged, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "controller/backup/seal.h"

#define PASSPHRASE "four words or so"
#define HEAD 104

/* The least that libsodium takes: the file is opened a thousand times here. */
static const struct seal_cost cheap = {1, 8192};

static int memory_file(void)
{
    int fd = memfd_create("backup", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static unsigned char letter(size_t index)
{
    return (unsigned char)(index * 7 + index / 251);
}

static int sealed(size_t length)
{
    struct seal_writer *writer = NULL;
    int fd = memory_file();
    TEXT_LOCAL(why, 256);

    assert_int_equal(seal_writer_new(fd, PASSPHRASE, &cheap, &writer, &why), STATUS_OK);
    for (size_t at = 0; at < length;) {
        unsigned char part[1000];
        size_t size = length - at < sizeof part ? length - at : sizeof part;

        for (size_t i = 0; i < size; i++) {
            part[i] = letter(at + i);
        }
        assert_int_equal(seal_write(writer, part, size, &why), STATUS_OK);
        at += size;
    }
    assert_int_equal(seal_finish(writer, &why), STATUS_OK);
    seal_writer_free(writer);
    return fd;
}

/* How much of it came out, all of it right; -1 where `why` says what is wrong. */
static long opened(int fd, const char *passphrase, struct text *why)
{
    struct seal_reader *reader = NULL;
    size_t total = 0;
    size_t length = 1;
    const void *bytes = NULL;
    enum status status;

    text_clear(why);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    status = seal_reader_new(fd, passphrase, &reader, why);
    while (status == STATUS_OK && length > 0) {
        status = seal_read(reader, &bytes, &length, why);
        for (size_t i = 0; status == STATUS_OK && i < length; i++) {
            assert_int_equal(((const unsigned char *)bytes)[i], letter(total + i));
        }
        total += length;
    }
    seal_reader_free(reader);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_INVALID);
        assert_true(why->length > 0);
        return -1;
    }
    return (long)total;
}

static void what_went_in_comes_out(void **state)
{
    const size_t lengths[] = {
        0, 1, 999, SEAL_CHUNK - 1, SEAL_CHUNK, SEAL_CHUNK + 1, 3 * SEAL_CHUNK, 5 * SEAL_CHUNK + 17};
    TEXT_LOCAL(why, 256);

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        int fd = sealed(lengths[i]);
        assert_int_equal(opened(fd, PASSPHRASE, &why), lengths[i]);
        close(fd);
    }
}

static void it_can_be_read_once_more_from_the_beginning(void **state)
{
    struct seal_reader *reader = NULL;
    const void *bytes = NULL;
    size_t length = 0;
    int fd = sealed(2 * SEAL_CHUNK + 5);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(seal_reader_new(fd, PASSPHRASE, &reader, &why), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        size_t total = 0;

        assert_int_equal(seal_rewind(reader, &why), STATUS_OK);
        do {
            assert_int_equal(seal_read(reader, &bytes, &length, &why), STATUS_OK);
            total += length;
        } while (length > 0 && (i > 0 || total <= SEAL_CHUNK)); /* first, not to the end */
        assert_int_equal(total, i > 0 ? 2 * SEAL_CHUNK + 5 : 2 * SEAL_CHUNK);
    }
    seal_reader_free(reader);
    close(fd);
}

static void another_passphrase_opens_nothing(void **state)
{
    static const char *const others[] = {
        "", "four words or s", "four words or so ", "Four words or so"};
    int fd = sealed(100);
    TEXT_LOCAL(why, 256);

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(opened(fd, others[i], &why), -1);
        assert_string_equal(why.data, "the passphrase is wrong, or its first bytes are damaged");
    }
    close(fd);
}

static void a_file_that_was_cut_anywhere_is_refused(void **state)
{
    int fd = sealed(60);
    long length = lseek(fd, 0, SEEK_END);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(length, HEAD + 60 + 17);
    while (length-- > 0) {
        assert_int_equal(ftruncate(fd, length), 0);
        assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
    }
    assert_string_equal(why.data, "it is no backup of Tagout");
    close(fd);
}

static void a_file_that_was_cut_between_two_chunks_is_refused(void **state)
{
    int fd = sealed(3 * SEAL_CHUNK);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(ftruncate(fd, (off_t)(HEAD + 2 * (SEAL_CHUNK + 17))), 0);
    assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
    assert_string_equal(why.data, "it is cut short");
    close(fd);
}

static void each_byte_that_was_changed_is_found(void **state)
{
    int fd = sealed(60);
    long length = lseek(fd, 0, SEEK_END);
    TEXT_LOCAL(why, 256);

    (void)state;
    for (long at = 0; at < length; at++) {
        unsigned char before;
        unsigned char after;

        assert_int_equal(pread(fd, &before, 1, at), 1);
        after = before ^ 1;
        assert_int_equal(pwrite(fd, &after, 1, at), 1);
        assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
        assert_int_equal(pwrite(fd, &before, 1, at), 1);
    }
    assert_int_equal(opened(fd, PASSPHRASE, &why), 60);
    close(fd);
}

static void a_byte_behind_the_end_is_found(void **state)
{
    int fd = sealed(60);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(lseek(fd, 0, SEEK_END), HEAD + 60 + 17);
    assert_int_equal(write(fd, "x", 1), 1);
    /* It makes one bad chunk of the last one, or of a full one a chunk more. */
    assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
    close(fd);
    fd = sealed(SEAL_CHUNK);
    assert_true(lseek(fd, 0, SEEK_END) > 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
    assert_string_equal(why.data, "it goes on behind its end");
    close(fd);
}

static void chunks_that_changed_places_are_found(void **state)
{
    static char first[SEAL_CHUNK + 17];
    static char second[SEAL_CHUNK + 17];
    int fd = sealed(3 * SEAL_CHUNK);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(pread(fd, first, sizeof first, HEAD), sizeof first);
    assert_int_equal(pread(fd, second, sizeof second, HEAD + sizeof first), sizeof second);
    assert_int_equal(pwrite(fd, second, sizeof second, HEAD), sizeof second);
    assert_int_equal(pwrite(fd, first, sizeof first, HEAD + sizeof first), sizeof first);
    assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
    close(fd);
}

static void a_newer_layout_is_said_to_be_one(void **state)
{
    int fd = sealed(1);
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(pwrite(fd, "2", 1, 14), 1);
    assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
    assert_string_equal(why.data, "it is a backup of a newer version of Tagout");
    close(fd);
}

static void a_file_cannot_ask_for_a_gigabyte_and_more(void **state)
{
    int fd = sealed(1);
    const unsigned char memory[8] = {1, 0, 0, 0x40};
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_int_equal(pwrite(fd, memory, sizeof memory, 24), sizeof memory);
    assert_int_equal(opened(fd, PASSPHRASE, &why), -1);
    assert_string_equal(why.data, "its first bytes are damaged");
    close(fd);
}

static void the_same_content_never_looks_the_same(void **state)
{
    char one[HEAD + 60 + 17];
    char two[sizeof one];
    int fds[2] = {sealed(60), sealed(60)};

    (void)state;
    assert_int_equal(pread(fds[0], one, sizeof one, 0), sizeof one);
    assert_int_equal(pread(fds[1], two, sizeof two, 0), sizeof two);
    assert_memory_not_equal(one + 32, two + 32, 16);
    assert_memory_not_equal(one + HEAD, two + HEAD, 60);
    close(fds[0]);
    close(fds[1]);
}

static void a_disk_that_is_full_is_told(void **state)
{
    struct seal_writer *writer = NULL;
    FILE *full = fopen("/dev/full", "w");
    TEXT_LOCAL(why, 256);

    (void)state;
    assert_non_null(full);
    assert_int_equal(seal_writer_new(fileno(full), PASSPHRASE, &cheap, &writer, &why), STATUS_IO);
    assert_string_equal(why.data, "it cannot be written: No space left on device");
    (void)fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_went_in_comes_out),
        cmocka_unit_test(it_can_be_read_once_more_from_the_beginning),
        cmocka_unit_test(another_passphrase_opens_nothing),
        cmocka_unit_test(a_file_that_was_cut_anywhere_is_refused),
        cmocka_unit_test(a_file_that_was_cut_between_two_chunks_is_refused),
        cmocka_unit_test(each_byte_that_was_changed_is_found),
        cmocka_unit_test(a_byte_behind_the_end_is_found),
        cmocka_unit_test(chunks_that_changed_places_are_found),
        cmocka_unit_test(a_newer_layout_is_said_to_be_one),
        cmocka_unit_test(a_file_cannot_ask_for_a_gigabyte_and_more),
        cmocka_unit_test(the_same_content_never_looks_the_same),
        cmocka_unit_test(a_disk_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
