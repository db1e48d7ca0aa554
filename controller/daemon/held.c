/* What is heard while nothing may be said (C12), to be acted upon as soon as it may.
 *
 * A leader that is silent, or that has the lease and still reads Redis, keeps all that machines
 * say, and requests: nobody else answers them. It does so in the order of arrival, and acts upon a
 * bounded number in one turn of the loop. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"

#define HELD_BYTES_MAX ((size_t)8 << 20)
#define HELD_A_TURN 1024

struct held {
    struct held *next;
    bool is_request;
    bool retained;
    bool overflow;
    size_t length;     /* of the payload */
    size_t size;       /* of all this */
    const char *topic; /* behind the payload */
    char payload[];
};

bool held_must_wait(const struct controller *controller)
{
    return !is_at_work(controller) || controller->held.first != NULL;
}

static struct held *take_first(struct held_queue *queue)
{
    struct held *held = queue->first;

    queue->first = held->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    queue->bytes -= held->size;
    return held;
}

static void append(struct held_queue *queue, struct held *held)
{
    held->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = held;
    } else {
        queue->first = held;
    }
    queue->last = held;
    queue->bytes += held->size;
}

/* The oldest gives way: what matters is said again. */
static void make_room(struct controller *controller, size_t size)
{
    struct held_queue *queue = &controller->held;

    while (queue->first != NULL && queue->bytes + size > HELD_BYTES_MAX) {
        controller->counters.held_dropped++;
        free(take_first(queue));
    }
}

static void hold(
    struct controller *controller, const struct held *how, const char *topic, const char *payload,
    size_t length)
{
    size_t topic_size = strlen(topic) + 1;
    size_t size = sizeof(struct held) + length + topic_size;
    struct held *held;

    make_room(controller, size);
    held = size > HELD_BYTES_MAX ? NULL : malloc(size);
    if (held == NULL) {
        controller->counters.held_dropped++;
        return;
    }
    *held = *how;
    held->length = length;
    held->size = size;
    held->topic = held->payload + length;
    memcpy(held->payload, payload, length);
    memcpy(held->payload + length, topic, topic_size);
    append(&controller->held, held);
}

void hold_message(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool retained)
{
    hold(controller, &(struct held){.retained = retained}, topic, payload, length);
}

void hold_request(
    struct controller *controller, const char *topic, const char *payload, size_t length,
    bool overflow)
{
    struct held how = {.is_request = true, .overflow = overflow};

    hold(controller, &how, topic, payload, length);
}

static bool
is_told_beyond(const struct held *held, const char *topic, const struct machine *machine)
{
    struct report report;
    TEXT_LOCAL(why, 256);

    return !held->is_request && strcmp(held->topic, topic) == 0 &&
           report_parse(held->payload, held->length, &report, &why) == STATUS_OK &&
           judge_is_told_beyond(machine, &report);
}

void held_forget_reports(struct controller *controller, const struct machine *machine)
{
    struct held_queue *queue = &controller->held;
    struct held_queue kept = {0};
    char topic[TOPIC_SIZE];

    if (queue->first == NULL || topic_build(
                                    topic, sizeof topic, prefix(controller), TOPIC_REPORT,
                                    machine->record.machine, NULL) != STATUS_OK) {
        return;
    }
    while (queue->first != NULL) {
        struct held *held = take_first(queue);
        if (is_told_beyond(held, topic, machine)) {
            free(held);
        } else {
            append(&kept, held);
        }
    }
    *queue = kept;
}

static void act_upon(struct controller *controller, const struct held *held)
{
    if (held->is_request) {
        take_request(controller, held->topic, held->payload, held->length, held->overflow);
    } else {
        take_machine_message(controller, held->topic, held->payload, held->length, held->retained);
    }
}

/* Whatever is done may end the lead: then the rest is dropped with it. */
void held_tick(struct controller *controller)
{
    if (controller->held.first == NULL || !is_at_work(controller)) {
        return;
    }
    controller_flush(controller); /* what came before */
    for (int i = 0; i < HELD_A_TURN && controller->held.first != NULL && is_at_work(controller);
         i++) {
        struct held *held = take_first(&controller->held);
        act_upon(controller, held);
        free(held);
    }
    controller_flush(controller);
}

struct mono_time held_deadline(const struct controller *controller)
{
    bool waits = controller->held.first != NULL && is_at_work(controller);

    return waits ? controller->now.mono : (struct mono_time){0};
}

void held_drop(struct controller *controller)
{
    while (controller->held.first != NULL) {
        free(take_first(&controller->held));
    }
}
