/* A shop with several controllers, one Redis and one broker, on a virtual clock, in one thread.
 *
 * The controllers are the real ones, behind their ports; the boxes are devices/device.c. Whatever
 * goes from one to another is a parcel with a time of arrival. Everything that is left to chance
 * comes from one seed, so that a seed tells the whole story again.
 *
 *   node.c    a controller's process: its inbox, its turns, its death; doze.c: it is stopped in one
 *   redis.c   Redis; redis_port.c, redis_way.c, redis_link.c: each controller's connection to it
 *   broker.c  the broker; wire.c: everybody's connection to it
 *   box.c     a machine's box
 *   people.c  visitors at the machines, and an operator
 *   faults.c  what breaks, and when all is calm
 *   check.c   what must hold of what controllers say; truth.c: of what boxes do
 */
#ifndef TAGOUT_CLUSTER_WORLD_H
#define TAGOUT_CLUSTER_WORLD_H

#include "tests/cluster/box.h"
#include "tests/cluster/broker.h"
#include "tests/cluster/dice.h"
#include "tests/cluster/node.h"
#include "tests/cluster/redis.h"

enum plant {
    PLANT_NOTHING,
    PLANT_RELEASE,    /* the lease is released without comparing the token */
    PLANT_SAVE_EPOCH, /* a save does not ask for the epoch */
    PLANT_RENEW_CUT,  /* a controller that is cut off from the broker does not notice */
    PLANT_INCR,       /* the epoch is the stored one plus 1 */
    PLANT_COUNT,
};

struct operator
{
    struct due acts;
    unsigned transaction; /* of the request that waits; 0: none */
    unsigned last_transaction;
    unsigned answered; /* the last one that was answered */
    unsigned machine;
    char verb[16];
    bool value;
    int64_t asked_at;
};

struct tally {
    unsigned calms;
    unsigned faults;
    unsigned leads;    /* epochs under which commands were accepted */
    unsigned starts;   /* relays that went on */
    unsigned promises; /* acknowledged oopses and lockouts */
    unsigned presses;
    unsigned losses; /* of Redis's or the broker's memory */
};

#define EPOCHS_MAX 65536

struct epoch_owner {
    uint64_t epoch;
    unsigned life;
    unsigned former;       /* the life that had it before; 0: none */
    int64_t first_said_at; /* by the present one, of what a box accepted */
    int64_t last_said_at;
};

struct world {
    uint64_t seed;
    uint64_t step;
    uint64_t trace_from; /* the first step that is told of */
    enum plant plant;
    char failure[512]; /* "" while all is well */
    uint64_t failed_at;

    int64_t now;
    struct heap dues;
    size_t due_room;
    struct dice dice;

    unsigned node_count;
    unsigned lives;
    struct node nodes[NODES_MAX];
    struct redis redis;
    struct broker broker;
    struct wire wires[CLIENTS];
    struct box boxes[BOXES];
    struct operator operator;
    unsigned delays; /* percent of parcels that dawdle */

    bool is_calm;
    bool is_recovering; /* one of the two memories was lost, and is not yet filled again */
    bool is_answered;   /* so it was seen in this calm */
    int64_t calm_since;
    unsigned survivor; /* the controller that is sound in the calm */
    struct due fault;  /* the next one, or the end of the calm */
    struct due calm;   /* its beginning */
    struct due verdict;
    struct due wire_heals[CLIENTS];
    struct due redis_heals[NODES_MAX];
    struct due redis_thaws;

    struct epoch_owner owners[EPOCHS_MAX];
    size_t owner_count;
    struct tally tally;
};

/* ---- world.c ---- */

/* `folder` has the configuration of each controller. */
struct world *world_new(const char *folder, uint64_t seed, unsigned node_count, enum plant plant);
void world_free(struct world *world);
/* Until `steps` are done or something is wrong; false then. */
bool world_run(struct world *world, uint64_t steps);

/* The first thing that is wrong ends the run. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool world_has_failed(const struct world *world);
/* A step that is told of, from `trace_from` on. */
void world_tell(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_plan(struct world *world, struct due *due, int64_t at);
/* Unless it is due earlier. */
void world_plan_by(struct world *world, struct due *due, int64_t at);
void world_cancel(struct world *world, struct due *due);
bool due_is_planned(const struct due *due);
/* How long something is on its way. */
int64_t world_delay(struct world *world);
void *cluster_memory(void *memory);

/* ---- people.c ---- */

void people_init(struct world *world);
void people_hear(struct world *world, const struct message *response);

/* ---- faults.c ---- */

void faults_init(struct world *world);

/* ---- check.c: what controllers say ---- */

void check_published(struct world *world, struct node *node, const struct message *message);
void check_accepted(struct world *world, struct box *box, const struct message *message);
/* The operator was told that it is set. */
void check_promised(struct world *world, unsigned machine, bool is_oops, unsigned author);
bool check_copies_are_whole(struct world *world);
/* Ten seconds after the last fault, and at the end of the calm. */
void check_answered(struct world *world);
void check_settled(struct world *world);

/* ---- truth.c: what boxes do ---- */

void truth_check(
    struct world *world, struct box *box, const struct device_event *event,
    const struct device *before);
/* Whatever is on may be switched off from now on. */
void truth_end_session(struct box *box);

#endif
