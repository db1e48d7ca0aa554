/* Redis, and each controller's connection to it. */
#ifndef TAGOUT_CLUSTER_REDIS_H
#define TAGOUT_CLUSTER_REDIS_H

#include "persistence/memory_inside.h"
#include "tests/cluster/broker.h"

enum request_kind {
    ASK_LOAD,
    ASK_LEASE,
    ASK_RELEASE,
    ASK_CARD_KEY,
    ASK_SAVE,
    ASK_LOAD_BLOCKS,
    ASK_SAVE_BLOCKS,
    ASK_FORGET,
    ASK_KINDS,
};

/* Waits in its link's `asked` until it is answered; and on the way, at Redis or on the way back. */
struct request {
    struct due due;
    struct request *next;      /* in `asked` */
    struct request *next_held; /* in `held` */
    unsigned node;
    unsigned connection;
    unsigned to_life; /* of Redis: nothing that was sent to one reaches the next */
    int64_t sent_at;
    enum request_kind kind;
    bool in_asked;
    bool travels;
    bool was_done;
    bool has_failed;
    bool is_answered;
    enum lease_verb verb;
    struct kept_claim claimed;
    char text[65]; /* a card key, or a machine */
    struct record *records;
    bool found[BOXES];
    uint64_t token;
    struct version version;
    char *document;
    struct store_lease_answer lease;
    enum store_saved saved;
};

enum redis_news {
    NEWS_NOTHING,
    NEWS_UP,
    NEWS_DOWN,
};

/* A controller's connection to Redis. */
struct redis_link {
    struct store store; /* first: a store is its link */
    struct world *world;
    unsigned node;
    struct store_events events;
    unsigned connection;
    bool is_up;
    bool told_up; /* as the controller knows */
    bool is_cut;
    enum redis_news news[2]; /* to be told first; what was asked fails with NEWS_DOWN */
    struct request *asked;
    struct request *held; /* waits for the end of the cut, or of Redis's sleep */
    int64_t to_redis;
    int64_t to_node;
    unsigned dozed_connection; /* it was lost while the process stood still in mid-turn */
    int64_t dozed_at;
    struct due gives_up;
    struct due connects;
};

struct snapshot {
    struct record records[BOXES];
    bool has[BOXES];
    uint64_t epoch;
    char card_key[65];
};

struct redis {
    struct memory_database *database;
    struct snapshot snapshot;
    unsigned life;
    bool is_down;
    bool is_frozen;
    struct due returns;
    char card_key[65];
    /* The truth about the lease, by Redis's clock. */
    char holder[STORE_LEASE_TOKEN_SIZE];
    char holder_id[STORE_LEASE_ID_SIZE];
    int64_t lease_ends;
    uint64_t greatest_epoch;
};

/* ---- redis.c, redis_link.c, redis_way.c, redis_port.c ---- */

void redis_init(struct world *world);
void redis_free(struct world *world);
/* Frees it if it is a request that travels. */
bool redis_forget(struct due *due);
void redis_stop(struct world *world, enum memory_loss loss, int64_t back_at);
void redis_freeze(struct world *world, bool frozen);
void redis_keep_snapshot(struct world *world);
/* Carries out, by the rules of the scripts. */
void redis_do(struct world *world, struct request *request);

void redis_link_init(struct world *world, unsigned node);
/* The process begins and ends. */
void redis_link_open(struct world *world, unsigned node, const struct store_events *events);
void redis_link_close(struct world *world, unsigned node);
void redis_link_break(struct world *world, unsigned node);
void redis_link_cut(struct world *world, unsigned node, bool is_cut);
/* What waits moves again. */
void redis_link_go_on(struct world *world, unsigned node);
/* Tells the controller the next thing; false when there is none. */
bool redis_link_turn(struct world *world, unsigned node);

struct request *request_new(struct redis_link *link, enum request_kind kind);
/* The controller waits for its answer. */
void request_expect(struct redis_link *link, struct request *request);
void request_travel(struct world *world, struct request *request);
void request_free_when_done(struct request *request);
const struct store_operations *redis_port_operations(void);

#endif
