#include "controller/setup/authority.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/setup/files.h"
#include "controller/setup/program.h"
#include "controller/support/certificate.h"
#include "controller/support/replace.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define HOST_MAX 253 /* DNS's limit */
#define BROKER_GROUP "mosquitto"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

struct work {
    const struct authority_wish *wish;
    char folder[FILES_PATH_SIZE];  /* what it is about */
    char scratch[FILES_PATH_SIZE]; /* beside it */
    struct text *why;
};

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool authority_is_host(const char *host)
{
    const char *name = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
    size_t length = strlen(name);

    if (is_address(host)) {
        return true;
    }
    return length > 0 && length <= HOST_MAX && strspn(name, NAME_CHARACTERS) == length &&
           name[0] != '.' && name[0] != '-' && strstr(name, "..") == NULL;
}

/* Names in any case, addresses in any notation. */
static bool is_same_host(const char *one, const char *other)
{
    static const int families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < 2; i++) {
        unsigned char ours[sizeof(struct in6_addr)] = {0};
        unsigned char theirs[sizeof(struct in6_addr)] = {0};

        if (inet_pton(families[i], one, ours) == 1 && inet_pton(families[i], other, theirs) == 1) {
            return memcmp(ours, theirs, sizeof ours) == 0;
        }
    }
    return text_compare_nocase(one, other) == 0;
}

/* The hosts that are always there, then the others: each once. */
static void add_hosts(const char *const *others, size_t count, struct text *configuration)
{
    static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
    const char *hosts[sizeof always / sizeof always[0] + AUTHORITY_HOSTS_MAX];
    size_t taken = 0;

    for (size_t i = 0; i < sizeof always / sizeof always[0] + count; i++) {
        const char *host = i < sizeof always / sizeof always[0]
                               ? always[i]
                               : others[i - sizeof always / sizeof always[0]];
        bool is_new = taken < sizeof hosts / sizeof hosts[0];

        for (size_t j = 0; j < taken; j++) {
            is_new = is_new && !is_same_host(host, hosts[j]);
        }
        if (is_new) {
            text_addf(
                configuration, "%s%s:%s", taken > 0 ? ", " : "", is_address(host) ? "IP" : "DNS",
                host);
            hosts[taken++] = host;
        }
    }
}

/* OpenSSL's own configuration is not read: what stands here is all. */
static enum status write_configuration(const struct work *work)
{
    char path[FILES_PATH_SIZE];
    const struct replace_rights rights = {.mode = 0600};
    char own_name[HOST_MAX + 1] = "";
    const char *const own_host[] = {own_name};
    bool needs_own = work->wish->host_count == 0 &&
                     gethostname(own_name, sizeof own_name - 1) == 0 && authority_is_host(own_name);
    enum status status = files_join(path, work->scratch, "openssl.cnf", work->why);
    TEXT_LOCAL(configuration, 8192);

    text_add(
        &configuration, "[req]\n"
                        "distinguished_name = name\n"
                        "x509_extensions = authority\n"
                        "string_mask = utf8only\n"
                        "[name]\n"
                        "[authority]\n"
                        "basicConstraints = critical, CA:TRUE, pathlen:0\n"
                        "keyUsage = critical, keyCertSign, cRLSign\n"
                        "subjectKeyIdentifier = hash\n"
                        "[server]\n"
                        "basicConstraints = critical, CA:FALSE\n"
                        "keyUsage = critical, digitalSignature\n"
                        "extendedKeyUsage = serverAuth\n"
                        "subjectKeyIdentifier = hash\n"
                        "authorityKeyIdentifier = keyid\n"
                        "subjectAltName = ");
    add_hosts(
        needs_own ? own_host : work->wish->hosts, needs_own ? 1 : work->wish->host_count,
        &configuration);
    text_add(&configuration, "\n");
    if (status == STATUS_OK) {
        status = replace_file(path, configuration.data, configuration.length, &rights, work->why);
    }
    return status;
}

static enum status make_authority(const struct work *work)
{
    char days[24];
    const char *const words[] = {"openssl",  "req",
                                 "-x509",    "-new",
                                 "-newkey",  "ec",
                                 "-pkeyopt", "ec_paramgen_curve:P-256",
                                 "-noenc",   "-sha256",
                                 "-days",    days,
                                 "-subj",    "/O=Tagout/CN=Tagout authority",
                                 "-config",  "openssl.cnf",
                                 "-keyout",  "ca.key",
                                 "-out",     "ca.crt",
                                 NULL};

    (void)snprintf(days, sizeof days, "%d", AUTHORITY_DAYS);
    return program_run(words, work->scratch, work->why);
}

/* A certificate that outlives its authority would only hide when both end. */
static enum status days_left(const struct work *work, char *ret_days, size_t size)
{
    struct certificate authority;
    char path[FILES_PATH_SIZE];
    enum status status = files_join(path, work->scratch, "ca.crt", work->why);
    int64_t days;

    if (status == STATUS_OK) {
        status = certificate_read(path, &authority, work->why);
    }
    if (status != STATUS_OK) {
        return status;
    }
    days = (authority.ends.ms - work->wish->now.ms) / DAY_MS;
    if (days < 1) {
        text_addf(work->why, "%s: has ended: make another authority", path);
        return STATUS_INVALID;
    }
    (void)snprintf(ret_days, size, "%d", days < AUTHORITY_DAYS ? (int)days : AUTHORITY_DAYS);
    return STATUS_OK;
}

static enum status make_server(const struct work *work)
{
    char days[24];
    char serial[40] = "0x7f"; /* positive, and of 17 bytes */
    unsigned char number[16];
    const char *const ask[] = {
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-noenc",
        "-sha256",
        "-subj",
        "/O=Tagout/CN=Tagout broker",
        "-config",
        "openssl.cnf",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
        NULL};
    const char *const sign[] = {
        "openssl",  "x509",        "-req",        "-in",    "server.csr", "-CA",        "ca.crt",
        "-CAkey",   "ca.key",      "-set_serial", serial,   "-days",      days,         "-sha256",
        "-extfile", "openssl.cnf", "-extensions", "server", "-out",       "server.crt", NULL};
    enum status status = days_left(work, days, sizeof days);

    if (status != STATUS_OK) {
        return status;
    }
    if (getrandom(number, sizeof number, 0) != (ssize_t)sizeof number) {
        text_addf(work->why, "no random number: %s", strerror(errno));
        return STATUS_IO;
    }
    for (size_t i = 0; i < sizeof number; i++) {
        (void)snprintf(serial + 4 + 2 * i, 3, "%02x", (unsigned)number[i]);
    }
    status = program_run(ask, work->scratch, work->why);
    return status == STATUS_OK ? program_run(sign, work->scratch, work->why) : status;
}

static enum status move(const struct work *work, const char *name, const char *from, const char *to)
{
    char old_path[FILES_PATH_SIZE];
    char new_path[FILES_PATH_SIZE];
    enum status status = files_join(old_path, from, name, work->why);

    if (status == STATUS_OK) {
        status = files_join(new_path, to, name, work->why);
    }
    if (status == STATUS_OK && rename(old_path, new_path) != 0) {
        text_addf(work->why, "%s: %s", new_path, strerror(errno));
        status = STATUS_IO;
    }
    return status;
}

/* The authority that is there, for the time of the work, as a link of its own. */
static enum status borrow(const struct work *work, const char *name)
{
    char from[FILES_PATH_SIZE];
    char to[FILES_PATH_SIZE];
    enum status status = files_join(from, work->folder, name, work->why);

    if (status == STATUS_OK) {
        status = files_join(to, work->scratch, name, work->why);
    }
    if (status == STATUS_OK && link(from, to) != 0) {
        text_addf(work->why, "%s: %s", from, strerror(errno));
        status = STATUS_IO;
    }
    return status;
}

static enum status set_owners(const struct work *work)
{
    const struct {
        const char *name;
        struct files_owner owner;
    } owners[] = {
        {"ca.crt", {.mode = 0644}},
        {"ca.key", {.mode = 0600}},
        {"server.crt", {.mode = 0644}},
        /* The broker reads it after it has laid down root's rights. */
        {"server.key", {.mode = geteuid() == 0 ? 0640 : 0600, .group = BROKER_GROUP}},
    };

    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        char path[FILES_PATH_SIZE];
        enum status status = files_join(path, work->scratch, owners[i].name, work->why);

        if (status == STATUS_OK) {
            status = files_set_owner(path, owners[i].owner, work->why);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status make_all(const struct work *work, bool has_authority)
{
    static const char *const spare[] = {"openssl.cnf", "server.csr"};
    enum status status = write_configuration(work);

    if (status == STATUS_OK && has_authority) {
        status = borrow(work, "ca.crt");
        status = status == STATUS_OK ? borrow(work, "ca.key") : status;
    } else if (status == STATUS_OK) {
        status = make_authority(work);
    }
    if (status == STATUS_OK) {
        status = make_server(work);
    }
    if (status == STATUS_OK) {
        status = set_owners(work);
    }
    for (size_t i = 0; status == STATUS_OK && i < sizeof spare / sizeof spare[0]; i++) {
        char path[FILES_PATH_SIZE];
        status = files_join(path, work->scratch, spare[i], work->why);
        if (status == STATUS_OK) {
            (void)unlink(path);
        }
    }
    return status;
}

static enum status publish(const struct work *work, bool has_authority)
{
    static const char *const names[] = {"ca.key", "ca.crt", "server.key", "server.crt"};
    enum status status = STATUS_OK;

    if (!files_exist(work->folder)) {
        if (chmod(work->scratch, 0755) != 0 || rename(work->scratch, work->folder) != 0) {
            text_addf(work->why, "%s: %s", work->folder, strerror(errno));
            return STATUS_IO;
        }
        return files_sync_directory(work->wish->directory, work->why);
    }
    for (size_t i = has_authority ? 2 : 0; status == STATUS_OK && i < 4; i++) {
        status = move(work, names[i], work->scratch, work->folder);
    }
    return status == STATUS_OK ? files_sync_directory(work->folder, work->why) : status;
}

/* STATUS_INVALID: one half of an authority is there. */
static enum status look(const struct work *work, bool *ret_has_authority)
{
    static const char *const names[] = {"ca.crt", "ca.key", "server.crt"};
    char paths[3][FILES_PATH_SIZE];
    bool there[3];

    for (size_t i = 0; i < 3; i++) {
        enum status status = files_join(paths[i], work->folder, names[i], work->why);
        if (status != STATUS_OK) {
            return status;
        }
        there[i] = files_exist(paths[i]);
    }
    if (there[0] != there[1]) {
        text_addf(
            work->why, "%s is there and %s is not: nothing can be signed without it",
            paths[there[0] ? 0 : 1], paths[there[0] ? 1 : 0]);
        return STATUS_INVALID;
    }
    if (there[2] && !work->wish->replace) {
        text_addf(work->why, "%s is there already", paths[2]);
        return STATUS_BUSY;
    }
    *ret_has_authority = there[0];
    return STATUS_OK;
}

enum status
authority_make(const struct authority_wish *wish, bool *ret_authority_is_new, struct text *why)
{
    struct work work = {.wish = wish, .why = why};
    bool has_authority = false;
    enum status status = files_join(work.folder, wish->directory, AUTHORITY_FOLDER, why);

    if (status == STATUS_OK) {
        status = look(&work, &has_authority);
    }
    if (status == STATUS_OK) {
        status = files_join(work.scratch, wish->directory, "." AUTHORITY_FOLDER "-XXXXXX", why);
    }
    if (status == STATUS_OK && mkdtemp(work.scratch) == NULL) {
        text_addf(why, "%s: no folder can be made in it: %s", wish->directory, strerror(errno));
        return STATUS_IO;
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = make_all(&work, has_authority);
    if (status == STATUS_OK) {
        status = publish(&work, has_authority);
    }
    if (files_exist(work.scratch)) {
        files_remove(work.scratch);
    }
    if (status == STATUS_OK) {
        *ret_authority_is_new = !has_authority;
    }
    return status;
}
