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
    struct node *large; /* waiting, too */
    struct node *in_flight;
    struct node *retained;
    struct node *lone; /* waits alone, and so is not in `retained` yet: most leave at once */
    size_t events_max;
    size_t events;      /* that wait and are not retained */
    size_t large_bytes; /* of all that are not retained, in flight, too */
    unsigned passed;    /* small ones that were taken while a large one waited */
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
    free_list(&outbox->large);
    free_list(&outbox->in_flight);
    free(outbox);
}

bool outbox_is_large(const struct outbox_message *message)
{
    return message->length > OUTBOX_LARGE_BYTES;
}

/* What a message takes of the room for large ones. */
static size_t large_bytes(const struct node *node)
{
    return outbox_is_large(&node->message) && !node->message.retain ? node->message.length : 0;
}

/* It is in no list any more. */
static void free_node(struct outbox *outbox, struct node *node)
{
    outbox->large_bytes -= large_bytes(node);
    free(node);
}

static struct node **list_of(struct outbox *outbox, const struct node *node)
{
    return outbox_is_large(&node->message) ? &outbox->large : &outbox->waiting;
}

static void note_waiting(struct outbox *outbox, const struct node *node)
{
    outbox->counts.waiting++;
    outbox->counts.large_waiting += outbox_is_large(&node->message);
    outbox->events += !node->message.retain;
}

static void wait_last(struct outbox *outbox, struct node *node)
{
    struct node **list = list_of(outbox, node);

    DL_APPEND(*list, node);
    note_waiting(outbox, node);
}

static void wait_first(struct outbox *outbox, struct node *node)
{
    struct node **list = list_of(outbox, node);

    DL_PREPEND(*list, node);
    note_waiting(outbox, node);
}

static void stop_waiting(struct outbox *outbox, struct node *node)
{
    struct node **list = list_of(outbox, node);

    DL_DELETE(*list, node);
    outbox->counts.waiting--;
    outbox->counts.large_waiting -= outbox_is_large(&node->message);
    outbox->events -= !node->message.retain;
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

/* It takes the older one's place, where both stand in one list. */
static void replace(struct outbox *outbox, struct node *older, struct node *node)
{
    struct node **list = list_of(outbox, node);

    if (list == list_of(outbox, older)) {
        DL_REPLACE_ELEM(*list, older, node);
    } else {
        stop_waiting(outbox, older);
        wait_last(outbox, node);
    }
    free_node(outbox, older);
    outbox->counts.merged++;
}

static enum status put_retained(struct outbox *outbox, struct node *node)
{
    struct node *older;

    if (outbox->counts.waiting == 0) {
        outbox->lone = node;
        wait_last(outbox, node);
        return STATUS_OK;
    }
    index_lone(outbox);
    older = find_retained(outbox, node->message.topic);
    if (older != NULL) {
        forget_in_index(outbox, older);
    }
    if (!add_to_index(outbox, node)) {
        free_node(outbox, node); /* an older one still waits, and only can't be replaced any more */
        return STATUS_NO_MEMORY;
    }
    if (older == NULL) {
        wait_last(outbox, node);
    } else {
        replace(outbox, older, node);
    }
    return STATUS_OK;
}

static bool has_room(const struct outbox *outbox, size_t length)
{
    return outbox->events < outbox->events_max &&
           (length <= OUTBOX_LARGE_BYTES || outbox->large_bytes == 0 ||
            outbox->large_bytes + length <= OUTBOX_LARGE_BYTES_MAX);
}

enum status outbox_put(
    struct outbox *outbox, const char *topic, const char *payload, size_t length, int qos,
    bool retain)
{
    struct node *node;

    if (!retain && !has_room(outbox, length)) {
        outbox->counts.dropped++;
        return STATUS_FULL;
    }
    node = new_node(topic, payload, length, qos, retain);
    if (node == NULL) {
        return STATUS_NO_MEMORY;
    }
    outbox->large_bytes += large_bytes(node);
    if (retain) {
        return put_retained(outbox, node);
    }
    wait_last(outbox, node);
    return STATUS_OK;
}

static size_t small_wire_size(const struct outbox_message *message)
{
    const size_t headers = 9; /* at most: type, length, topic's length, packet id */
    return outbox_is_large(message) ? 0 : headers + strlen(message->topic) + message->length;
}

static struct node *next_node(const struct outbox *outbox)
{
    bool small_first =
        outbox->large == NULL || (outbox->waiting != NULL && outbox->passed < OUTBOX_PASSED_MAX);
    return small_first ? outbox->waiting : outbox->large;
}

const struct outbox_message *outbox_next(const struct outbox *outbox)
{
    const struct node *node = next_node(outbox);
    return node == NULL ? NULL : &node->message;
}

struct outbox_message *outbox_take(struct outbox *outbox)
{
    struct node *node = next_node(outbox);

    if (node == NULL) {
        return NULL;
    }
    outbox->lone = outbox->lone == node ? NULL : outbox->lone;
    outbox->passed = outbox->large == NULL || node == outbox->large ? 0 : outbox->passed + 1;
    stop_waiting(outbox, node);
    DL_APPEND(outbox->in_flight, node);
    forget_in_index(outbox, node);
    outbox->counts.in_flight++;
    outbox->counts.in_flight_bytes += small_wire_size(&node->message);
    return &node->message;
}

static void remove_from_flight(struct outbox *outbox, struct node *node)
{
    DL_DELETE(outbox->in_flight, node);
    outbox->counts.in_flight--;
    outbox->counts.in_flight_bytes -= small_wire_size(&node->message);
}

enum status
outbox_put_first(struct outbox *outbox, const char *topic, const char *payload, size_t length)
{
    struct node *node = new_node(topic, payload, length, 1, false);

    if (node == NULL) {
        return STATUS_NO_MEMORY;
    }
    if (outbox->passed == OUTBOX_PASSED_MAX) {
        outbox->passed--; /* one more, and then it is the large one's turn */
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
        free_node(outbox, node); /* a newer one waits */
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
    free_node(outbox, node);
}

static bool is_kept(const struct outbox_message *message, bool (*perishes)(const char *topic))
{
    return !message->retain && message->qos > 0 && (perishes == NULL || !perishes(message->topic));
}

static void
discard_of(struct outbox *outbox, struct node *list, bool all, bool (*perishes)(const char *topic))
{
    struct node *node;
    struct node *following;

    DL_FOREACH_SAFE(list, node, following)
    {
        if (all || !is_kept(&node->message, perishes)) {
            stop_waiting(outbox, node);
            free_node(outbox, node);
        }
    }
}

static void discard(struct outbox *outbox, bool all, bool (*perishes)(const char *topic))
{
    HASH_CLEAR(hh, outbox->retained);
    outbox->lone = NULL;
    discard_of(outbox, outbox->waiting, all, perishes);
    discard_of(outbox, outbox->large, all, perishes);
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
            free_node(outbox, node);
        }
    }
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
    return outbox->counts;
}
