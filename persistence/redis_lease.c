/* The lease (C12): calls of one script, which Redis may have lost. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/redis_scripts.h"
#include "persistence/redis_store.h"

/* A call under way, with all of its words: it is sent once more when Redis has lost the script. */
struct lease_call {
    struct redis_request request;
    struct redis_store *owner;
    bool whole_script; /* sent with the script's text, not its hash */
    const char *verb;
    char token[STORE_LEASE_TOKEN_SIZE];
    char id[STORE_LEASE_ID_SIZE];
    char duration[24];
    char epoch[24];
    char time[24];
    char heard[24];
    bool own_id_at_once;
};

static bool is_release(const struct lease_call *call)
{
    return strcmp(call->verb, "release") == 0;
}

static enum status send_call(struct lease_call *call)
{
    const struct redis_store *store = call->owner;
    char lease_key[REDIS_KEY_SIZE];
    char epoch_key[REDIS_KEY_SIZE];
    const char *const words[] = {
        call->whole_script ? "EVAL" : "EVALSHA",
        call->whole_script ? redis_lease_script : store->lease_sha,
        "2",
        lease_key,
        epoch_key,
        call->verb,
        call->token,
        call->id,
        call->duration,
        call->epoch,
        call->time,
        call->heard,
        call->own_id_at_once ? "1" : "0",
    };

    redis_key(store, "lease", lease_key);
    redis_key(store, "epoch", epoch_key);
    return redis_link_send(
        store->link, &call->request, words, NULL, sizeof words / sizeof words[0]);
}

static bool read_number(const char **text, uint64_t *ret_number)
{
    char *end = NULL;
    unsigned long long number;

    if (**text < '0' || **text > '9') {
        return false;
    }
    number = strtoull(*text, &end, 10);
    if (number > INT64_MAX) {
        return false;
    }
    *text = *end == ' ' ? end + 1 : end;
    *ret_number = number;
    return true;
}

/* STORE_LEASE_ERROR for what makes no sense. */
static struct store_lease_answer read_answer(const char *text)
{
    static const char *const words[] = {
        [STORE_LEASE_OURS] = "OURS ", [STORE_LEASE_OTHER] = "OTHER ", [STORE_LEASE_FREE] = "FREE "};
    struct store_lease_answer answer = {.lease = STORE_LEASE_ERROR};
    uint64_t remaining_ms = 0;

    for (size_t i = 0; text != NULL && i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (strncmp(text, words[i], length) != 0) {
            continue;
        }
        text += length;
        if (!read_number(&text, &answer.epoch) || answer.epoch > VERSION_EPOCH_MAX ||
            (i == STORE_LEASE_OTHER && !read_number(&text, &remaining_ms))) {
            break;
        }
        answer.lease = (enum store_lease)i;
        answer.remaining_ms = (int64_t)remaining_ms;
        text_copy(answer.id, sizeof answer.id, i == STORE_LEASE_OTHER ? text : "");
        break;
    }
    return answer;
}

static void finish_call(struct lease_call *call, const struct redisReply *reply)
{
    struct redis_store *store = call->owner;
    const char *verb = call->verb;
    bool released = is_release(call);
    struct store_lease_answer answer =
        read_answer(reply == NULL ? NULL : redis_reply_text(reply, NULL));
    TEXT_LOCAL(what, 64);

    free(call);
    if (!released) {
        store->lease_waits = false;
    }
    if (store->closing) {
        return;
    }
    if (answer.lease == STORE_LEASE_ERROR) {
        text_addf(&what, "asked to %s the lease", verb);
        redis_trouble(store, what.data, redis_reason(reply));
    }
    if (!released) {
        store->events.on_lease(store->events.context, &answer);
    }
}

static void on_lease_reply(struct redis_request *request, const struct redisReply *reply)
{
    struct lease_call *call = REDIS_OWNER(request, struct lease_call, request);
    const char *error = reply == NULL ? NULL : redis_reply_error(reply);

    if (error != NULL && redis_is_kind(error, "NOSCRIPT") && !call->whole_script) {
        /* Somebody flushed the scripts; sending the text makes Redis know it again. */
        call->whole_script = true;
        if (send_call(call) == STATUS_OK) {
            return;
        }
        reply = NULL;
    }
    redis_note_refusal(call->owner, reply);
    finish_call(call, reply);
}

static bool is_word(const char *string, size_t size)
{
    size_t length = strlen(string);
    return length > 0 && length < size && strcspn(string, " \t\r\n\v\f") == length;
}

static enum status call_lease(struct store *base, const char *verb, const struct store_claim *claim)
{
    struct redis_store *store = (struct redis_store *)base;
    struct lease_call *call = NULL;
    enum status status;

    if (!is_word(claim->id, sizeof call->id) || !is_word(claim->token, sizeof call->token) ||
        claim->duration_ms <= 0 || claim->heard > VERSION_EPOCH_HEARD_MAX) {
        return STATUS_INVALID;
    }
    call = calloc(1, sizeof *call);
    if (call == NULL) {
        return STATUS_NO_MEMORY;
    }
    call->request.on_reply = on_lease_reply;
    call->owner = store;
    call->verb = verb;
    call->own_id_at_once = claim->own_id_at_once;
    text_copy(call->token, sizeof call->token, claim->token);
    text_copy(call->id, sizeof call->id, claim->id);
    (void)snprintf(call->duration, sizeof call->duration, "%" PRId64, claim->duration_ms);
    (void)snprintf(call->epoch, sizeof call->epoch, "%" PRIu64, claim->epoch);
    (void)snprintf(
        call->time, sizeof call->time, "%" PRId64, claim->now.ms > 0 ? claim->now.ms / 1000 : 0);
    (void)snprintf(call->heard, sizeof call->heard, "%" PRIu64, claim->heard);
    status = send_call(call);
    if (status != STATUS_OK) {
        free(call);
    }
    return status;
}

static enum status ask_lease(struct store *base, const char *verb, const struct store_claim *claim)
{
    struct redis_store *store = (struct redis_store *)base;
    enum status status = STATUS_BUSY;

    if (!store->lease_waits) {
        status = call_lease(base, verb, claim);
        store->lease_waits = status == STATUS_OK;
    }
    return status;
}

enum status redis_take_lease(struct store *base, const struct store_claim *claim)
{
    return ask_lease(base, "take", claim);
}

enum status redis_renew_lease(struct store *base, const struct store_claim *claim)
{
    return ask_lease(base, "renew", claim);
}

enum status redis_release_lease(struct store *base, const struct store_claim *claim)
{
    return call_lease(base, "release", claim);
}
