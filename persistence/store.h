/* Where state is kept: the port that the daemon knows, in plain values (C9).
 *
 * Every call returns at once; what comes of it arrives later through `store_events`, always from
 * the loop and never from inside the call. Two implementations: redis.c, and memory.c for tests,
 * with faults to order. A store keeps trying to connect, for ever, with back-off; it says so
 * through on_up and on_down and resends nothing by itself: a save that was under way when the
 * connection broke is reported as STORE_SAVE_LOST.
 */
#ifndef TAGOUT_PERSISTENCE_STORE_H
#define TAGOUT_PERSISTENCE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/core/machine.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

/* Everything that is kept of a machine: the core's state and what people read with it.
 * `core.heard`, the past boots, monotonic times, what the device last said of its relays and the
 * watch, but for who used the machine last, are not kept. */
struct record {
    char machine[65];
    struct core_state core;
    uint32_t event_n; /* C8.2 `n` */
    uint32_t save_timeouts;
    char card_key[17]; /* fingerprint of the key that made `core.card` */
    char fw[129];
    char oops_by[CORE_NAME_SIZE];
    struct wall_time oops_at;
    char lockout_by[CORE_NAME_SIZE];
    char lockout_reason[481];
    struct wall_time lockout_at;
};

/* What may wait for a store that does not answer. */
#define STORE_SAVE_BYTES_MAX ((size_t)16 * 1024 * 1024)

#define STORE_BLOCKS_MAX ((size_t)1024 * 1024)

/* A claim on the lead (C12). All strings are copied; `id` and `token` are without blanks. */
struct store_claim {
    const char *id;    /* of the controller */
    const char *token; /* of this process, and no other: it alone renews and releases */
    /* To renew: a lease that ran out is taken up again if the stored epoch is still this one, for
     * then nobody has had it since. 0: never. */
    uint64_t epoch;
    int64_t duration_ms;  /* the lease runs out so long after it was taken or renewed */
    uint64_t heard;       /* the epoch will be above this, */
    struct wall_time now; /* above this in seconds, and above the stored one */
    bool own_id_at_once;  /* what another process holds under `id` is taken over */
};

#define STORE_LEASE_ID_SIZE 33
#define STORE_LEASE_TOKEN_SIZE 65

enum store_lease {
    STORE_LEASE_OURS,  /* taken or renewed */
    STORE_LEASE_OTHER, /* another's */
    STORE_LEASE_FREE,  /* to a renewal: nobody's; it was not taken */
    STORE_LEASE_ERROR, /* the store answered an error, or the connection broke before the answer:
                        * then it may have been carried out all the same */
};

struct store_lease_answer {
    enum store_lease lease;
    uint64_t epoch;               /* as it is stored now: taken with the lease, if that was asked */
    char id[STORE_LEASE_ID_SIZE]; /* who has it, if another */
    int64_t remaining_ms;         /* and for how long, if it is not renewed */
};

enum store_saved {
    STORE_SAVE_DONE,
    STORE_SAVE_STALE_EPOCH,   /* another controller leads: stand down (C9.1) */
    STORE_SAVE_STALE_VERSION, /* a newer version is stored already */
    STORE_SAVE_REFUSED,       /* the store answered an error (read-only, out of memory, loading) */
    STORE_SAVE_LOST,          /* the connection broke before the answer, or the store had lost its
                               * script: to be saved once more */
};

enum store_down {
    STORE_AWAY,    /* nobody answers there, or not as a store does */
    STORE_REFUSES, /* it is there, and does not let this account do what it must */
};

struct store_events {
    void *context;
    void (*on_up)(void *context);
    /* Before on_up: which Redis the Sentinels named, `host:port`. May be NULL. */
    void (*on_master)(void *context, const char *place);
    /* The connection broke, or an attempt to connect failed (said again only when the reason is
     * another one). Saves that were under way are reported LOST after this. */
    void (*on_down)(void *context, enum store_down down, const char *reason);
    /* Load: each record found, then the end. `record->machine` says whose; `ok` false: the load
     * broke off and what came before is incomplete. */
    void (*on_record)(void *context, const struct record *record);
    /* A stored record was damaged, as `reason` says. What record_read could make of it, oops and
     * lockout above all, comes through on_record all the same, right after. May be NULL. */
    void (*on_bad_record)(void *context, const char *machine, const char *reason);
    void (*on_loaded)(void *context, bool ok);
    /* To take_lease and renew_lease. */
    void (*on_lease)(void *context, const struct store_lease_answer *answer);
    /* The key for card hashes: the one offered, if there was none. */
    void (*on_card_key)(void *context, bool ok, const char *key_hex);
    /* `token` is that of the save. */
    void (*on_saved)(void *context, uint64_t token, enum store_saved result, const char *reason);
    /* The blocked cards as they were kept, `text` NULL when nothing is. */
    void (*on_blocks)(void *context, bool ok, const char *text);
    void (*on_blocks_saved)(void *context, enum store_saved result, const char *reason);
    /* Why an answer above is going to say not `ok`: a line for the log. May be NULL. */
    void (*on_trouble)(void *context, const char *reason);
};

struct store;

/* STATUS_DISCONNECTED from any of these: not sent, and there will be no answer. STATUS_BUSY: one
 * such call is under way already. */
struct store_operations {
    /* Frees everything; nothing is called back afterwards. Not to be called from a callback of
     * the store. A look-up of a name that is under way ends in the next turn of the loop. */
    void (*close)(struct store *store);
    /* Loads the records of these machines, in bounded batches. One load at a time. The names are
     * copied. */
    enum status (*load)(struct store *store, const char *const machines[], size_t count);
    /* C12's lease: takes it, with a new epoch, if nobody else has it; renews it if the token still
     * has it. One of the two at a time. `claim->heard` and what follows it count for taking only.
     */
    enum status (*take_lease)(struct store *store, const struct store_claim *claim);
    enum status (*renew_lease)(struct store *store, const struct store_claim *claim);
    /* Gives it back if the token still has it. No answer; what was asked before is done before. */
    enum status (*release_lease)(struct store *store, const struct store_claim *claim);
    /* Keeps `offer_hex` if no key is kept yet; answers with the kept one. */
    enum status (*card_key)(struct store *store, const char *offer_hex);
    /* The record is copied (written out) before this returns. Any number may be under way, up to
     * STORE_SAVE_BYTES_MAX of them: STATUS_BUSY, not sent. */
    enum status (*save)(struct store *store, const struct record *record, uint64_t token);
    /* The blocked cards (C6): one text, at most STORE_BLOCKS_MAX bytes, under a version of its own,
     * by the same rules as a record. One load and one save at a time. */
    enum status (*load_blocks)(struct store *store);
    enum status (*save_blocks)(struct store *store, struct version version, const char *text);
    /* Removes a machine's record for good; if the connection breaks it may stay. */
    enum status (*forget)(struct store *store, const char *machine);
    bool (*is_up)(const struct store *store);
};

/* Every store begins with this. */
struct store {
    const struct store_operations *operations;
};

/* ---- redis.c ---- */

struct event_base;

struct redis_options {
    const char *url;       /* redis://host:port/db or unix:///path */
    const char *username;  /* NULL or "": Redis's default user */
    const char *password;  /* NULL or "": none */
    const char *sentinels; /* host:port, host:port, who tell where Redis is: of `url` only the
                            * database counts. NULL or "": it is at `url` */
    const char *master;    /* its name among them */
    const char *sentinel_password; /* NULL or "": none */
    const char *prefix;
    struct event_base *base; /* of libevent; the store lives in this loop */
    const char *nameserver;  /* "address:port" to ask for names; NULL: as the host is set up */
};

/* Checks the URL (`why` names what is wrong) and connects from the loop's next turn on. All
 * strings and `events` are copied. The process must ignore SIGPIPE: hiredis writes with write(). */
MUST_USE enum status redis_store_new(
    const struct redis_options *options, const struct store_events *events,
    struct store **ret_store, struct text *why);

#endif
