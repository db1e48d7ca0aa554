#include "tests/scenario/device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/world.h"

/* A machine that was switched on long before the controller first heard of it. */
#define USUAL_UPTIME_MS 1000000
#define BOOT_MS 2000

struct telling {
    struct report report;
    bool retained;
    bool other_boot; /* said to be of another boot than the device's own */
    bool no_ack;
    bool says_uptime; /* and goes on from there */
};

static void start_boot(struct device *device, int64_t booted_ms)
{
    TEXT_LOCAL(boot_id, REPORT_BOOT_SIZE);

    device->boots++;
    text_addf(&boot_id, "%.24s-%u", device->name, device->boots);
    text_copy(device->boot_id, sizeof device->boot_id, boot_id.data);
    device->booted_ms = booted_ms;
    device->seq = 0;
    device->applied = (struct version){0};
}

void device_take_command(struct device *device, const struct command *command)
{
    device->command = *command;
    device->has_command = true;
    if (strcmp(command->boot_id, device->boot_id) == 0 &&
        version_compare(command->version, device->applied) >= 0) {
        device->applied = command->version;
        device->applied_oops = command->oops_led;
        device->applied_lockout = command->lockout;
    }
}

/* E.R, with +oops and +lockout behind it. */
static bool read_ack(struct report *report, const char *word)
{
    char *end = NULL;
    unsigned long long epoch = strtoull(word, &end, 10);

    if (end == word || *end != '.') {
        return false;
    }
    report->has_ack = true;
    report->ack.epoch = epoch;
    report->ack.rev = (uint32_t)strtoul(end + 1, &end, 10);
    report->ack_oops = strstr(end, "+oops") != NULL;
    report->ack_lockout = strstr(end, "+lockout") != NULL;
    return true;
}

static bool read_number(struct telling *telling, struct words *words, bool *ret_good)
{
    static const struct {
        const char *word;
        enum report_number number;
    } numbers[] = {
        {"amps", REPORT_AMPS},
        {"signal", REPORT_WIFI_SIGNAL_DB},
        {"temperature", REPORT_INTERNAL_TEMPERATURE_C},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (words_take(words, numbers[i].word)) {
            telling->report.has_number[numbers[i].number] = true;
            *ret_good = words_number(words, &telling->report.number[numbers[i].number]);
            return true;
        }
    }
    return false;
}

static bool read_count(struct telling *telling, struct words *words, bool *ret_good)
{
    double number = 0;

    if (words_take(words, "uptime")) {
        *ret_good = words_number(words, &telling->report.uptime_s);
        telling->says_uptime = true;
    } else if (words_take(words, "seq")) {
        *ret_good = words_number(words, &number);
        telling->report.seq = (uint32_t)number;
    } else if (words_take(words, "no seq")) {
        telling->report.seq = 0;
    } else {
        return false;
    }
    return true;
}

static bool read_boot(struct telling *telling, struct words *words, bool *ret_good)
{
    struct report *report = &telling->report;

    if (words_take(words, "boot")) {
        text_copy(report->boot_id, sizeof report->boot_id, words_next(words));
        telling->other_boot = true;
    } else if (words_take(words, "no boot id")) {
        report->boot_id[0] = '\0';
        telling->other_boot = true;
    } else if (words_take(words, "no ack")) {
        telling->no_ack = true;
    } else if (words_take(words, "ack")) {
        telling->no_ack = true;
        *ret_good = read_ack(report, words_next(words));
    } else {
        return false;
    }
    return true;
}

static bool read_relay(struct telling *telling, struct words *words, bool *ret_good)
{
    bool on = false;

    if (!words_take(words, "relay")) {
        return false;
    }
    *ret_good = words_switch(words, &on);
    telling->report.relay_state = on ? REPORT_RELAY_ON : REPORT_RELAY_OFF;
    return true;
}

static bool read_word(struct telling *telling, struct words *words)
{
    struct report *report = &telling->report;
    bool good = true;

    if (words_take(words, "card none")) {
        report->card[0] = '\0';
    } else if (words_take(words, "card")) {
        text_copy(report->card, sizeof report->card, words_next(words));
    } else if (words_take(words, "oops")) {
        report->oops = true;
    } else if (words_take(words, "emergency")) {
        report->emergency = true;
    } else if (words_take(words, "firmware")) {
        text_copy(report->fw, sizeof report->fw, words_next(words));
    } else if (words_take(words, "because of")) {
        text_copy(report->reset_reason, sizeof report->reset_reason, words_next(words));
    } else if (words_take(words, "reader")) {
        report->has_reader_ok = true;
        report->reader_ok = words_take(words, "good");
        return report->reader_ok || words_take(words, "bad");
    } else if (words_take(words, "retained")) {
        telling->retained = true;
    } else {
        return (read_number(telling, words, &good) || read_count(telling, words, &good) ||
                read_boot(telling, words, &good) || read_relay(telling, words, &good)) &&
               good;
    }
    return true;
}

void device_send(
    struct world *world, struct device *device, enum topic_id id, const char *payload, bool retain)
{
    char topic[TOPIC_SIZE];

    if (topic_build(topic, sizeof topic, BROKER_PREFIX, id, device->name, NULL) != STATUS_OK) {
        world_fail(world, "no topic for %s", device->name);
        return;
    }
    if (world->broker_is_up) {
        broker_send(&world->broker, topic, payload, strlen(payload), retain, false);
    }
}

static void
tell(struct world *world, struct device *device, struct telling *telling, bool first_of_boot)
{
    struct report *report = &telling->report;
    struct text payload = text_over(device->last_report, sizeof device->last_report);

    if (!telling->no_ack && !telling->other_boot && device->applied.epoch > 0) {
        report->has_ack = true;
        report->ack = device->applied;
        report->ack_oops = device->applied_oops;
        report->ack_lockout = device->applied_lockout;
    }
    if (report_print(report, &payload) != STATUS_OK) {
        world_fail(world, "the report is too long");
        return;
    }
    if (!first_of_boot && report->card[0] != '\0' && strcmp(report->card, device->card) != 0) {
        device->inserted = true;
    }
    text_copy(device->card, sizeof device->card, report->card);
    if (!telling->other_boot && report->seq > device->seq) {
        device->seq = report->seq;
    }
    if (telling->says_uptime) {
        device->booted_ms = world->clock_ms - (int64_t)(report->uptime_s * 1000);
    }
    device_send(world, device, TOPIC_REPORT, device->last_report, telling->retained);
}

static void report(struct world *world, struct words *words, struct device *device, bool boots)
{
    struct telling telling = {0};

    if (boots) {
        start_boot(device, world->clock_ms - BOOT_MS);
        device->inserted = false;
    } else if (device->boots == 0) {
        start_boot(device, world->clock_ms - USUAL_UPTIME_MS);
        device->inserted = true;
    }
    text_copy(telling.report.boot_id, sizeof telling.report.boot_id, device->boot_id);
    text_copy(telling.report.card, sizeof telling.report.card, boots ? "" : device->card);
    telling.report.seq = device->seq + 1;
    telling.report.uptime_s = (double)(world->clock_ms - device->booted_ms) / 1000;
    while (!words_end(words)) {
        if (!read_word(&telling, words)) {
            world_fail(world, "no report has \"%s\" in it", words_peek(words));
            return;
        }
    }
    tell(world, device, &telling, boots);
}

void device_report(struct world *world, struct device *device)
{
    const struct line nothing = {0};
    struct words words = {.line = &nothing};

    report(world, &words, device, false);
}

bool device_play(struct world *world, struct words *words)
{
    size_t start = words->at;
    const char *name = words_next(words);

    if (words_take(words, "reports")) {
        report(world, words, world_device(world, name), false);
    } else if (words_take(words, "boots")) {
        report(world, words, world_device(world, name), true);
    } else if (words_take(words, "repeats its report")) {
        struct device *device = world_device(world, name);
        device_send(world, device, TOPIC_REPORT, device->last_report, false);
    } else if (words_take(words, "sends retained")) {
        device_send(world, world_device(world, name), TOPIC_REPORT, words_next(words), true);
    } else if (words_take(words, "sends")) {
        device_send(world, world_device(world, name), TOPIC_REPORT, words_next(words), false);
    } else if (words_take(words, "link")) {
        device_send(world, world_device(world, name), TOPIC_LINK, words_next(words), true);
    } else if (!life_play(world, world_find_device(world, name), words)) {
        words->at = start;
        return false;
    }
    return true;
}
