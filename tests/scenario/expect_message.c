/* Expectations that look into a message or a record. */
#include <string.h>

#include "tests/scenario/expect_inside.h"
#include "tests/scenario/match.h"

static bool match_light(const struct json *command, const char *colour)
{
    static const struct {
        const char *colour;
        const char *rgb;
        const char *brightness;
    } lights[] = {
        {"dark", "0,0,0", "0"},
        {"green", "0,1,0", "0.5"},
        {"red", "1,0,0", "0.5"},
        {"orange", "1,0.5,0", "0.5"},
    };

    for (size_t i = 0; i < sizeof lights / sizeof lights[0]; i++) {
        if (strcmp(colour, lights[i].colour) == 0) {
            return match_value(json_get(command, "status_led_rgb"), lights[i].rgb) &&
                   match_value(json_get(command, "status_led_brightness"), lights[i].brightness);
        }
    }
    return false;
}

/* Keys of a command have shorter names in a scenario. */
static const char *command_key(const char *key)
{
    if (strcmp(key, "second") == 0) {
        return "second_relay";
    }
    return strcmp(key, "oops") == 0 ? "oops_led" : key;
}

/* An answer's keys are those of its data first. */
static const struct json *find(const struct json *document, const char *key)
{
    const struct json *node = match_find(json_get(document, "data"), key);

    return node != NULL ? node : match_find(document, key);
}

static void match_pairs(
    struct world *world, struct words *words, enum topic_id id, const struct json *document,
    const char *payload)
{
    while (!words_end(words)) {
        const char *key = words_next(words);
        const char *word = words_next(words);
        bool good;

        if (id == TOPIC_COMMAND && strcmp(key, "light") == 0) {
            good = match_light(document, word);
        } else if (id == TOPIC_COMMAND) {
            good = match_value(json_get(document, command_key(key)), word);
        } else if (id == TOPIC_EVENT && strcmp(key, "on") == 0) {
            good = match_value(json_get(document, "machine"), word);
        } else {
            good = match_value(
                id == TOPIC_RESPONSE ? find(document, key) : match_find(document, key), word);
        }
        if (!good) {
            world_fail(world, "%s is not %s\n      saw: %s", key, word, payload);
            return;
        }
    }
}

static void match_payload(
    struct world *world, struct words *words, enum topic_id id, const char *payload, size_t length)
{
    struct json *document;
    TEXT_LOCAL(why, 256);

    if (json_parse(payload, length, &document, &why) != STATUS_OK) {
        world_fail(world, "the payload is not JSON: %s\n      saw: %s", why.data, payload);
        return;
    }
    match_pairs(world, words, id, document, payload);
    json_free(document);
}

static void
expect_new(struct world *world, struct words *words, enum topic_id id, const char *first)
{
    struct published *published = find_new(world, id, first);

    if (published == NULL) {
        fail_with_act(world, "there is none");
        return;
    }
    published->seen = true;
    match_payload(world, words, id, published->payload, published->length);
}

static void
expect_retained(struct world *world, struct words *words, enum topic_id id, const char *first)
{
    const struct message *retained = NULL;
    char topic[TOPIC_SIZE];

    if (topic_build(topic, sizeof topic, BROKER_PREFIX, id, first, NULL) == STATUS_OK) {
        retained = broker_retained(&world->broker, topic);
    }
    if (words_take(words, "cleared")) {
        if (retained != NULL) {
            world_fail(world, "it is not\n      saw: %s", retained->payload);
        }
    } else if (retained == NULL) {
        fail_with_act(world, "none is retained");
    } else {
        match_payload(world, words, id, retained->payload, retained->length);
    }
}

/* `expect event login …` is `expect event event_type login …`. */
static void expect_kind(struct world *world, struct words *words, enum topic_id id, const char *key)
{
    struct published *published = find_new(world, id, NULL);
    const char *word = words_next(words);
    struct json *document;
    TEXT_LOCAL(why, 256);

    if (published == NULL ||
        json_parse(published->payload, published->length, &document, &why) != STATUS_OK) {
        fail_with_act(world, "there is none");
        return;
    }
    if (!match_value(json_get(document, key), word)) {
        fail_with_act(world, "the next one is another");
    } else {
        published->seen = true;
        match_pairs(world, words, id, document, published->payload);
    }
    json_free(document);
}

bool expect_message(struct world *world, struct words *words)
{
    if (words_take(words, "event")) {
        expect_kind(world, words, TOPIC_EVENT, "event_type");
    } else if (words_take(words, "answer")) {
        expect_kind(world, words, TOPIC_RESPONSE, "status");
    } else if (words_take(words, "save_timeout")) {
        expect_new(world, words, TOPIC_SAVE_TIMEOUT, NULL);
    } else if (words_take(words, "restart")) {
        expect_new(world, words, TOPIC_RESTART, words_next(words));
    } else if (words_take(words, "telemetry")) {
        expect_new(world, words, TOPIC_TELEMETRY, words_next(words));
    } else if (words_take(words, "state")) {
        expect_retained(world, words, TOPIC_STATE, words_next(words));
    } else if (words_take(words, "status")) {
        expect_retained(world, words, TOPIC_CONTROLLER_STATUS, "a");
    } else {
        return false;
    }
    return true;
}

void expect_command(struct world *world, struct words *words)
{
    const char *machine = words_next(words);

    if (world_find_device(world, machine) == NULL &&
        shop_find_machine(&world->shop, machine) == NULL) {
        world_fail(world, "\"%s\" is no machine, and nothing that can be expected", machine);
    } else if (words_take(words, "still")) {
        expect_retained(world, words, TOPIC_COMMAND, machine);
    } else {
        expect_new(world, words, TOPIC_COMMAND, machine);
    }
}

/* ---- Redis ---- */

static bool match_record(const struct record *record, const char *key, const char *word)
{
    const struct core_state *core = &record->core;
    TEXT_LOCAL(value, 300);

    if (strcmp(key, "oops") == 0) {
        text_add(&value, core->oopsed ? "yes" : "no");
    } else if (strcmp(key, "lockout") == 0) {
        text_add(&value, core->locked_out ? "yes" : "no");
    } else if (strcmp(key, "mode") == 0) {
        text_add(&value, core_mode_text(core->mode));
    } else if (strcmp(key, "user") == 0) {
        text_add(&value, core->has_user ? core->user.name : "none");
    } else if (strcmp(key, "seq") == 0) {
        text_addf(&value, "%u", core->seq);
    } else if (strcmp(key, "save_timeouts") == 0) {
        text_addf(&value, "%u", record->save_timeouts);
    } else if (strcmp(key, "n") == 0) {
        text_addf(&value, "%u", record->event_n);
    } else if (strcmp(key, "lockout_by") == 0) {
        text_add(&value, record->lockout_by);
    }
    return strcmp(value.data, word) == 0;
}

bool expect_stored(struct world *world, struct words *words)
{
    struct record record;
    const char *machine;
    bool found;

    if (!words_take(words, "stored")) {
        return false;
    }
    machine = words_next(words);
    found = memory_database_get(world->database, machine, &record);
    if (words_take(words, "missing")) {
        if (found) {
            world_fail(world, "Redis knows it");
        }
        return true;
    }
    if (!found) {
        world_fail(world, "Redis knows nothing of it");
    }
    while (found && !words_end(words)) {
        const char *key = words_next(words);
        const char *word = words_next(words);
        if (!match_record(&record, key, word)) {
            world_fail(
                world,
                "in Redis %s is not %s: mode %s, oops %d, lockout %d, seq %u, save_timeouts %u",
                key, word, core_mode_text(record.core.mode), record.core.oopsed,
                record.core.locked_out, record.core.seq, record.save_timeouts);
            return true;
        }
    }
    return true;
}
