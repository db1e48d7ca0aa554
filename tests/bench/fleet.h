/* Machines for load: what each says next, and what it was told last. They obey at once. */
#ifndef TAGOUT_BENCH_FLEET_H
#define TAGOUT_BENCH_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_TOPIC_SIZE 128
#define BENCH_REPORT_SIZE 512

enum bench_mix {
    BENCH_HEARTBEATS, /* nothing changes */
    BENCH_SWIPES,     /* each report tells of a card put in, or taken out */
    BENCH_MIXED,      /* one in ten does */
};

struct bench_machine {
    uint32_t seq;   /* of its newest report */
    uint64_t epoch; /* of the newest command */
    uint32_t rev;
    bool relay;
    bool card_in;
    bool waiting; /* its newest report is not answered yet */
    int64_t sent_ns;
};

/* The name of machine `index`: m00000, m00001, ... */
void bench_topic(
    char ret_topic[BENCH_TOPIC_SIZE], const char *prefix, size_t index, const char *name);

/* Which machine a topic of theirs is about. */
size_t bench_index(const char *topic, const char *prefix);

/* Its next report; returns the length. `card` is the number of the card that is put in. */
size_t bench_report(
    struct bench_machine *machine, enum bench_mix mix, const char *card,
    char ret_payload[BENCH_REPORT_SIZE]);

/* A command, or an echo of the report. True: it answers the newest report. */
bool bench_answer(struct bench_machine *machine, const char *payload, size_t length);

#endif
