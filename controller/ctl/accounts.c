#include "controller/ctl/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/file.h"
#include "controller/ctl/password.h"
#include "controller/support/replace.h"

#define HEADER "# Written by tagoutctl: who may read and write what on Tagout's broker.\n"
#define OWN_BEGIN "# Rules of your own, for accounts of your own, from here\n"
#define OWN_END "# to here; what stands outside is written anew with every account.\n"

/* Mosquitto runs under a user of its own and reads them again on SIGHUP. */
static const struct replace_rights rights = {.mode = 0640, .group = "mosquitto"};

static enum status no_memory(struct text *why)
{
    text_add(why, status_text(STATUS_NO_MEMORY));
    return STATUS_NO_MEMORY;
}

static enum status add_line(struct accounts *accounts, const char *bytes, size_t length)
{
    const char *colon = memchr(bytes, ':', length);
    bool is_account = colon != NULL && colon != bytes && bytes[0] != '#';
    struct accounts_line line = {0};

    if (accounts->count == accounts->room) {
        size_t room = accounts->room == 0 ? 64 : 2 * accounts->room;
        struct accounts_line *lines = realloc(accounts->lines, room * sizeof *lines);
        if (lines == NULL) {
            return STATUS_NO_MEMORY;
        }
        accounts->lines = lines;
        accounts->room = room;
    }
    line.line = strndup(bytes, length);
    if (is_account) {
        line.name = strndup(bytes, (size_t)(colon - bytes));
    }
    if (line.line == NULL || (is_account && line.name == NULL)) {
        free(line.line);
        free(line.name);
        return STATUS_NO_MEMORY;
    }
    accounts->lines[accounts->count++] = line;
    return STATUS_OK;
}

static enum status read_passwords(struct accounts *accounts, struct text *why)
{
    const char *path = accounts->place.password_file;
    char *bytes = NULL;
    size_t length = 0;
    enum status status;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return STATUS_OK;
    }
    status = file_read_text(path, ACCOUNTS_BYTES_MAX, &bytes, &length, why);
    for (size_t at = 0; status == STATUS_OK && at < length;) {
        const char *end = memchr(bytes + at, '\n', length - at);
        size_t line = end == NULL ? length - at : (size_t)(end - bytes) - at;

        status = add_line(accounts, bytes + at, line);
        if (status != STATUS_OK) {
            status = no_memory(why);
        }
        at += line + 1;
    }
    free(bytes);
    return status;
}

/* A file that somebody wrote by hand is not thrown away. */
static enum status read_rules(struct accounts *accounts, struct text *why)
{
    const char *path = accounts->place.acl_file;
    char *bytes = NULL;
    size_t length = 0;
    char *begin;
    char *end;
    enum status status;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return STATUS_OK;
    }
    status = file_read_text(path, ACCOUNTS_BYTES_MAX, &bytes, &length, why);
    if (status != STATUS_OK) {
        return status;
    }
    begin = strstr(bytes, OWN_BEGIN);
    end = begin == NULL ? NULL : strstr(begin, OWN_END);
    if (strncmp(bytes, HEADER, strlen(HEADER)) != 0 || end == NULL) {
        text_addf(
            why, "%s: was not written by tagoutctl, which would replace it; move it away first",
            path);
        status = STATUS_INVALID;
    } else {
        begin += strlen(OWN_BEGIN);
        accounts->own_rules = strndup(begin, (size_t)(end - begin));
        status = accounts->own_rules == NULL ? no_memory(why) : STATUS_OK;
    }
    free(bytes);
    return status;
}

enum status
accounts_look(const struct accounts_place *place, struct accounts *accounts, struct text *why)
{
    *accounts = (struct accounts){.place = *place, .lock = -1};
    return read_passwords(accounts, why);
}

enum status
accounts_open(const struct accounts_place *place, struct accounts *accounts, struct text *why)
{
    enum status status;

    *accounts = (struct accounts){.place = *place, .lock = -1};
    status = replace_lock(place->password_file, &accounts->lock, why);
    if (status == STATUS_OK) {
        status = read_passwords(accounts, why);
    }
    return status == STATUS_OK ? read_rules(accounts, why) : status;
}

void accounts_free(struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->count; i++) {
        free(accounts->lines[i].name);
        free(accounts->lines[i].line);
    }
    free(accounts->lines);
    free(accounts->own_rules);
    if (accounts->lock >= 0) {
        (void)close(accounts->lock);
    }
    *accounts = (struct accounts){.lock = -1};
}

static struct accounts_line *find(const struct accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->count; i++) {
        if (accounts->lines[i].name != NULL && strcmp(accounts->lines[i].name, name) == 0) {
            return &accounts->lines[i];
        }
    }
    return NULL;
}

bool accounts_have(const struct accounts *accounts, const char *name)
{
    return find(accounts, name) != NULL;
}

enum status accounts_set(struct accounts *accounts, const char *name, const char *password)
{
    struct accounts_line *old = find(accounts, name);
    char hash[PASSWORD_HASH_SIZE];
    char *line;
    enum status status = password_hash(password, hash);
    TEXT_LOCAL(text, TOPIC_MACHINE_MAX + 1 + PASSWORD_HASH_SIZE);

    if (status != STATUS_OK) {
        return status;
    }
    text_addf(&text, "%s:%s", name, hash);
    if (text.cut) {
        return STATUS_TOO_LONG;
    }
    if (old == NULL) {
        return add_line(accounts, text.data, text.length);
    }
    line = strdup(text.data);
    if (line == NULL) {
        return STATUS_NO_MEMORY;
    }
    free(old->line);
    old->line = line;
    return STATUS_OK;
}

bool accounts_remove(struct accounts *accounts, const char *name)
{
    struct accounts_line *line = find(accounts, name);

    if (line == NULL) {
        return false;
    }
    free(line->name);
    free(line->line);
    accounts->count--;
    memmove(line, line + 1, (size_t)(accounts->lines + accounts->count - line) * sizeof *line);
    return true;
}

static void print_passwords(const struct accounts *accounts, FILE *out)
{
    for (size_t i = 0; i < accounts->count; i++) {
        fprintf(out, "%s\n", accounts->lines[i].line);
    }
}

/* One's own rules come first: behind ours, a `topic` line would belong to our last account. */
static void print_rules(const struct accounts *accounts, FILE *out)
{
    TEXT_LOCAL(rules, ACCESS_RULES_SIZE);

    fprintf(
        out, "%s\n%s%s%s\n", HEADER, OWN_BEGIN,
        accounts->own_rules == NULL ? "" : accounts->own_rules, OWN_END);
    fputs("# Devices: an account has its machine's name.\n", out);
    access_print_devices(&accounts->place.shop, &rules);
    fputs(rules.data, out);
    for (size_t i = 0; i < accounts->count; i++) {
        struct access_account account;
        const char *name = accounts->lines[i].name;

        if (name != NULL && access_account(name, &account) == STATUS_OK &&
            account.role != ACCESS_DEVICE) {
            text_clear(&rules);
            access_print_account(&accounts->place.shop, &account, &rules);
            fprintf(out, "\n%s", rules.data);
        }
    }
}

static enum status write_file(
    const struct accounts *accounts, const char *path,
    void (*print)(const struct accounts *accounts, FILE *out), struct text *why)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    enum status status;

    if (out == NULL) {
        return no_memory(why);
    }
    print(accounts, out);
    status = fclose(out) == 0 ? replace_file(path, bytes, length, &rights, why) : no_memory(why);
    free(bytes);
    return status;
}

/* The password comes last, for rules without an account can do nothing: who fails in between has
 * changed nothing that holds. */
enum status accounts_write(const struct accounts *accounts, struct text *why)
{
    enum status status = write_file(accounts, accounts->place.acl_file, print_rules, why);

    if (status == STATUS_OK) {
        status = write_file(accounts, accounts->place.password_file, print_passwords, why);
    }
    return status;
}
