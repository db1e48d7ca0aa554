/* Files that others wrote, or spoilt; the first byte says which: the broker's `p`asswords, its
 * `a`ccess list or `l`isteners, ESPHome's `s`ecrets, an `e`nvironment file, a credential (`k`), a
 * `c`ertificate. What is written back is read again as the same, and what others wrote stays in it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/settings.h"
#include "controller/ctl/accounts.h"
#include "controller/ctl/box_file.h"
#include "controller/ctl/listeners.h"
#include "controller/setup/environment.h"
#include "controller/support/certificate.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define FILE_MAX ((size_t)1 << 20)

/* Nothing of this outlives the process; the disk need not be waited for. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

static void put(const char *name, const char *bytes, size_t length)
{
    char path[BYTES_PLACE_SIZE];
    int fd;

    bytes_place(path, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    close(fd);
}

static void take_away(const char *name)
{
    char path[BYTES_PLACE_SIZE];

    bytes_place(path, name);
    (void)unlink(path);
}

static size_t get(const char *name, char *bytes)
{
    char path[BYTES_PLACE_SIZE];
    int fd;
    ssize_t length;

    bytes_place(path, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    length = read(fd, bytes, FILE_MAX);
    FUZZ_CHECK(length >= 0);
    close(fd);
    return (size_t)length;
}

/* ---- accounts ---- */

static void check_same(const struct accounts *accounts, const struct accounts *again)
{
    FUZZ_CHECK(accounts->count == again->count);
    for (size_t i = 0; i < accounts->count; i++) {
        FUZZ_CHECK(strcmp(accounts->lines[i].line, again->lines[i].line) == 0);
        if (accounts->lines[i].name != NULL) {
            FUZZ_CHECK(accounts_have(again, accounts->lines[i].name));
        }
    }
    FUZZ_CHECK(accounts->own_rules == NULL || strcmp(accounts->own_rules, again->own_rules) == 0);
}

static void check_accounts(void)
{
    char passwords[BYTES_PLACE_SIZE];
    char acl[BYTES_PLACE_SIZE];
    const struct accounts_place place = {
        .password_file = passwords,
        .acl_file = acl,
        .shop = {.prefix = "tagout", .discovery_prefix = "homeassistant"},
    };
    struct accounts accounts;
    struct accounts again;
    TEXT_LOCAL(why, 1024);

    bytes_place(passwords, "passwords");
    bytes_place(acl, "acl");
    if (accounts_open(&place, &accounts, &why) == STATUS_OK) {
        FUZZ_CHECK(accounts_write(&accounts, &why) == STATUS_OK);
        FUZZ_CHECK(accounts_look(&place, &again, &why) == STATUS_OK);
        accounts_free(&again);
        close(accounts.lock);
        accounts.lock = -1;
        FUZZ_CHECK(accounts_open(&place, &again, &why) == STATUS_OK);
        check_same(&accounts, &again);
        accounts_free(&again);
    } else {
        FUZZ_CHECK(why.length > 0);
    }
    accounts_free(&accounts);
}

/* ---- secrets.yaml ---- */

static void write_again(const struct box_file *box)
{
    struct box_before before;
    TEXT_LOCAL(why, 1024);

    FUZZ_CHECK(box_file_write(box, &before, &why) == STATUS_OK);
    box_before_free(&before);
}

static void check_secrets(void)
{
    static char original[FILE_MAX];
    static char first[FILE_MAX];
    static char second[FILE_MAX];
    char folder[BYTES_PLACE_SIZE];
    const struct box_file box = {
        .folder = folder, .machine = "table-saw", .prefix = "tagout", .password = "four-words"};
    struct box_before before;
    size_t original_length = get("secrets.yaml", original);
    size_t length;
    TEXT_LOCAL(why, 1024);

    bytes_place(folder, "");
    if (box_file_write(&box, &before, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
        return;
    }
    length = get("secrets.yaml", first);
    FUZZ_CHECK(memmem(first, length, "table_saw_password: \"four-words\"\n", 33) != NULL);
    box_file_take_back(&box, &before);
    box_before_free(&before);
    length = get("secrets.yaml", second);
    FUZZ_CHECK(length == original_length && memcmp(original, second, length) == 0);
    write_again(&box);
    length = get("secrets.yaml", first);
    write_again(&box);
    FUZZ_CHECK(length == get("secrets.yaml", second) && memcmp(first, second, length) == 0);
}

/* ---- the broker's configuration ---- */

static void check_listeners(const char *bytes, size_t size)
{
    struct bytes input = bytes_of((const uint8_t *)bytes, size);
    struct listeners listeners;
    size_t length;
    char *text = bytes_until(&input, '\0', true, &length);

    listeners_parse(text, &listeners);
    FUZZ_CHECK(
        listeners.services.plain > 0 || listeners.services.tls > 0 || listeners.people.plain > 0 ||
        listeners.people.tls > 0);
    free(text);
}

/* ---- environment and credentials ---- */

static void load_settings(void)
{
    struct settings *settings = NULL;
    TEXT_LOCAL(why, 1024);

    if (settings_load(NULL, &settings, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0 && settings == NULL && strchr(why.data, '\n') == NULL);
    }
    settings_free(settings);
}

static bool forget_one(void)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, "TAGOUT_", strlen("TAGOUT_")) == 0) {
            char *name = strndup(*variable, strcspn(*variable, "="));
            FUZZ_CHECK(name != NULL && unsetenv(name) == 0);
            free(name);
            return true;
        }
    }
    return false;
}

static void check_environment(void)
{
    char path[BYTES_PLACE_SIZE];
    TEXT_LOCAL(why, 1024);

    bytes_place(path, "environment");
    if (environment_load(path, &why) == STATUS_OK) {
        load_settings();
    } else {
        FUZZ_CHECK(why.length > 0);
    }
    while (forget_one()) {
    }
}

static void check_credential(void)
{
    char folder[BYTES_PLACE_SIZE];

    bytes_place(folder, "");
    (void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
    load_settings();
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    take_away("tagout.redis_password");
}

/* ---- certificates ---- */

static void check_certificate(void)
{
    char path[BYTES_PLACE_SIZE];
    struct certificate certificate;
    TEXT_LOCAL(why, 1024);

    bytes_place(path, "certificate");
    if (certificate_read(path, &certificate, &why) == STATUS_OK) {
        FUZZ_CHECK(strlen(certificate.subject) < sizeof certificate.subject);
        FUZZ_CHECK(text_is_printable_ascii(certificate.names));
    } else {
        FUZZ_CHECK(why.length > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1;

    if (size == 0) {
        return 0;
    }
    switch (data[0]) {
    case 'p':
        take_away("acl");
        put("passwords", bytes, size - 1);
        check_accounts();
        break;
    case 'a':
        put("passwords", "op.ada:$7$101$a$b\nsaw:$7$101$c$d\n", 33);
        put("acl", bytes, size - 1);
        check_accounts();
        break;
    case 's':
        put("secrets.yaml", bytes, size - 1);
        check_secrets();
        break;
    case 'l':
        check_listeners(bytes, size - 1);
        break;
    case 'e':
        put("environment", bytes, size - 1);
        check_environment();
        break;
    case 'k':
        put("tagout.redis_password", bytes, size - 1);
        check_credential();
        break;
    default:
        put("certificate", bytes, size - 1);
        check_certificate();
        break;
    }
    return 0;
}
