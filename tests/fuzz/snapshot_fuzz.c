/* watcher.json, which a person may have edited: what is read of it is printed, and read again. */
#include <stdlib.h>
#include <string.h>

#include "controller/watcher/snapshot.h"
#include "tests/fuzz/fuzz.h"

#define BASE 100
#define TURNS_MAX 200

struct memory {
    struct save_timeouts counting;
    struct slack_thread thread;
    struct services services;
    struct certificates certificates;
    struct snapshot snapshot;
};

static void begin(struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->counting.machines = watched_new();
    FUZZ_CHECK(memory->counting.machines != NULL);
    memory->counting.limits =
        (struct save_timeouts_limits){.window_ms = 60000, .threshold = 2, .cooldown_ms = 300000};
    memory->snapshot.counting = &memory->counting;
    memory->snapshot.thread = &memory->thread;
    memory->snapshot.services = &memory->services;
    certificates_add(&memory->certificates, "/etc/tagout/ca/broker.crt");
    memory->snapshot.certificates = &memory->certificates;
}

/* What was read is also lived with: time passes, and news come, of which there is an end. */
static void live(struct memory *memory, struct now now)
{
    struct service_news news;
    struct alert alerts[SAVE_TIMEOUTS_ALERTS_MAX];
    struct save_timeout timeout = {.machine = "saw", .count = 3, .at = now.wall};
    bool is_new;
    int turns = 0;

    services_on_connected(&memory->services, now);
    for (int minute = 0; minute < 3; minute++) {
        now.mono.ms += 60000;
        now.wall.ms += 60000;
        (void)services_tick(&memory->services, now);
        while (services_next(&memory->services, now, &news)) {
            FUZZ_CHECK(++turns < TURNS_MAX);
        }
        FUZZ_CHECK(
            save_timeouts_count(&memory->counting, &timeout, now, alerts, &is_new) <=
            SAVE_TIMEOUTS_ALERTS_MAX);
        timeout.count++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct now now = {.mono = {50000000}, .wall = {INT64_C(1767636000000)}};
    struct memory memory;
    struct memory again;
    size_t length = 0;
    char *printed = NULL;

    begin(&memory);
    begin(&again);
    if (snapshot_read((const char *)data, size, BASE, now, &memory.snapshot) == STATUS_OK) {
        FUZZ_CHECK(memory.snapshot.line <= 0);
        FUZZ_CHECK(strlen(memory.thread.ts) < sizeof memory.thread.ts);
        printed = snapshot_print(&memory.snapshot, BASE, now, &length);
        FUZZ_CHECK(printed != NULL);
        FUZZ_CHECK(snapshot_read(printed, length, BASE, now, &again.snapshot) == STATUS_OK);
        FUZZ_CHECK(again.snapshot.line == memory.snapshot.line);
        live(&memory, now);
    }
    free(printed);
    watched_free(memory.counting.machines);
    watched_free(again.counting.machines);
    return 0;
}
