/* A shop with several controllers, one Redis and one broker, on a virtual clock, in one thread.
 *
 * The controllers are the real ones, behind their ports; the boxes are devices/device.c. Whatever
 * goes from one to another is a parcel with a time of arrival. Everything that is left to chance
 * comes from one seed, so that a seed tells the whole story again.
 *
 *   node.c    a controller's process: its inbox, its turns, its death
 *   redis.c   Redis, and each controller's connection to it
 *   broker.c  the broker; wire.c: everybody's connection to it
 *   box.c     a machine's box
 *   people.c  visitors at the machines, and an operator
 *   faults.c  what breaks, and when all is calm
 *   check.c   what must hold of what controllers say; truth.c: of what boxes do
 */
#ifndef TAGOUT_CLUSTER_WORLD_H
#define TAGOUT_CLUSTER_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/heap.h"
#include "controller/support/time.h"
#include "devices/device.h"
#include "persistence/memory_parts.h"
#include "tests/cluster/dice.h"
#include "topics/command.h"
#include "topics/topic.h"

#define PREFIX "tagout"
#define NODES_MAX 3
#define BOXES 3
#define EACH_MAX 3                  /* of controllers, and of boxes */
#define CLIENTS (NODES_MAX + BOXES) /* of the broker: controllers, then boxes */
#define MS ((int64_t)1000)          /* the virtual clock counts microseconds */
#define SECOND (1000 * MS)
/* What the operator asked for may be done so much later. */
#define ASKED_FOR (40 * SECOND)
#define ANSWER_WITHIN (10 * SECOND) /* C12.4 */

struct world;
struct controller;
struct settings;

/* Something that happens at a time. Embedded in what it happens to; heap_set takes it out. */
struct due {
    struct heap_item item;
    void (*happen)(struct world *world, struct due *due);
};

/* ---- messages ---- */

/* Immutable, and shared by all who hold it. */
struct message {
    unsigned holders;
    enum topic_id id;
    unsigned who; /* which machine or controller; 0 for other topics */
    char *topic;
    char *payload;
    size_t length;
    unsigned author; /* the life of the controller that published it; 0: nobody's */
    int64_t said_at;
    bool is_command; /* `command` can be read */
    struct command command;
};

enum parcel_kind {
    PARCEL_MESSAGE,
    PARCEL_SUBSCRIBE,
    PARCEL_UNSUBSCRIBE,
    PARCEL_ECHO, /* asked of the broker, and on its way back */
    PARCEL_SUBACK,
    PARCEL_CONNECTED,
    PARCEL_DISCONNECTED,
};

/* What travels between a client and the broker, or waits in a client's inbox. */
struct parcel {
    struct due due;
    struct parcel *next;
    enum parcel_kind kind;
    unsigned client;
    unsigned connection;
    bool to_broker;
    struct message *message;
    int qos;
    bool retained;
    uint64_t topics; /* SUBSCRIBE: a bit a topic_id; at QoS 1 in `topics_qos1` */
    uint64_t topics_qos1;
    uint32_t number; /* a token, or an echo's */
};

struct parcels {
    struct parcel *first;
    struct parcel *last;
    size_t count;
};

/* A client's connection, as it and the broker see it. */
struct wire {
    unsigned connection;
    bool client_up;
    bool broker_up;
    bool says_goodbye;   /* the client closed it: no last will */
    bool is_cut;         /* nothing passes; what is under way waits */
    struct parcels held; /* what waits for the end of the cut */
    struct due client_gives_up;
    struct due broker_gives_up;
    struct due connects;                /* the next attempt */
    int64_t to_broker[TOPIC_COUNT + 1]; /* when the last of a topic arrives: nothing overtakes it */
    int64_t to_client[TOPIC_COUNT + 1];
    int64_t burst_at; /* when the client last sent */
    int64_t hears_at; /* since when a controller hears reports */
    uint64_t topics;  /* subscribed */
    uint64_t topics_qos1;
};

enum retained_kind {
    RETAINED_LINK,
    RETAINED_COMMAND,
    RETAINED_STATE,
    RETAINED_STATUS,
    RETAINED_BLOCKS,
    RETAINED_KINDS,
};

struct retained {
    struct message *of[RETAINED_KINDS][EACH_MAX];
};

struct broker {
    bool is_down;
    struct retained retained;
    struct retained copy; /* of an earlier time */
    struct due returns;
};

/* ---- Redis ---- */

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
    int64_t late_until; /* what was asked over a connection that broke is done till then */
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

/* ---- controllers ---- */

struct node {
    struct world *world;
    unsigned index;
    char id[8];
    char folder[512];
    struct settings *settings;
    struct controller *controller; /* NULL: the process does not run */
    unsigned life;                 /* of all that ever ran */
    bool is_frozen;
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

/* ---- boxes ---- */

/* Somebody was told so, and nobody has asked for the contrary since. */
struct promise {
    bool holds;
    struct version since;
};

struct truth {
    bool inserted; /* a card was put in after the last boot, press and card-out */
    int64_t inserted_at;
    bool told_insertion; /* a report of this boot has told of it */
    bool stopped;        /* a press that nobody has cleared since */
    bool in_session;     /* a member's, that nobody has ended */
    int64_t asked_at;    /* the operator's last request */
    uint64_t epoch;      /* the greatest of a command that it accepted in this boot */
    struct promise oops;
    struct promise lockout;
    uint32_t calm_seq; /* of the first report in the calm; 0: none yet */
    int64_t calm_report_at;
    bool answered; /* it was */
};

struct box {
    unsigned index;
    const char *name;
    bool always;
    struct device_config config;
    struct device device;
    struct device_keep keep;
    struct device_outputs outputs;
    bool runs;
    unsigned boots;
    int card; /* in the slot; 0: none */
    int reported_card;
    bool reported; /* since the boot */
    bool button_down;
    struct due tick;
    struct due boots_at;
    struct due hand; /* the next visitor */
    struct truth truth;
};

/* ---- everything ---- */

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

#define LIVES_MAX 65536
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
    uint64_t steps_max;
    uint64_t trace_from; /* the first step that is told of */
    enum plant plant;
    char failure[512]; /* "" while all is well */
    uint64_t failed_at;

    int64_t now;
    struct heap dues;
    size_t due_room;
    size_t due_count;
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

/* ---- broker.c ---- */

struct message *
message_new(enum topic_id id, unsigned who, const char *topic, const char *payload, size_t length);
struct message *message_hold(struct message *message);
void message_release(struct message *message);
void broker_take(struct world *world, struct message *message, int qos, bool retain);
void broker_subscribe(struct world *world, const struct parcel *parcel);
/* Restarts: all connections break. */
enum memory_loss {
    LOSS_NOTHING,
    LOSS_SOME, /* it is as it was some time ago */
    LOSS_ALL,
};
void broker_stop(struct world *world, enum memory_loss loss, int64_t back_at);
void broker_return(struct world *world, struct due *due);
void broker_keep_copy(struct world *world);
void broker_free(struct broker *broker);

/* ---- wire.c ---- */

bool client_is_node(unsigned client);
struct parcel *parcel_new(enum parcel_kind kind, unsigned client);
void parcel_free(struct parcel *parcel);
void parcels_add(struct parcels *parcels, struct parcel *parcel);
struct parcel *parcels_take(struct parcels *parcels);
void parcels_drop(struct parcels *parcels);
void wire_init(struct world *world, unsigned client);
void wire_free(struct wire *wire);
/* Frees it if it is a parcel. */
bool wire_forget(struct due *due);
/* Takes the parcel. */
void wire_send_to_broker(struct world *world, struct parcel *parcel);
void wire_send_to_client(struct world *world, struct parcel *parcel);
void wire_cut(struct world *world, unsigned client);
void wire_heal(struct world *world, unsigned client);
/* The broker closes: the last will is published. */
void wire_close_at_broker(struct world *world, unsigned client, bool with_will);
/* The client learns of it. */
void wire_close_at_client(struct world *world, unsigned client);
void wire_connect_at(struct world *world, unsigned client, int64_t at);

/* ---- redis.c, redis_link.c ---- */

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
struct now node_now(const struct node *node);
/* The connection stands, or is lost. */
void node_outbox_connected(struct world *world, struct node *node);
void node_outbox_lost(struct node *node);
void node_flows(struct world *world, struct due *due);
struct controller_ports node_ports(struct node *node);

/* ---- box.c ---- */

void box_init(struct world *world, unsigned index);
void box_step(struct world *world, struct box *box, struct device_event event);
void box_take(struct world *world, struct box *box, const struct message *message);
void box_connected(struct world *world, struct box *box);
void box_power_off(struct world *world, struct box *box);
void box_boot(struct world *world, struct box *box);
void box_card(struct world *world, struct box *box, int card);
void box_button(struct world *world, struct box *box, bool down);
const char *card_number(int card);

enum {
    CARD_NONE,
    CARD_MEMBER,   /* may use every machine that needs a card */
    CARD_OTHER,    /* a member, too */
    CARD_STRANGER, /* known to nobody */
    CARDS,
};

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
