/* The store on Redis: what is asked of it, as commands, and what the answers mean. The connection
 * is redis_link's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "persistence/redis_scripts.h"
#include "persistence/redis_store.h"

#define CARD_KEY_LENGTH 64

void redis_key(const struct redis_store *store, const char *name, char ret_key[REDIS_KEY_SIZE])
{
    (void)snprintf(ret_key, REDIS_KEY_SIZE, "%s:%s", store->prefix, name);
}

void redis_machine_key(
    const struct redis_store *store, const char *machine, char ret_key[REDIS_KEY_SIZE])
{
    (void)snprintf(ret_key, REDIS_KEY_SIZE, "%s:machine:%s", store->prefix, machine);
}

void redis_trouble(const struct redis_store *store, const char *what, const char *reason)
{
    TEXT_LOCAL(text, 512);

    if (store->events.on_trouble != NULL) {
        text_addf(&text, "%s: ", what);
        if (!redis_refusal(&store->account, reason, &text)) {
            redis_error(&store->account, reason, &text);
        }
        store->events.on_trouble(store->events.context, text.data);
    }
}

/* What is wrong with an answer that should have been another; NULL is a lost connection. */
const char *redis_reason(const struct redisReply *reply)
{
    if (reply == NULL) {
        return "the connection broke before the answer";
    }
    const char *error = redis_reply_error(reply);
    return error != NULL ? error : "an answer that makes no sense";
}

bool redis_is_kind(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && (text[length] == ' ' || text[length] == '\0');
}

/* ---- card key ---- */

static bool is_card_key(const char *text)
{
    return text != NULL && strlen(text) == CARD_KEY_LENGTH &&
           strspn(text, "0123456789abcdefABCDEF") == CARD_KEY_LENGTH;
}

/* The offer may be refused (a key is there, or Redis is read-only): what counts is the GET that
 * follows it. */
static void on_card_key_offered(struct redis_request *request, const struct redisReply *reply)
{
    struct redis_store *store = REDIS_OWNER(request, struct redis_store, card_key_offer);

    if (!store->closing && reply != NULL && redis_reply_error(reply) != NULL) {
        redis_trouble(store, "offering a card key", redis_reply_error(reply));
    }
}

static void on_card_key_reply(struct redis_request *request, const struct redisReply *reply)
{
    struct redis_store *store = REDIS_OWNER(request, struct redis_store, card_key);
    const char *text = reply == NULL ? NULL : redis_reply_text(reply, NULL);
    bool ok = is_card_key(text);

    store->card_key_waits = false;
    if (store->closing) {
        return;
    }
    if (!ok) {
        redis_trouble(
            store, "reading the card key",
            text == NULL ? redis_reason(reply) : "not 64 hex digits");
    }
    store->events.on_card_key(store->events.context, ok, ok ? text : NULL);
}

static enum status redis_card_key(struct store *base, const char *offer_hex)
{
    struct redis_store *store = (struct redis_store *)base;
    char key[REDIS_KEY_SIZE];
    const char *const offer[] = {"SET", key, offer_hex, "NX"};
    const char *const get[] = {"GET", key};

    if (store->card_key_waits) {
        return STATUS_BUSY;
    }
    if (!is_card_key(offer_hex)) {
        return STATUS_INVALID;
    }
    redis_key(store, "card_key", key);
    enum status status = redis_link_send(store->link, &store->card_key_offer, offer, NULL, 4);
    if (status == STATUS_OK) {
        status = redis_link_send(store->link, &store->card_key, get, NULL, 2);
    }
    store->card_key_waits = status == STATUS_OK;
    return status;
}

/* ---- the store itself ---- */

static bool redis_is_up(const struct store *base)
{
    return redis_link_is_up(((const struct redis_store *)base)->link);
}

static void redis_close(struct store *base)
{
    struct redis_store *store = (struct redis_store *)base;

    store->closing = true;
    redis_link_free(store->link);
    redis_sentinel_free(store->sentinel);
    free(store->load.machines);
    explicit_bzero(store->password, sizeof store->password);
    explicit_bzero(store->sentinel_password, sizeof store->sentinel_password);
    free(store);
}

static void on_up(void *context)
{
    struct redis_store *store = context;

    if (store->sentinel != NULL && store->events.on_master != NULL) {
        store->events.on_master(store->events.context, store->place);
    }
    store->events.on_up(store->events.context);
}

static void on_down(void *context, bool refused, const char *reason)
{
    struct redis_store *store = context;
    store->events.on_down(store->events.context, refused ? STORE_REFUSES : STORE_AWAY, reason);
}

static void greet(struct redis_store *store, struct redis_link_options *link)
{
    struct redis_greeting *next = link->greeting;

    if (store->username[0] != '\0') {
        *next++ = (struct redis_greeting){
            .words = {"AUTH", store->username, store->password}, .count = 3};
    } else if (store->password[0] != '\0') {
        *next++ = (struct redis_greeting){.words = {"AUTH", store->password}, .count = 2};
    }
    if (link->url.database != 0) {
        (void)snprintf(store->database, sizeof store->database, "%u", link->url.database);
        *next++ = (struct redis_greeting){.words = {"SELECT", store->database}, .count = 2};
    }
    /* One whose disk is full refuses a PING as if it wrote something. It can still be read: at a
     * start nobody else may know of a lockout. */
    *next++ = (struct redis_greeting){.words = {"PING"}, .count = 1, .may_say = "MISCONF "};
    if (store->sentinel != NULL) {
        *next++ = (struct redis_greeting){.words = {"ROLE"}, .count = 1, .first = "master"};
    }
    /* A user of another prefix may do all the rest, and would then fail at each key. */
    redis_key(store, "card_key", store->rights_key);
    *next++ = (struct redis_greeting){
        .words = {"GET", store->rights_key}, .count = 2, .for_rights = true};
    *next++ = (struct redis_greeting){
        .words = {"SCRIPT", "LOAD", redis_save_script},
        .count = 3,
        .keep = store->save_sha,
        .keep_size = sizeof store->save_sha};
    *next++ = (struct redis_greeting){
        .words = {"SCRIPT", "LOAD", redis_lease_script},
        .count = 3,
        .keep = store->lease_sha,
        .keep_size = sizeof store->lease_sha};
    link->greeting_count = (size_t)(next - link->greeting);
}

static void keep_options(struct redis_store *store, const struct redis_options *options)
{
    text_copy(store->prefix, sizeof store->prefix, options->prefix);
    text_copy(
        store->username, sizeof store->username,
        options->username == NULL ? "" : options->username);
    text_copy(
        store->password, sizeof store->password,
        options->password == NULL ? "" : options->password);
    text_copy(
        store->nameserver, sizeof store->nameserver,
        options->nameserver == NULL ? "" : options->nameserver);
    store->account = (struct redis_account){
        .username = store->username,
        .password = store->password,
        .password_key = "[redis] password",
    };
}

enum status redis_store_new(
    const struct redis_options *options, const struct store_events *events,
    struct store **ret_store, struct text *why)
{
    static const struct store_operations operations = {
        .close = redis_close,
        .load = redis_load,
        .take_lease = redis_take_lease,
        .renew_lease = redis_renew_lease,
        .release_lease = redis_release_lease,
        .card_key = redis_card_key,
        .save = redis_save,
        .load_blocks = redis_load_blocks,
        .save_blocks = redis_save_blocks,
        .forget = redis_forget,
        .is_up = redis_is_up,
    };
    struct redis_link_options link = {.base = options->base, .on_up = on_up, .on_down = on_down};
    struct redis_store *store = NULL;
    enum status status = redis_url_parse(options->url, &link.url, why);

    if (status != STATUS_OK) {
        return status;
    }
    if ((options->username != NULL && strlen(options->username) >= sizeof store->username) ||
        (options->password != NULL && strlen(options->password) >= sizeof store->password)) {
        text_add(why, "the user name or the password of Redis is too long");
        return STATUS_TOO_LONG;
    }
    store = calloc(1, sizeof *store);
    if (store == NULL) {
        text_add(why, status_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    store->store.operations = &operations;
    store->events = *events;
    store->load.request.on_reply = redis_on_loaded;
    store->card_key_offer.on_reply = on_card_key_offered;
    store->card_key.on_reply = on_card_key_reply;
    store->blocks.on_reply = redis_on_blocks;
    store->blocks_save.on_reply = redis_on_blocks_saved;
    store->script_load.on_reply = redis_on_script_loaded;
    keep_options(store, options);
    link.context = store;
    link.nameserver = store->nameserver;
    link.account = store->account;
    status = redis_find_master(store, options, &link, why);
    if (status != STATUS_OK) {
        goto no_sentinel;
    }
    greet(store, &link);
    status = redis_link_new(&link, &store->link);
    if (status != STATUS_OK) {
        text_add(why, status_text(status));
        goto no_link;
    }
    *ret_store = &store->store;
    return STATUS_OK;

no_link:
    redis_sentinel_free(store->sentinel);
no_sentinel:
    free(store);
    return status;
}
