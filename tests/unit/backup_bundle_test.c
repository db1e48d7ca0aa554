/* The inside of a backup: what leads elsewhere is refused, whoever made the archive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "controller/backup/backup.h"
#include "controller/backup/bundle.h"
#include "tests/lib/redis_server.h"
#include "tests/lib/scratch.h"

#define PASSPHRASE "four words or so"
#define MANIFEST "{\"version\": 1, \"at\": 1795330948, \"host\": \"shop\", \"ini\": \"tagout.ini\"}"

static const struct seal_cost cheap = {1, 8192};

struct part {
    const char *name;
    unsigned type; /* AE_IFREG and so on */
    const char *content;
    const char *link;
    bool is_hard;
};

static la_ssize_t on_write(struct archive *archive, void *context, const void *bytes, size_t length)
{
    TEXT_LOCAL(why, 256);

    (void)archive;
    assert_int_equal(seal_write(context, bytes, length, &why), STATUS_OK);
    return (la_ssize_t)length;
}

/* A sealed archive of anything at all. */
static void write_archive(int fd, const struct part *parts, size_t count)
{
    struct archive *archive = archive_write_new();
    struct seal_writer *seal = NULL;
    TEXT_LOCAL(why, 256);

    assert_int_equal(seal_writer_new(fd, PASSPHRASE, &cheap, &seal, &why), STATUS_OK);
    assert_int_equal(archive_write_set_format_pax_restricted(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open(archive, seal, NULL, on_write, NULL), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        size_t length = parts[i].content == NULL ? 0 : strlen(parts[i].content);

        archive_entry_set_pathname(entry, parts[i].name);
        archive_entry_set_filetype(entry, parts[i].type);
        archive_entry_set_perm(entry, 07777);
        archive_entry_set_size(entry, (int64_t)length);
        if (parts[i].link != NULL && parts[i].is_hard) {
            archive_entry_set_hardlink(entry, parts[i].link);
        } else if (parts[i].link != NULL) {
            archive_entry_set_symlink(entry, parts[i].link);
        }
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        if (length > 0) {
            assert_int_equal(archive_write_data(archive, parts[i].content, length), length);
        }
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    assert_int_equal(seal_finish(seal, &why), STATUS_OK);
    seal_writer_free(seal);
}

/* Restores it into ./etc; says why not. */
static enum status restore(const struct part *parts, size_t count, struct text *why)
{
    char directory[256];
    struct restore_result result;
    struct backup_wish wish = {
        .directory = directory,
        .ini = "tagout.ini",
        .file = "backup",
        .passphrase = PASSPHRASE,
        .cost = &cheap,
        .now = {1795330948000},
    };
    int fd = open("backup", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    write_archive(fd, parts, count);
    close(fd);
    assert_non_null(getcwd(directory, sizeof directory - 4));
    (void)snprintf(directory + strlen(directory), 5, "/etc");
    text_clear(why);
    return backup_restore(&wish, &result, why);
}

/* In the scratch folder and beside it. */
static void assert_nothing_was_left(void)
{
    DIR *entries = opendir(".");
    const struct dirent *entry;

    assert_int_equal(unlink("backup"), 0);
    assert_int_equal(access("../elsewhere", F_OK), -1);
    assert_int_equal(access("/tmp/elsewhere", F_OK), -1);
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        assert_int_equal(entry->d_name[0], '.');
    }
    closedir(entries);
}

static void names_stay_within(void **state)
{
    static const char *const good[] = {
        "a", "a/b", "configuration/ca/ca.key", "..a", "a..", "...", ".a", "a b", "\xc3\xa9"};
    static const char *const bad[] = {
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "..",
        "../a",
        "a/.",
        "./a",
        "a/../b",
        "a/..",
        "a\nb",
        "\x7f",
        "\xff",
        ".",
        "a/./b",
        "1/2/3/4/5/6/7/8/9"};
    char long_name[BUNDLE_NAME_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(bundle_name_is_safe(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(bundle_name_is_safe(bad[i]));
    }
    memset(long_name, 'a', sizeof long_name);
    long_name[BUNDLE_NAME_SIZE] = '\0';
    assert_false(bundle_name_is_safe(long_name));
    long_name[BUNDLE_NAME_SIZE - 1] = '\0';
    assert_true(bundle_name_is_safe(long_name));
}

static void what_leads_elsewhere_is_refused_and_nothing_is_written(void **state)
{
    static const struct part bad[] = {
        {"configuration/../../elsewhere", AE_IFREG, "x", NULL, false},
        {"../elsewhere", AE_IFREG, "x", NULL, false},
        {"/tmp/elsewhere", AE_IFREG, "x", NULL, false},
        {"configuration/link", AE_IFLNK, NULL, "/etc/passwd", false},
        {"configuration/hard", AE_IFREG, NULL, "configuration/tagout.ini", true},
        {"configuration/pipe", AE_IFIFO, NULL, NULL, false},
        {"configuration/device", AE_IFCHR, NULL, NULL, false},
        {"elsewhere", AE_IFREG, "x", NULL, false},
        {"elsewhere/tmp", AE_IFDIR, NULL, NULL, false},
        {"elsewhere/tmp/../elsewhere", AE_IFREG, "x", NULL, false},
        {"other", AE_IFREG, "x", NULL, false},
        {"configuration", AE_IFREG, "x", NULL, false},
        {"configurations/a", AE_IFREG, "x", NULL, false},
        /* Twice the same: the second would write over the first. */
        {"configuration/tagout.ini", AE_IFREG, "x", NULL, false},
    };
    TEXT_LOCAL(why, 1024);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct part parts[] = {
            {"backup.json", AE_IFREG, MANIFEST, NULL, false},
            {"configuration", AE_IFDIR, NULL, NULL, false},
            {"configuration/tagout.ini", AE_IFREG, "", NULL, false},
            bad[i],
        };
        enum status status = restore(parts, 4, &why);

        assert_true(status == STATUS_INVALID || status == STATUS_IO);
        assert_true(why.length > strlen("backup: "));
        assert_nothing_was_left();
    }
}

static void what_the_configuration_does_not_name_is_written_nowhere(void **state)
{
    struct redis_server redis;
    struct part parts[] = {
        {"backup.json", AE_IFREG, MANIFEST, NULL, false},
        {"configuration", AE_IFDIR, NULL, NULL, false},
        {"configuration/tagout.ini", AE_IFREG, NULL, NULL, false},
        {"redis", AE_IFREG, "*3\r\n$3\r\nSET\r\n$8\r\ntagout:a\r\n$1\r\n1\r\n", NULL, false},
        {"elsewhere/tmp/elsewhere", AE_IFREG, "x", NULL, false},
    };
    TEXT_LOCAL(ini, 512);
    TEXT_LOCAL(why, 1024);

    (void)state;
    redis_server_start(&redis, "");
    text_addf(
        &ini,
        "[redis]\nurl = %s\n[audit]\ndirectory = audit\n"
        "[mosquitto]\npassword_file = none\nacl_file = none\n",
        redis.url);
    parts[2].content = ini.data;
    assert_int_equal(restore(parts, 5, &why), STATUS_INVALID);
    assert_string_equal(
        why.data, "backup: elsewhere/tmp/elsewhere: the configuration in it does not name that");
    assert_nothing_was_left();
    redis_server_command(&redis, "EXISTS tagout:a", ":0");
    /* Without that it is a good backup, but for a command that is none of ours. */
    parts[3].content = "*3\r\n$3\r\nSET\r\n$7\r\nother:a\r\n$1\r\n1\r\n";
    assert_int_equal(restore(parts, 4, &why), STATUS_INVALID);
    assert_non_null(strstr(why.data, "none of Tagout's under the prefix tagout:"));
    assert_nothing_was_left();
    parts[3].content = "*1\r\n$8\r\nFLUSHALL\r\n";
    assert_int_equal(restore(parts, 4, &why), STATUS_INVALID);
    assert_nothing_was_left();
    parts[3].content = "*3\r\n$3\r\nSET\r\n$12\r\ntagout:lease\r\n$1\r\n1\r\n";
    assert_int_equal(restore(parts, 4, &why), STATUS_INVALID);
    assert_nothing_was_left();
    parts[3].content = "*3\r\n$3\r\nSET\r\n$9999\r\ntagout:a\r\n";
    assert_int_equal(restore(parts, 4, &why), STATUS_INVALID);
    assert_nothing_was_left();
    redis_server_stop(&redis);
}

static void a_manifest_has_to_come_first_and_to_be_known(void **state)
{
    static const struct {
        const char *name;
        const char *content;
        const char *why;
    } bad[] = {
        {"configuration", NULL, "backup: it does not begin with backup.json"},
        {"backup.json", "[]", "backup: it is a backup of a newer version of Tagout"},
        {"backup.json", "{\"version\": 2, \"ini\": \"a\"}",
         "backup: it is a backup of a newer version of Tagout"},
        {"backup.json", "{\"version\": 1, \"ini\": \"../a\"}",
         "backup: backup.json does not name the configuration's file"},
        {"backup.json", "{\"version\": 1}",
         "backup: backup.json does not name the configuration's file"},
        {"backup.json", "", "backup: not JSON: it ends too early at byte 0"},
    };
    TEXT_LOCAL(why, 1024);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct part part = {
            bad[i].name, bad[i].content == NULL ? AE_IFDIR : AE_IFREG, bad[i].content, NULL, false};

        assert_int_equal(restore(&part, 1, &why), STATUS_INVALID);
        assert_string_equal(why.data, bad[i].why);
        assert_nothing_was_left();
    }
    assert_int_equal(restore(NULL, 0, &why), STATUS_INVALID);
    assert_nothing_was_left();
}

static void no_mode_from_an_archive_gives_somebody_elses_rights(void **state)
{
    const struct part part = {"configuration/a", AE_IFREG, "x", NULL, false};
    struct seal_reader *seal = NULL;
    struct bundle_reader *bundle = NULL;
    struct bundle_item item;
    int fd = memfd_create("backup", MFD_CLOEXEC);
    TEXT_LOCAL(why, 256);

    (void)state;
    write_archive(fd, &part, 1);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(seal_reader_new(fd, PASSPHRASE, &seal, &why), STATUS_OK);
    assert_int_equal(bundle_reader_new(seal, &bundle, &why), STATUS_OK);
    assert_int_equal(bundle_next(bundle, &item, &why), STATUS_OK);
    assert_int_equal(item.mode, 0777);
    assert_int_equal(bundle_next(bundle, &item, &why), STATUS_NOT_FOUND);
    bundle_reader_free(bundle);
    seal_reader_free(seal);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay_within),
        cmocka_unit_test(what_leads_elsewhere_is_refused_and_nothing_is_written),
        cmocka_unit_test(what_the_configuration_does_not_name_is_written_nowhere),
        cmocka_unit_test(a_manifest_has_to_come_first_and_to_be_known),
        cmocka_unit_test(no_mode_from_an_archive_gives_somebody_elses_rights),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
