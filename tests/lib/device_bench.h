/* A device on a bench: a clock that is turned by hand, and what it last put out. */
#ifndef TAGOUT_TESTS_LIB_DEVICE_BENCH_H
#define TAGOUT_TESTS_LIB_DEVICE_BENCH_H

#include "devices/device.h"

#define BENCH_BOOT "boot-1"
#define BENCH_ADA "0000000001"
#define BENCH_BOB "0000000002"

struct bench {
    struct device_config config;
    struct device device;
    struct device_outputs out;
    struct device_keep flash;    /* what was saved last */
    struct device_report report; /* what was reported last */
    unsigned reports;            /* reports since bench_clear */
    unsigned saves;              /* writes to flash, likewise */
    unsigned connects;           /* attempts to connect, likewise */
    unsigned reboots;            /* likewise */
    unsigned switched_on[DEVICE_RELAYS];
    uint64_t switched_on_ms[DEVICE_RELAYS];
    uint32_t rev; /* of the last command made */
    uint64_t now_ms;
};

/* A device that has just booted, at 1000 s, its broker not yet reached. */
void bench_boot(struct bench *bench);

/* Booted, connected, the reader seen empty, the first report answered: idle. */
void bench_idle(struct bench *bench);

/* Idle, then a card put in, reported and not yet answered. */
void bench_card(struct bench *bench, const char *card);

/* ... and answered by an "on". */
void bench_session(struct bench *bench);

/* A boot in the place of the running one, with what flash holds. */
void bench_power_cut(struct bench *bench, const char *boot_id);

void bench_clear(struct bench *bench);

/* Turns the clock, with a tick at each deadline. */
void bench_wait(struct bench *bench, uint64_t ms);

void bench_event(struct bench *bench, enum device_event_type type);
void bench_card_in(struct bench *bench, const char *card);
void bench_emergency_card_in(struct bench *bench, const char *card);
void bench_take(struct bench *bench, struct device_command command);

/* Answers to the last report, each newer than all before. */
struct device_command bench_off(struct bench *bench);
struct device_command bench_on(struct bench *bench);
struct device_command bench_always_on(struct bench *bench);
struct device_command bench_oops(struct bench *bench);
struct device_command bench_lockout(struct bench *bench);

/* Whether the display shows the text. */
bool bench_shows(const struct bench *bench, const char *text);

#endif
