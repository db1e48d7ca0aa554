/* The broker, and everybody's connection to it. */
#ifndef TAGOUT_CLUSTER_BROKER_H
#define TAGOUT_CLUSTER_BROKER_H

#include "tests/cluster/due.h"
#include "topics/command.h"
#include "topics/topic.h"

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
    int64_t received_ms; /* by the process, on its clock */
    uint64_t topics;     /* SUBSCRIBE: a bit a topic_id; at QoS 1 in `topics_qos1` */
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

#endif
