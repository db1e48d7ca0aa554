/* What the parts of the store on Redis share: redis.c (the store itself, card key),
 * redis_load.c, redis_save.c, redis_lease.c, redis_blocks.c and redis_master.c. For nobody else.
 */
#ifndef TAGOUT_PERSISTENCE_REDIS_STORE_H
#define TAGOUT_PERSISTENCE_REDIS_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "persistence/redis_link.h"
#include "persistence/redis_sentinel.h"
#include "persistence/store.h"

#define REDIS_KEY_SIZE 128 /* prefix, ":machine:", machine, NUL */
#define REDIS_SHA_SIZE 41
#define REDIS_SECRET_SIZE 1025 /* as long as a value in tagout.ini can be */

/* One load: answers come in the order of the names. */
struct redis_load {
    struct redis_request request;
    char (*machines)[65]; /* NULL: no load under way */
    size_t count;
    size_t sent;
    size_t answered;
    bool failed;
};

struct redis_store {
    struct store store; /* first: a store is its redis_store */
    struct redis_link *link;
    struct redis_sentinel *sentinel; /* NULL: Redis is where the URL says */
    struct store_events events;
    char prefix[33];
    char username[REDIS_SECRET_SIZE];
    char password[REDIS_SECRET_SIZE];
    char sentinel_password[REDIS_SECRET_SIZE];
    struct redis_account account; /* of these */
    char master[65];
    char place[ENDPOINT_HOST_SIZE + 16]; /* where Sentinel says the master is */
    char nameserver[64];
    char database[12];
    char rights_key[REDIS_KEY_SIZE];
    char save_sha[REDIS_SHA_SIZE];
    char lease_sha[REDIS_SHA_SIZE];
    struct redis_load load;
    struct redis_request card_key_offer;
    struct redis_request card_key;
    struct redis_request blocks;
    struct redis_request blocks_save;
    struct redis_request script_load;
    bool blocks_wait;
    bool blocks_save_waits;
    bool script_load_waits;
    bool script_is_refused; /* when it was loaded last: a save is not tried again at once */
    bool lease_waits;       /* a take or a renewal is not answered yet */
    bool card_key_waits;
    bool closing;
    size_t save_bytes; /* of the saves under way */
};

/* The struct that `pointer` is the `member` of. */
#define REDIS_OWNER(pointer, type, member)                                                         \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* `<p>:<name>` and `<p>:machine:<machine>`. */
void redis_key(const struct redis_store *store, const char *name, char ret_key[REDIS_KEY_SIZE]);
void redis_machine_key(
    const struct redis_store *store, const char *machine, char ret_key[REDIS_KEY_SIZE]);

/* Whether an error or a status begins with that word. */
bool redis_is_kind(const char *text, const char *word);

/* What is wrong with an answer that should have been another; NULL is a lost connection. */
const char *redis_reason(const struct redisReply *reply);

/* Reports `what: reason` through on_trouble. */
void redis_trouble(const struct redis_store *store, const char *what, const char *reason);

/* What the save script's answer says. */
enum store_saved redis_saved(const struct redisReply *reply);

/* Has the Sentinels say where `link` connects to. */
MUST_USE enum status redis_find_master(
    struct redis_store *store, const struct redis_options *options, struct redis_link_options *link,
    struct text *why);

/* To be told of the answers to saves and to the lease, of which one comes every other second at
 * least: where there are Sentinels, a Redis that is read-only is no master any more, and is left.
 */
void redis_note_refusal(struct redis_store *store, const struct redisReply *reply);

/* Operations of the port. */
enum status redis_load(struct store *base, const char *const machines[], size_t count);
enum status redis_save(struct store *base, const struct record *record, uint64_t token);

enum status redis_take_lease(struct store *base, const struct store_claim *claim);
enum status redis_renew_lease(struct store *base, const struct store_claim *claim);
enum status redis_release_lease(struct store *base, const struct store_claim *claim);

enum status redis_load_blocks(struct store *base);
enum status redis_save_blocks(struct store *base, struct version version, const char *document);
enum status redis_forget(struct store *base, const char *machine);

void redis_on_blocks(struct redis_request *request, const struct redisReply *reply);
void redis_on_blocks_saved(struct redis_request *request, const struct redisReply *reply);
void redis_on_script_loaded(struct redis_request *request, const struct redisReply *reply);
/* The answer to each HGETALL of the load. */
void redis_on_loaded(struct redis_request *request, const struct redisReply *reply);

#endif
