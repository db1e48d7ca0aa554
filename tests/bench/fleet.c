#include "tests/bench/fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIXED_EACH 10
#define MACHINE_LEVEL "/machine/m"

void bench_topic(
    char ret_topic[BENCH_TOPIC_SIZE], const char *prefix, size_t index, const char *name)
{
    (void)snprintf(ret_topic, BENCH_TOPIC_SIZE, "%s" MACHINE_LEVEL "%05zu/%s", prefix, index, name);
}

size_t bench_index(const char *topic, const char *prefix)
{
    return strtoul(topic + strlen(prefix) + sizeof MACHINE_LEVEL - 1, NULL, 10);
}

size_t bench_report(
    struct bench_machine *machine, enum bench_mix mix, const char *card,
    char ret_payload[BENCH_REPORT_SIZE])
{
    machine->seq++;
    if (mix == BENCH_SWIPES || (mix == BENCH_MIXED && machine->seq % MIXED_EACH == 0)) {
        machine->card_in = !machine->card_in;
    }
    return (size_t)snprintf(
        ret_payload, BENCH_REPORT_SIZE,
        "{\"oops\":false,\"rfid_value\":\"%s\",\"uptime\":%" PRIu32 ".5,\"boot_id\":\"bench\","
        "\"seq\":%" PRIu32 ",\"ack\":{\"epoch\":%" PRIu64 ",\"rev\":%" PRIu32
        ",\"oops\":false,\"lockout\":false},\"relay_state\":%s,\"fw\":\"1.0.0\","
        "\"wifi_signal_percent\":71,\"internal_temperature_c\":41.5}",
        machine->card_in ? card : "", machine->seq, machine->seq, machine->epoch, machine->rev,
        machine->relay ? "true" : "false");
}

/* Keys are looked for as they are printed; a command and a report have each at most once. */
static const char *value_of(const char *payload, size_t length, const char *key)
{
    const char *at = memmem(payload, length, key, strlen(key));
    return at == NULL ? NULL : at + strlen(key);
}

bool bench_answer(struct bench_machine *machine, const char *payload, size_t length)
{
    const char *seq = value_of(payload, length, "\"seq\":");
    const char *relay = value_of(payload, length, "\"relay\":");
    const char *epoch = value_of(payload, length, "\"epoch\":");
    const char *rev = value_of(payload, length, "\"rev\":");

    if (seq == NULL || strtoul(seq, NULL, 10) < machine->seq) {
        return false;
    }
    if (relay != NULL && epoch != NULL && rev != NULL) {
        machine->relay = *relay == 't';
        machine->epoch = strtoull(epoch, NULL, 10);
        machine->rev = (uint32_t)strtoul(rev, NULL, 10);
    }
    return true;
}
