#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/backup/backup.h"
#include "controller/backup/bundle.h"
#include "controller/backup/named.h"
#include "controller/backup/redis_copy.h"
#include "controller/backup/swap.h"
#include "controller/setup/environment.h"
#include "controller/support/json.h"

#define VERSION 1
#define MANIFEST_MAX 65536
#define ITEMS_MAX 200000

struct restoring {
    const struct backup_wish *wish;
    struct restore_result result;
    int fd; /* of the backup; -1: not open */
    struct seal_reader *seal;
    struct swap configuration;
    struct swap audit;
    struct swap elsewhere[BACKUP_NAMED_MAX];
    size_t elsewhere_count;
    struct settings *settings; /* of what is brought back */
    struct redis_place *redis;
    struct redis_copy copy;
    char ini[256]; /* its name in the directory */
    struct text *why;
};

/* ---- the archive, item by item ---- */

static enum status
take_bytes(struct bundle_reader *bundle, uint64_t size, struct redis_copy *ret, struct text *why)
{
    size_t total = 0;
    size_t length = 1;
    enum status status = STATUS_OK;

    if (size > REDIS_COPY_MAX) {
        text_add(why, "a part of it is too large");
        return STATUS_TOO_LONG;
    }
    ret->bytes = malloc((size_t)size + 1);
    if (ret->bytes == NULL) {
        text_add(why, "out of memory");
        return STATUS_NO_MEMORY;
    }
    while (status == STATUS_OK && length > 0 && total < size) {
        status = bundle_read(bundle, ret->bytes + total, (size_t)size - total, &length, why);
        total += status == STATUS_OK ? length : 0;
    }
    ret->bytes[total] = '\0';
    ret->length = total;
    return status;
}

static enum status read_manifest(struct restoring *restoring, const char *bytes, size_t length)
{
    struct json *document = NULL;
    const struct json *version;
    const struct json *at;
    enum status status = json_parse(bytes, length, &document, restoring->why);

    if (status != STATUS_OK) {
        return status;
    }
    version = json_get(document, "version");
    at = json_get(document, "at");
    text_copy(
        restoring->result.host, sizeof restoring->result.host, json_get_string(document, "host"));
    text_copy(restoring->ini, sizeof restoring->ini, json_get_string(document, "ini"));
    if (at != NULL && json_is_integer(at, 0, (uint64_t)1 << 40)) {
        restoring->result.made_at.ms = (int64_t)json_number(at) * 1000;
    }
    if (version == NULL || !json_is_integer(version, VERSION, VERSION)) {
        text_add(restoring->why, "it is a backup of a newer version of Tagout");
        status = STATUS_INVALID;
    } else if (!bundle_name_is_safe(restoring->ini) || strchr(restoring->ini, '/') != NULL) {
        text_add(restoring->why, BACKUP_MANIFEST " does not name the configuration's file");
        status = STATUS_INVALID;
    }
    json_free(document);
    return status;
}

static enum status take_manifest(struct restoring *restoring, struct bundle_reader *bundle)
{
    struct bundle_item item;
    struct redis_copy bytes = {0};
    enum status status = bundle_next(bundle, &item, restoring->why);

    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK &&
         (item.is_folder || strcmp(item.name, BACKUP_MANIFEST) != 0 || item.size > MANIFEST_MAX))) {
        text_add(restoring->why, "it does not begin with " BACKUP_MANIFEST);
        return STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        status = take_bytes(bundle, item.size, &bytes, restoring->why);
    }
    if (status == STATUS_OK) {
        status = read_manifest(restoring, bytes.bytes, bytes.length);
    }
    free(bytes.bytes);
    return status;
}

/* The name below a part's folder; NULL: it is none of that part's. */
static const char *below(const char *name, const char *part)
{
    size_t length = strlen(part);

    if (strncmp(name, part, length) != 0 || (name[length] != '\0' && name[length] != '/')) {
        return NULL;
    }
    return name[length] == '/' ? name + length + 1 : name + length;
}

/* A file outside of the directory: only what the configuration names is written there. */
static enum status take_elsewhere(
    struct restoring *restoring, struct bundle_reader *bundle, const struct bundle_item *item)
{
    const char *path = item->name + strlen(BACKUP_ELSEWHERE);
    const char *named[BACKUP_NAMED_MAX];
    size_t count = backup_named(restoring->settings, named);
    struct swap *swap = &restoring->elsewhere[restoring->elsewhere_count];
    bool is_named = false;
    enum status status;

    for (size_t i = 0; i < count; i++) {
        is_named |= strcmp(named[i], path) == 0;
    }
    if (!is_named || restoring->elsewhere_count == BACKUP_NAMED_MAX) {
        text_addf(restoring->why, "%s: the configuration in it does not name that", item->name);
        return STATUS_INVALID;
    }
    restoring->elsewhere_count++;
    restoring->result.count.files++;
    status =
        swap_begin_file(swap, path, restoring->wish->force, restoring->wish->now, restoring->why);
    return status == STATUS_OK ? swap_unpack(swap, bundle, item, SWAP_FILE, restoring->why)
                               : status;
}

/* The first time through it takes what tells where the rest belongs; the second time the rest. */
static enum status take_item(
    struct restoring *restoring, struct bundle_reader *bundle, const struct bundle_item *item,
    bool second)
{
    const char *configured = below(item->name, BACKUP_CONFIGURATION);
    const char *elsewhere = below(item->name, BACKUP_ELSEWHERE);
    const char *audited = below(item->name, BACKUP_AUDIT);
    const char *name = configured != NULL ? configured : audited;
    bool is_redis = strcmp(item->name, BACKUP_REDIS) == 0 && !item->is_folder;

    if ((name == NULL && elsewhere == NULL && !is_redis) ||
        (name != NULL && name[0] == '\0' && !item->is_folder) ||
        (elsewhere != NULL && (elsewhere[0] == '\0' || item->is_folder))) {
        text_addf(restoring->why, "%s: it is not known what that is", item->name);
        return STATUS_INVALID;
    }
    if (is_redis && !second && restoring->copy.bytes == NULL) {
        return take_bytes(bundle, item->size, &restoring->copy, restoring->why);
    }
    if (configured != NULL && !second) {
        restoring->result.count.files += item->is_folder ? 0 : 1;
        return swap_unpack(&restoring->configuration, bundle, item, name, restoring->why);
    }
    if (audited != NULL && second) {
        restoring->result.count.audit_files += item->is_folder ? 0 : 1;
        return swap_unpack(&restoring->audit, bundle, item, name, restoring->why);
    }
    return elsewhere != NULL && second ? take_elsewhere(restoring, bundle, item) : STATUS_OK;
}

static enum status take_all(struct restoring *restoring, struct bundle_reader *bundle, bool second)
{
    struct bundle_item item;
    size_t count = 0;
    enum status status = take_manifest(restoring, bundle);

    while (status == STATUS_OK) {
        status = bundle_next(bundle, &item, restoring->why);
        if (status == STATUS_OK && ++count > ITEMS_MAX) {
            text_add(restoring->why, "it holds too many files");
            status = STATUS_TOO_LONG;
        }
        if (status == STATUS_OK) {
            status = take_item(restoring, bundle, &item, second);
        }
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status open_file(struct restoring *restoring)
{
    const struct backup_wish *wish = restoring->wish;
    enum status status;

    restoring->fd = open(wish->file, O_RDONLY | O_CLOEXEC);
    if (restoring->fd < 0) {
        text_addf(restoring->why, "%s: %s", wish->file, strerror(errno));
        return STATUS_IO;
    }
    text_addf(restoring->why, "%s: ", wish->file);
    status = seal_reader_new(restoring->fd, wish->passphrase, &restoring->seal, restoring->why);
    if (status == STATUS_OK) {
        text_clear(restoring->why);
    }
    return status;
}

static enum status read_file(struct restoring *restoring, bool second)
{
    struct bundle_reader *bundle = NULL;
    enum status status;

    text_addf(restoring->why, "%s: ", restoring->wish->file);
    status = seal_rewind(restoring->seal, restoring->why);
    if (status == STATUS_OK) {
        status = bundle_reader_new(restoring->seal, &bundle, restoring->why);
    }
    if (status == STATUS_OK) {
        status = take_all(restoring, bundle, second);
    }
    bundle_reader_free(bundle);
    if (status == STATUS_OK) {
        text_clear(restoring->why);
    }
    return status;
}

/* ---- into place ---- */

static enum status open_redis(struct restoring *restoring)
{
    bool is_led = false;
    size_t keys = 0;
    enum status status = redis_place_open(restoring->settings, &restoring->redis, restoring->why);

    if (status == STATUS_OK) {
        status = redis_look(restoring->redis, &is_led, &keys, restoring->why);
    }
    if (status == STATUS_OK && is_led) {
        text_add(
            restoring->why,
            "a controller leads: stop tagoutd and tagout-watcher first, on every host");
        return STATUS_BUSY;
    }
    if (status == STATUS_OK && keys > 0 && !restoring->wish->force) {
        text_addf(
            restoring->why, "Redis holds %zu key%s of Tagout's already", keys, text_plural(keys));
        return STATUS_BUSY;
    }
    return status == STATUS_OK
               ? redis_copy_check(restoring->redis, &restoring->copy, restoring->why)
               : status;
}

static enum status load_settings(struct restoring *restoring)
{
    char path[BACKUP_PATH_SIZE];
    struct text text = text_over(path, sizeof path);
    enum status status;

    text_addf(&text, "%s/%s", restoring->configuration.place, restoring->ini);
    if (text.cut) {
        text_add(restoring->why, "the path is too long");
        return STATUS_TOO_LONG;
    }
    status = environment_load_all(restoring->configuration.place, restoring->why);
    if (status == STATUS_OK) {
        status = settings_load(path, &restoring->settings, restoring->why);
    }
    return status;
}

static enum status restore_rest(struct restoring *restoring)
{
    const char *place = restoring->settings->audit.directory;
    enum status status = swap_begin(
        &restoring->audit, place, restoring->wish->force, restoring->wish->now, restoring->why);

    if (status == STATUS_OK) {
        status = read_file(restoring, true);
    }
    /* Where there was none, none is made. */
    if (status == STATUS_OK && restoring->result.count.audit_files > 0) {
        status = swap_in(&restoring->audit, restoring->why);
    }
    for (size_t i = 0; status == STATUS_OK && i < restoring->elsewhere_count; i++) {
        status = swap_in(&restoring->elsewhere[i], restoring->why);
    }
    return status;
}

static enum status restore_all(struct restoring *restoring)
{
    enum status status = swap_begin(
        &restoring->configuration, restoring->wish->directory, restoring->wish->force,
        restoring->wish->now, restoring->why);

    if (status == STATUS_OK) {
        status = open_file(restoring);
    }
    if (status == STATUS_OK) {
        status = read_file(restoring, false);
    }
    if (status == STATUS_OK) {
        status = swap_in(&restoring->configuration, restoring->why);
    }
    if (status == STATUS_OK) {
        status = load_settings(restoring);
    }
    if (status == STATUS_OK) {
        status = open_redis(restoring);
    }
    if (status == STATUS_OK) {
        status = restore_rest(restoring);
    }
    return status == STATUS_OK ? redis_copy_in(restoring->redis, &restoring->copy, restoring->why)
                               : status;
}

static void fill_result(const struct restoring *restoring, struct restore_result *ret_result)
{
    struct restore_result result = restoring->result;
    struct text elsewhere = text_over(result.elsewhere, sizeof result.elsewhere);

    result.count.keys = restoring->copy.keys;
    text_copy(
        result.configuration_aside, sizeof result.configuration_aside,
        restoring->configuration.aside);
    text_copy(result.audit, sizeof result.audit, restoring->settings->audit.directory);
    text_copy(
        result.audit_aside, sizeof result.audit_aside,
        restoring->audit.is_in ? restoring->audit.aside : "");
    for (size_t i = 0; i < restoring->elsewhere_count; i++) {
        text_addf(&elsewhere, "%s\n", restoring->elsewhere[i].place);
    }
    *ret_result = result;
}

enum status
backup_restore(const struct backup_wish *wish, struct restore_result *ret_result, struct text *why)
{
    struct restoring restoring = {.wish = wish, .why = why, .fd = -1};
    enum status status = restore_all(&restoring);

    if (status == STATUS_OK) {
        fill_result(&restoring, ret_result);
    } else {
        for (size_t i = 0; i < restoring.elsewhere_count; i++) {
            swap_back(&restoring.elsewhere[i]);
        }
        swap_back(&restoring.audit);
        swap_back(&restoring.configuration);
    }
    for (size_t i = 0; i < restoring.elsewhere_count; i++) {
        swap_end(&restoring.elsewhere[i]);
    }
    swap_end(&restoring.audit);
    swap_end(&restoring.configuration);
    seal_reader_free(restoring.seal);
    if (restoring.fd >= 0) {
        close(restoring.fd);
    }
    redis_place_close(restoring.redis);
    settings_free(restoring.settings);
    if (restoring.copy.bytes != NULL) {
        explicit_bzero(restoring.copy.bytes, restoring.copy.length);
    }
    free(restoring.copy.bytes);
    return status;
}
