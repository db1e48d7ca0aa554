#include "controller/support/mqtt_outbox.h"

#include <stdlib.h>
#include <string.h>

/* Out of memory in the index must not end the process: the message is refused instead. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->indexed = false)
#include <uthash.h>
#include <utlist.h>

struct node {
    struct outbox_message message; /* first: a message is its node */
    struct node *prev;
    struct node *next;
    UT_hash_handle hh; /* in `retained`, by topic, while it waits */
    bool indexed;
    char bytes[];
};

struct outbox {
    struct node *waiting;
    struct node *in_flight;
    struct node *retained;
    struct node *lone; /* waits alone, and so is not in `retained` yet: most leave at once */
    size_t events_max;
    size_t events; /* of `waiting` those that are not retained */
    struct outbox_counts counts;
};

enum status outbox_new(size_t events_max, struct outbox **ret_outbox)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);

    if (outbox == NULL) {
        return STATUS_NO_MEMORY;
    }
    outbox->events_max = events_max;
    *ret_outbox = outbox;
    return STATUS_OK;
}

static void free_list(struct node **list)
{
    struct node *node;
    struct node *following;

    DL_FOREACH_SAFE(*list, node, following)
    {
        DL_DELETE(*list, node);
        free(node);
    }
}

void outbox_free(struct outbox *outbox)
{
    if (outbox == NULL) {
        return;
    }
    HASH_CLEAR(hh, outbox->retained);
    free_list(&outbox->waiting);
    free_list(&outbox->in_flight);
    free(outbox);
}

static struct node *
new_node(const char *topic, const char *payload, size_t length, int qos, bool retain)
{
    size_t topic_size = strlen(topic) + 1;
    struct node *node = malloc(sizeof *node + topic_size + length + 1);

    if (node == NULL) {
        return NULL;
    }
    memset(node, 0, sizeof *node);
    memcpy(node->bytes, topic, topic_size);
    if (length > 0) {
        memcpy(node->bytes + topic_size, payload, length);
    }
    node->bytes[topic_size + length] = '\0';
    node->message = (struct outbox_message){
        .topic = node->bytes,
        .payload = node->bytes + topic_size,
        .length = length,
        .qos = qos,
        .retain = retain,
    };
    return node;
}

static void forget_in_index(struct outbox *outbox, struct node *node)
{
    if (node->indexed) {
        HASH_DEL(outbox->retained, node);
        node->indexed = false;
    }
}

static struct node *find_retained(struct outbox *outbox, const char *topic)
{
    struct node *found;

    HASH_FIND_STR(outbox->retained, topic, found);
    return found;
}

/* False: no memory for the index, which is as it was. */
static bool add_to_index(struct outbox *outbox, struct node *node)
{
    node->indexed = true;
    HASH_ADD_KEYPTR(hh, outbox->retained, node->message.topic, strlen(node->message.topic), node);
    return node->indexed;
}

/* Before anything else waits, or is looked for. */
static void index_lone(struct outbox *outbox)
{
    struct node *lone = outbox->lone;

    outbox->lone = NULL;
    if (lone != NULL) {
        add_to_index(outbox, lone); /* without it, it only can't be replaced any more */
    }
}

static enum status put_retained(struct outbox *outbox, struct node *node)
{
    struct node *older;

    if (outbox->waiting == NULL) {
        outbox->lone = node;
        DL_APPEND(outbox->waiting, node);
        outbox->counts.waiting++;
        return STATUS_OK;
    }
    index_lone(outbox);
    older = find_retained(outbox, node->message.topic);
    if (older != NULL) {
        forget_in_index(outbox, older);
    }
    if (!add_to_index(outbox, node)) {
        free(node); /* an older one still waits, and only can't be replaced any more */
        return STATUS_NO_MEMORY;
    }
    if (older == NULL) {
        DL_APPEND(outbox->waiting, node);
        outbox->counts.waiting++;
        return STATUS_OK;
    }
    DL_REPLACE_ELEM(outbox->waiting, older, node);
    free(older);
    outbox->counts.merged++;
    return STATUS_OK;
}

enum status outbox_put(
    struct outbox *outbox, const char *topic, const char *payload, size_t length, int qos,
    bool retain)
{
    struct node *node;

    if (!retain && outbox->events >= outbox->events_max) {
        outbox->counts.dropped++;
        return STATUS_FULL;
    }
    node = new_node(topic, payload, length, qos, retain);
    if (node == NULL) {
        return STATUS_NO_MEMORY;
    }
    if (retain) {
        return put_retained(outbox, node);
    }
    DL_APPEND(outbox->waiting, node);
    outbox->counts.waiting++;
    outbox->events++;
    return STATUS_OK;
}

static size_t wire_size(const struct outbox_message *message)
{
    const size_t headers = 9; /* at most: type, length, topic's length, packet id */
    return headers + strlen(message->topic) + message->length;
}

struct outbox_message *outbox_take(struct outbox *outbox)
{
    struct node *node = outbox->waiting;

    if (node == NULL) {
        return NULL;
    }
    outbox->lone = NULL; /* it was this one, if any */
    DL_DELETE(outbox->waiting, node);
    DL_APPEND(outbox->in_flight, node);
    forget_in_index(outbox, node);
    outbox->counts.waiting--;
    outbox->counts.in_flight++;
    outbox->counts.in_flight_bytes += wire_size(&node->message);
    outbox->events -= !node->message.retain;
    return &node->message;
}

static void remove_from_flight(struct outbox *outbox, struct node *node)
{
    DL_DELETE(outbox->in_flight, node);
    outbox->counts.in_flight--;
    outbox->counts.in_flight_bytes -= wire_size(&node->message);
}

static void wait_first(struct outbox *outbox, struct node *node)
{
    DL_PREPEND(outbox->waiting, node);
    outbox->counts.waiting++;
    outbox->events += !node->message.retain;
}

enum status
outbox_put_first(struct outbox *outbox, const char *topic, const char *payload, size_t length)
{
    struct node *node = new_node(topic, payload, length, 1, false);

    if (node == NULL) {
        return STATUS_NO_MEMORY;
    }
    index_lone(outbox);
    wait_first(outbox, node);
    return STATUS_OK;
}

void outbox_untake(struct outbox *outbox, struct outbox_message *message)
{
    struct node *node = (struct node *)message;

    index_lone(outbox);
    remove_from_flight(outbox, node);
    if (message->retain && find_retained(outbox, message->topic) != NULL) {
        free(node); /* a newer one waits */
        return;
    }
    wait_first(outbox, node);
    if (message->retain) {
        add_to_index(outbox, node); /* without it, it only can't be replaced any more */
    }
}

void outbox_done(struct outbox *outbox, struct outbox_message *message)
{
    struct node *node = (struct node *)message;

    remove_from_flight(outbox, node);
    free(node);
}

static bool is_kept(const struct outbox_message *message, bool (*perishes)(const char *topic))
{
    return !message->retain && message->qos > 0 && (perishes == NULL || !perishes(message->topic));
}

static void discard(struct outbox *outbox, bool all, bool (*perishes)(const char *topic))
{
    struct node *node;
    struct node *following;

    HASH_CLEAR(hh, outbox->retained);
    outbox->lone = NULL;
    DL_FOREACH_SAFE(outbox->waiting, node, following)
    {
        if (all || !is_kept(&node->message, perishes)) {
            DL_DELETE(outbox->waiting, node);
            outbox->counts.waiting--;
            outbox->events -= !node->message.retain;
            free(node);
        }
    }
}

void outbox_discard(struct outbox *outbox, bool all)
{
    discard(outbox, all, NULL);
}

void outbox_break(struct outbox *outbox, bool (*perishes)(const char *topic))
{
    struct node *node;

    discard(outbox, false, perishes);
    while (outbox->in_flight != NULL) {
        node = outbox->in_flight->prev; /* the last one */
        remove_from_flight(outbox, node);
        if (is_kept(&node->message, perishes)) {
            wait_first(outbox, node);
        } else {
            free(node);
        }
    }
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
    return outbox->counts;
}
