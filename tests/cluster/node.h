/* A controller's process. */
#ifndef TAGOUT_CLUSTER_NODE_H
#define TAGOUT_CLUSTER_NODE_H

#include "controller/daemon/ports.h"
#include "tests/cluster/redis.h"

struct controller;
struct settings;

struct node {
    struct world *world;
    unsigned index;
    char id[8];
    char folder[512];
    struct settings *settings;
    struct controller *controller; /* NULL: the process does not run */
    unsigned life;                 /* of all that ever ran */
    bool is_frozen;
    unsigned calls_to_doze; /* till it stands still in mid-turn; 0: it does not */
    int64_t doze_ends;
    int64_t dozes_until; /* it stands still there; what is left of the turn happens then */
    bool roster_wanted;
    unsigned turns; /* in this millisecond */
    int64_t turned_at_ms;
    int64_t mono_base_ms;
    int64_t wall_skew_ms;
    struct parcels inbox;
    struct parcels requests;
    struct parcels outbox; /* not yet with the network */
    struct due flows;
    int64_t said_at;
    struct due turn;
    struct due starts;
    struct due thaws;
    struct redis_link redis;
    uint64_t spoke_epoch; /* the greatest in a status of its */
    struct version said[BOXES];
    bool said_oops[BOXES];
    bool said_lockout[BOXES];
};

/* ---- node.c, ports.c ---- */

void node_init(struct world *world, unsigned index, const char *folder);
void node_start(struct world *world, unsigned index);
/* kill -9. */
void node_kill(struct world *world, unsigned index);
/* SIGTERM. */
void node_stop(struct world *world, unsigned index);
void node_freeze(struct world *world, unsigned index);
void node_thaw(struct world *world, unsigned index);
/* Something has come for it. */
void node_wake(struct world *world, unsigned index);
void node_receive(struct world *world, struct parcel *parcel);

/* ---- doze.c ---- */

/* In mid-turn, after some more calls to what is around it. */
void node_doze_soon(struct world *world, unsigned index, int64_t until);
void node_stay_awake(struct node *node);
/* It calls what is around it. */
void node_calls(struct node *node);
bool node_dozes(const struct node *node);
/* What the time is for it, and when what it says leaves it. */
int64_t node_time(const struct node *node);
/* The connection stands, or is lost. */
void node_outbox_connected(struct world *world, struct node *node);
void node_outbox_lost(struct node *node);
void node_flows(struct world *world, struct due *due);
struct controller_ports node_ports(struct node *node);

#endif
