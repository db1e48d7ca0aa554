#include "persistence/memory_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A hash: the fields of a record, in buffers of its own. */
struct hash {
    struct hash *next;
    char machine[65];
    struct version version; /* as the script would read it */
    size_t count;
    struct record_field fields[RECORD_FIELDS_MAX];
};

struct memory_database {
    struct hash *hashes;
    uint64_t epoch;
    struct mono_time now;
    char lease_token[STORE_LEASE_TOKEN_SIZE];
    char lease_id[STORE_LEASE_ID_SIZE];
    struct mono_time lease_ends;
    char card_key[65];
    struct version blocks_version;
    char *blocks;
};

static void free_fields(struct hash *hash)
{
    for (size_t i = 0; i < hash->count; i++) {
        free((void *)(uintptr_t)hash->fields[i].name);
        free((void *)(uintptr_t)hash->fields[i].value);
    }
    hash->count = 0;
}

static struct hash *find(const struct memory_database *database, const char *machine)
{
    for (struct hash *hash = database->hashes; hash != NULL; hash = hash->next) {
        if (strcmp(hash->machine, machine) == 0) {
            return hash;
        }
    }
    return NULL;
}

static struct hash *find_or_add(struct memory_database *database, const char *machine)
{
    struct hash *hash = find(database, machine);

    if (hash == NULL) {
        hash = calloc(1, sizeof *hash);
        if (hash != NULL) {
            text_copy(hash->machine, sizeof hash->machine, machine);
            hash->next = database->hashes;
            database->hashes = hash;
        }
    }
    return hash;
}

static bool copy_field(struct record_field *target, const struct record_field *source)
{
    char *name = strndup(source->name, source->name_length);
    char *value = strndup(source->value, source->value_length);

    if (name == NULL || value == NULL) {
        free(name);
        free(value);
        return false;
    }
    *target = (struct record_field){name, source->name_length, value, source->value_length};
    return true;
}

enum status memory_database_new(struct memory_database **ret_database)
{
    struct memory_database *database = calloc(1, sizeof *database);

    if (database == NULL) {
        return STATUS_NO_MEMORY;
    }
    *ret_database = database;
    return STATUS_OK;
}

void memory_database_wipe(struct memory_database *database)
{
    while (database->hashes != NULL) {
        struct hash *hash = database->hashes;
        database->hashes = hash->next;
        free_fields(hash);
        free(hash);
    }
    database->epoch = 0;
    database->lease_token[0] = '\0';
    database->card_key[0] = '\0';
    database->blocks_version = (struct version){0};
    free(database->blocks);
    database->blocks = NULL;
}

void memory_database_free(struct memory_database *database)
{
    if (database != NULL) {
        memory_database_wipe(database);
        free(database);
    }
}

enum status memory_database_put(struct memory_database *database, const struct record *record)
{
    struct record_fields fields;
    struct hash *hash = find_or_add(database, record->machine);

    if (hash == NULL) {
        return STATUS_NO_MEMORY;
    }
    record_write(record, &fields);
    free_fields(hash);
    for (size_t i = 0; i < fields.count; i++) {
        if (!copy_field(&hash->fields[i], &fields.fields[i])) {
            return STATUS_NO_MEMORY;
        }
        hash->count++;
    }
    hash->version = record->core.version;
    return STATUS_OK;
}

enum status memory_database_set_field(
    struct memory_database *database, const char *machine, const char *field, const char *value)
{
    struct hash *hash = find(database, machine);

    if (hash == NULL) {
        return STATUS_NOT_FOUND;
    }
    for (size_t i = 0; i < hash->count; i++) {
        struct record_field *kept = &hash->fields[i];
        struct record_field changed = {field, strlen(field), value, 0};

        if (strcmp(kept->name, field) != 0) {
            continue;
        }
        if (value != NULL) {
            changed.value_length = strlen(value);
            if (!copy_field(&changed, &changed)) {
                return STATUS_NO_MEMORY;
            }
        }
        free((void *)(uintptr_t)kept->name);
        free((void *)(uintptr_t)kept->value);
        *kept = value != NULL ? changed : hash->fields[--hash->count];
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

enum record_verdict memory_database_read(
    const struct memory_database *database, const char *machine, bool *ret_found,
    struct record *ret_record, struct text *why)
{
    const struct hash *hash = find(database, machine);

    *ret_found = hash != NULL && hash->count > 0;
    return *ret_found ? record_read(machine, hash->fields, hash->count, ret_record, why)
                      : RECORD_REFUSED;
}

bool memory_database_get(
    const struct memory_database *database, const char *machine, struct record *ret_record)
{
    bool found = false;
    TEXT_LOCAL(why, 512);

    return memory_database_read(database, machine, &found, ret_record, &why) != RECORD_REFUSED &&
           found;
}

size_t memory_database_count(const struct memory_database *database)
{
    size_t count = 0;

    for (const struct hash *hash = database->hashes; hash != NULL; hash = hash->next) {
        count++;
    }
    return count;
}

uint64_t memory_database_epoch(const struct memory_database *database)
{
    return database->epoch;
}

void memory_database_set_epoch(struct memory_database *database, uint64_t epoch)
{
    database->epoch = epoch;
}

/* As whole() in the scripts. */
static uint64_t believed_epoch(const struct memory_database *database)
{
    return database->epoch <= VERSION_EPOCH_HEARD_MAX ? database->epoch : 0;
}

enum store_saved memory_database_save(
    struct memory_database *database, const struct record *record, struct text *reason)
{
    const struct hash *hash = find(database, record->machine);

    if (record->core.version.epoch < believed_epoch(database)) {
        text_addf(reason, "EPOCH %" PRIu64, database->epoch);
        return STORE_SAVE_STALE_EPOCH;
    }
    if (hash != NULL && version_compare(record->core.version, hash->version) < 0) {
        text_addf(reason, "VERSION %" PRIu64 " %" PRIu32, hash->version.epoch, hash->version.rev);
        return STORE_SAVE_STALE_VERSION;
    }
    if (memory_database_put(database, record) != STATUS_OK) {
        text_add(reason, "OOM out of memory");
        return STORE_SAVE_REFUSED;
    }
    return STORE_SAVE_DONE;
}

static uint64_t take_epoch(struct memory_database *database, uint64_t heard, struct wall_time now)
{
    uint64_t time = now.ms > 0 ? (uint64_t)(now.ms / 1000) : 0;
    uint64_t stored = believed_epoch(database);
    uint64_t epoch = stored > heard ? stored : heard;

    database->epoch = (epoch > time ? epoch : time) + 1;
    return database->epoch;
}

void memory_database_set_clock(struct memory_database *database, struct mono_time now)
{
    database->now = now;
}

struct store_lease_answer memory_database_lease(
    struct memory_database *database, enum lease_verb verb, const struct kept_claim *claimed)
{
    const struct store_claim *claim = &claimed->claim;
    struct store_lease_answer answer = {.lease = STORE_LEASE_OURS};
    uint64_t stored = believed_epoch(database);
    bool is_held = database->lease_token[0] != '\0' && database->now.ms < database->lease_ends.ms;
    bool is_ours = strcmp(database->lease_token, claimed->token) == 0 ||
                   (verb == LEASE_TAKE && claim->own_id_at_once &&
                    strcmp(database->lease_id, claimed->id) == 0);

    if (is_held && !is_ours) {
        answer.lease = STORE_LEASE_OTHER;
        answer.remaining_ms = database->lease_ends.ms - database->now.ms;
        text_copy(answer.id, sizeof answer.id, database->lease_id);
    } else if (verb == LEASE_TAKE) {
        text_copy(database->lease_token, sizeof database->lease_token, claimed->token);
        text_copy(database->lease_id, sizeof database->lease_id, claimed->id);
        database->lease_ends.ms = database->now.ms + claim->duration_ms;
        stored = take_epoch(database, claim->heard, claim->now);
    } else if (!is_held && (verb == LEASE_RELEASE || stored == 0 || claim->epoch != stored)) {
        answer.lease = STORE_LEASE_FREE;
    } else if (verb == LEASE_RENEW) {
        text_copy(database->lease_token, sizeof database->lease_token, claimed->token);
        text_copy(database->lease_id, sizeof database->lease_id, claimed->id);
        database->lease_ends.ms = database->now.ms + claim->duration_ms;
    } else {
        database->lease_token[0] = '\0';
    }
    answer.epoch = stored;
    return answer;
}

const char *memory_database_card_key(struct memory_database *database, const char *offer_hex)
{
    if (database->card_key[0] == '\0') {
        text_copy(database->card_key, sizeof database->card_key, offer_hex);
    }
    return database->card_key;
}

enum store_saved memory_database_save_blocks(
    struct memory_database *database, struct version version, const char *document,
    struct text *reason)
{
    char *copy = NULL;

    if (version.epoch < believed_epoch(database)) {
        text_addf(reason, "EPOCH %" PRIu64, database->epoch);
        return STORE_SAVE_STALE_EPOCH;
    }
    if (version_compare(version, database->blocks_version) < 0) {
        text_add(reason, "VERSION");
        return STORE_SAVE_STALE_VERSION;
    }
    copy = strdup(document);
    if (copy == NULL) {
        text_add(reason, "OOM out of memory");
        return STORE_SAVE_REFUSED;
    }
    free(database->blocks);
    database->blocks = copy;
    database->blocks_version = version;
    return STORE_SAVE_DONE;
}

const char *memory_database_blocks(const struct memory_database *database)
{
    return database->blocks;
}

void memory_database_forget(struct memory_database *database, const char *machine)
{
    for (struct hash **link = &database->hashes; *link != NULL; link = &(*link)->next) {
        struct hash *hash = *link;
        if (strcmp(hash->machine, machine) == 0) {
            *link = hash->next;
            free_fields(hash);
            free(hash);
            return;
        }
    }
}
