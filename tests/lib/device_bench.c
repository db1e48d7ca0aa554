#include "tests/lib/device_bench.h"

#include <stdio.h>
#include <string.h>

static void step(struct bench *bench, const struct device_event *event)
{
    bool before[DEVICE_RELAYS] = {bench->out.relay[0], bench->out.relay[1]};

    device_step(&bench->config, &bench->device, event, &bench->out);
    for (int i = 0; i < DEVICE_RELAYS; i++) {
        if (bench->out.relay[i] && !before[i]) {
            bench->switched_on[i]++;
            bench->switched_on_ms[i] = bench->now_ms;
        }
    }
    if (bench->out.save) {
        bench->flash = bench->out.keep;
        bench->saves++;
    }
    if (bench->out.send_report) {
        bench->report = bench->out.report;
        bench->reports++;
    }
    bench->connects += bench->out.connect;
    bench->reboots += bench->out.reboot;
}

void bench_event(struct bench *bench, enum device_event_type type)
{
    struct device_event event = {.type = type, .now_ms = bench->now_ms};

    step(bench, &event);
}

void bench_power_cut(struct bench *bench, const char *boot_id)
{
    struct device_event event = {
        .type = DEVICE_EVENT_BOOT,
        .now_ms = bench->now_ms,
        .boot = {.boot_id = boot_id, .seed = 7, .keep = bench->flash},
    };

    step(bench, &event);
}

void bench_boot(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    device_config_default(&bench->config);
    bench->config.second_relay = true;
    bench->now_ms = 1000000;
    bench_power_cut(bench, BENCH_BOOT);
}

void bench_idle(struct bench *bench)
{
    bench_boot(bench);
    bench_event(bench, DEVICE_EVENT_LINK_UP);
    bench_event(bench, DEVICE_EVENT_CARD_OUT);
    bench_take(bench, bench_off(bench));
    bench_wait(bench, bench->config.confirm_out_ms);
    bench_clear(bench);
}

void bench_card(struct bench *bench, const char *card)
{
    bench_idle(bench);
    bench_card_in(bench, card);
}

void bench_session(struct bench *bench)
{
    bench_card(bench, BENCH_ADA);
    bench_take(bench, bench_on(bench));
    bench_take(bench, bench_on(bench));
    bench_clear(bench);
}

void bench_clear(struct bench *bench)
{
    bench->reports = 0;
    bench->saves = 0;
    bench->connects = 0;
    bench->reboots = 0;
    memset(bench->switched_on, 0, sizeof bench->switched_on);
}

void bench_wait(struct bench *bench, uint64_t ms)
{
    uint64_t until = bench->now_ms + ms;

    while (bench->out.next_deadline_ms < until) {
        if (bench->out.next_deadline_ms > bench->now_ms) {
            bench->now_ms = bench->out.next_deadline_ms;
        }
        bench_event(bench, DEVICE_EVENT_TICK);
    }
    bench->now_ms = until;
    bench_event(bench, DEVICE_EVENT_TICK);
}

static void card_in(struct bench *bench, const char *card, bool emergency)
{
    struct device_event event = {
        .type = DEVICE_EVENT_CARD_IN,
        .now_ms = bench->now_ms,
        .card = {.card = card, .emergency = emergency},
    };

    step(bench, &event);
}

void bench_card_in(struct bench *bench, const char *card)
{
    card_in(bench, card, false);
}

void bench_emergency_card_in(struct bench *bench, const char *card)
{
    card_in(bench, card, true);
}

void bench_take(struct bench *bench, struct device_command command)
{
    struct device_event event = {
        .type = DEVICE_EVENT_COMMAND, .now_ms = bench->now_ms, .command = command};

    step(bench, &event);
}

struct device_command bench_off(struct bench *bench)
{
    struct device_command command = {
        .display = "Please Insert\nRFID Card",
        .needs_card = true,
        .second_needs_card = true,
        .boot_id = bench->device.boot_id,
        .seq = bench->report.seq,
        .version = {.epoch = 5, .rev = ++bench->rev},
    };

    return command;
}

struct device_command bench_on(struct bench *bench)
{
    struct device_command command = bench_off(bench);

    command.relay = true;
    command.display = "Welcome,\nAda";
    return command;
}

struct device_command bench_always_on(struct bench *bench)
{
    struct device_command command = bench_on(bench);

    command.display = "Always On";
    command.needs_card = false;
    return command;
}

struct device_command bench_oops(struct bench *bench)
{
    struct device_command command = bench_off(bench);

    command.display = "Oops!! Please\ncheck/post Slack";
    command.oops_led = true;
    return command;
}

struct device_command bench_lockout(struct bench *bench)
{
    struct device_command command = bench_off(bench);

    command.display = "Down for\nmaintenance";
    command.lockout = true;
    return command;
}

bool bench_shows(const struct bench *bench, const char *text)
{
    char shown[2 * (DEVICE_LCD_COLUMNS + 1) + 1];

    snprintf(
        shown, sizeof shown, "%s%s%s", bench->out.lcd[0], bench->out.lcd[1][0] ? "\n" : "",
        bench->out.lcd[1]);
    if (strcmp(shown, text) != 0) {
        fprintf(stderr, "the display shows \"%s\", not \"%s\"\n", shown, text);
        return false;
    }
    return true;
}
