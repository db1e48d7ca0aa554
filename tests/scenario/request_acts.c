/* What people ask for (C6).
 *
 *   request lockout table-saw on reason "blade cracked" by Bob as ada-phone transaction 7
 *   request oops table-saw off        request clear table-saw        request end table-saw
 *   request status [table-saw]        request reload [force]
 *   request lockout body '{…}'        any bytes
 *   request block fob 1               request block account ada      request restart x when idle
 * `busy` behind it: there are too many requests. The account is `local` unless said otherwise.
 */
#include <string.h>

#include "controller/support/json.h"
#include "tests/scenario/acts.h"

struct asking {
    const char *verb;
    const char *account;
    const char *machine;
    const char *reason;
    const char *by;
    const char *transaction;
    const char *fob;
    const char *account_id;
    const char *body;
    bool has_value;
    bool value;
    bool force;
    bool when_idle;
    bool busy;
};

static void read_asking(struct asking *asking, struct words *words)
{
    if (words_take(words, "reason")) {
        asking->reason = words_next(words);
    } else if (words_take(words, "by")) {
        asking->by = words_next(words);
    } else if (words_take(words, "as")) {
        asking->account = words_next(words);
    } else if (words_take(words, "transaction")) {
        asking->transaction = words_next(words);
    } else if (words_take(words, "fob")) {
        asking->fob = words_next(words);
    } else if (words_take(words, "account")) {
        asking->account_id = words_next(words);
    } else if (words_take(words, "when idle")) {
        asking->when_idle = true;
    } else if (words_take(words, "body")) {
        asking->body = words_next(words);
    } else if (words_take(words, "force")) {
        asking->force = true;
    } else if (words_take(words, "busy")) {
        asking->busy = true;
    } else if (words_switch(words, &asking->value)) {
        asking->has_value = true;
    } else {
        asking->machine = words_next(words);
    }
}

static void add_optional(struct json_out *out, const char *key, const char *value)
{
    if (value != NULL) {
        json_out_string(out, key, value);
    }
}

static void print_asking(const struct asking *asking, struct text *text)
{
    struct json_out out = json_out(text);

    if (asking->body != NULL) {
        text_add(text, asking->body);
        return;
    }
    json_out_open(&out, NULL, '{');
    add_optional(&out, "machine", asking->machine);
    if (asking->has_value) {
        json_out_bool(&out, "value", asking->value);
    }
    if (asking->force) {
        json_out_bool(&out, "force", true);
    }
    if (asking->when_idle) {
        json_out_bool(&out, "when_idle", true);
    }
    add_optional(&out, "fob", asking->fob);
    add_optional(&out, "account_id", asking->account_id);
    add_optional(&out, "reason", asking->reason);
    add_optional(&out, "by", asking->by);
    add_optional(&out, "transaction", asking->transaction);
    json_out_close(&out, '}');
}

bool act_request(struct world *world, struct words *words)
{
    struct asking asking = {.account = "local"};
    char topic[TOPIC_SIZE];
    TEXT_LOCAL(payload, 4096);

    if (!words_take(words, "request")) {
        return false;
    }
    asking.verb = words_next(words);
    while (!words_end(words)) {
        read_asking(&asking, words);
    }
    print_asking(&asking, &payload);
    if (topic_build(
            topic, sizeof topic, BROKER_PREFIX, TOPIC_REQUEST, asking.account, asking.verb) !=
        STATUS_OK) {
        world_fail(world, "no topic for that request");
        return true;
    }
    broker_send(&world->broker, topic, payload.data, payload.length, false, asking.busy);
    return true;
}
