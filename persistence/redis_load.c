/* Reading machines' records: HGETALL of each name, so many under way at a time. */
#include <stdlib.h>
#include <string.h>

#include "persistence/record.h"
#include "persistence/redis_store.h"

#define UNDER_WAY_MAX 200 /* HGETALLs that wait for their answers */

static void end_load(struct redis_store *store)
{
    struct redis_load *load = &store->load;
    bool ok = !load->failed;

    free(load->machines);
    *load = (struct redis_load){.request = load->request};
    store->events.on_loaded(store->events.context, ok);
}

static void load_more(struct redis_store *store)
{
    struct redis_load *load = &store->load;

    while (!load->failed && load->sent < load->count &&
           load->sent - load->answered < UNDER_WAY_MAX) {
        char key[REDIS_KEY_SIZE];
        const char *const words[] = {"HGETALL", key};

        redis_machine_key(store, load->machines[load->sent], key);
        if (redis_link_send(store->link, &load->request, words, NULL, 2) != STATUS_OK) {
            load->failed = true;
            return;
        }
        load->sent++;
    }
}

static void
loaded_one(const struct redis_store *store, const char *machine, const struct redisReply *reply)
{
    struct record_field fields[4 * RECORD_FIELDS_MAX];
    struct record record;
    size_t count = 0;
    TEXT_LOCAL(why, 512);

    for (size_t i = 0; i + 1 < redis_reply_count(reply); i += 2) {
        struct record_field *field = &fields[count];

        field->name = redis_reply_text(redis_reply_at(reply, i), &field->name_length);
        field->value = redis_reply_text(redis_reply_at(reply, i + 1), &field->value_length);
        if (field->name != NULL && field->value != NULL) {
            count++;
        }
        if (count == sizeof fields / sizeof fields[0]) {
            break;
        }
    }
    enum record_verdict verdict = record_read(machine, fields, count, &record, &why);
    if (verdict != RECORD_GOOD && store->events.on_bad_record != NULL) {
        store->events.on_bad_record(store->events.context, machine, why.data);
    }
    if (verdict != RECORD_REFUSED) {
        store->events.on_record(store->events.context, &record);
    }
}

void redis_on_loaded(struct redis_request *request, const struct redisReply *reply)
{
    struct redis_store *store = REDIS_OWNER(request, struct redis_store, load.request);
    struct redis_load *load = &store->load;
    const char *machine = load->machines[load->answered++];
    const char *error = reply == NULL ? NULL : redis_reply_error(reply);

    if (store->closing) {
        return;
    }
    if (!load->failed && error != NULL && redis_is_kind(error, "WRONGTYPE")) {
        if (store->events.on_bad_record != NULL) {
            store->events.on_bad_record(store->events.context, machine, error);
        }
    } else if (!load->failed && (reply == NULL || error != NULL)) {
        load->failed = true;
        redis_trouble(store, "loading", redis_reason(reply));
    } else if (!load->failed && redis_reply_count(reply) > 0) {
        loaded_one(store, machine, reply);
    }
    load_more(store);
    if (load->answered == load->sent && (load->failed || load->sent == load->count)) {
        end_load(store);
    }
}

enum status redis_load(struct store *base, const char *const machines[], size_t count)
{
    struct redis_store *store = (struct redis_store *)base;
    struct redis_load *load = &store->load;

    if (load->machines != NULL) {
        return STATUS_BUSY;
    }
    if (!redis_link_is_up(store->link)) {
        return STATUS_DISCONNECTED;
    }
    /* One more than asked for: an empty load reads a name that no machine has, so that its end
     * comes from the loop as well. */
    load->machines = calloc(count + 1, sizeof load->machines[0]);
    if (load->machines == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        text_copy(load->machines[i], sizeof load->machines[i], machines[i]);
    }
    load->count = count == 0 ? 1 : count;
    load->sent = 0;
    load->answered = 0;
    load->failed = false;
    load_more(store);
    if (load->sent == 0) {
        free(load->machines);
        load->machines = NULL;
        return STATUS_DISCONNECTED;
    }
    return STATUS_OK;
}
