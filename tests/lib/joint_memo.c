#include <stdlib.h>
#include <string.h>

#include "tests/lib/joint_step.h"

#define SLOTS_MIN 4096

/* An event, the end that it happens to, and the message that it brings. */
struct question {
    uint8_t event;
    uint8_t end[sizeof(struct joint_device)];
    uint8_t message[sizeof(struct joint_command)];
};

_Static_assert(sizeof(struct joint_core) <= sizeof(struct joint_device), "an end");
_Static_assert(sizeof(struct joint_report) <= sizeof(struct joint_command), "a message");

struct entry {
    bool used;
    struct question question;
    union {
        struct joint_device_step device;
        struct joint_core_step core;
    };
};

struct joint_memo {
    const struct joint_world *world;
    struct entry *entries;
    size_t count;
    size_t slots;
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

struct joint_memo *joint_memo_new(const struct joint_world *world)
{
    struct joint_memo *memo = allocate(1, sizeof *memo);

    memo->world = world;
    memo->slots = SLOTS_MIN;
    memo->entries = allocate(memo->slots, sizeof *memo->entries);
    return memo;
}

void joint_memo_free(struct joint_memo *memo)
{
    if (memo != NULL) {
        free(memo->entries);
        free(memo);
    }
}

static struct entry *find(struct joint_memo *memo, const struct question *question)
{
    uint64_t words[(sizeof *question + 7) / 8] = {0};
    uint64_t value = 0;
    size_t slot = 0;

    memcpy(words, question, sizeof *question);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        value = (value ^ words[i]) * 0x9E3779B97F4A7C15u;
        value ^= value >> 29;
    }
    slot = (size_t)value & (memo->slots - 1);
    while (memo->entries[slot].used &&
           memcmp(&memo->entries[slot].question, question, sizeof *question) != 0) {
        slot = (slot + 1) & (memo->slots - 1);
    }
    return &memo->entries[slot];
}

static struct entry *add(struct joint_memo *memo, const struct question *question)
{
    struct entry *entry = NULL;

    if (memo->count * 2 > memo->slots) {
        struct entry *old = memo->entries;
        size_t slots = memo->slots;

        memo->slots *= 2;
        memo->entries = allocate(memo->slots, sizeof *memo->entries);
        for (size_t i = 0; i < slots; i++) {
            if (old[i].used) {
                *find(memo, &old[i].question) = old[i];
            }
        }
        free(old);
    }
    memo->count++;
    entry = find(memo, question);
    entry->used = true;
    entry->question = *question;
    return entry;
}

const struct joint_device_step *joint_memo_device(
    struct joint_memo *memo, enum joint_event event, const struct joint_device *before,
    const struct joint_command *command)
{
    static const struct joint_command none;
    const struct joint_command *message = command != NULL ? command : &none;
    struct question question = {.event = (uint8_t)event};
    struct entry *entry = NULL;

    memcpy(question.end, before, sizeof *before);
    memcpy(question.message, message, sizeof *message);
    entry = find(memo, &question);
    if (!entry->used) {
        entry = add(memo, &question);
        joint_device_step(memo->world, event, before, message, &entry->device);
    }
    return &entry->device;
}

const struct joint_core_step *joint_memo_core(
    struct joint_memo *memo, enum joint_event event, const struct joint_core *before,
    const struct joint_report *report)
{
    static const struct joint_report none;
    const struct joint_report *message = report != NULL ? report : &none;
    struct question question = {.event = (uint8_t)event};
    struct entry *entry = NULL;

    memcpy(question.end, before, sizeof *before);
    memcpy(question.message, message, sizeof *message);
    entry = find(memo, &question);
    if (!entry->used) {
        entry = add(memo, &question);
        joint_core_step(memo->world, event, before, message, &entry->core);
    }
    return &entry->core;
}
