/* The command line of tagout-sim. */
#ifndef TAGOUT_SIM_OPTIONS_H
#define TAGOUT_SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "devices/device.h"
#include "devices/sim/cards.h"
#include "topics/topic.h"

#define OPTIONS_MACHINES_MAX 5000
#define OPTIONS_LINES_MAX 100

struct option_machine {
    char name[TOPIC_MACHINE_MAX + 1];
    bool second_relay;
    size_t *trained; /* places of the cards whose holders may use it */
    size_t trained_count;
};

struct options {
    const char *url;
    const char *prefix;
    const char *account;
    const char *username;
    const char *password; /* from the environment */
    const char *ca_file;
    bool really;
    bool take_over;
    struct option_machine *machines;
    size_t machine_count;
    struct cards cards;
    double life;
    bool has_seed;
    uint32_t seed;
    const char *scenario;
    const char *control; /* "-": standard input */
    const char *lines[OPTIONS_LINES_MAX];
    size_t line_count;
    bool stay;
    double pace;
    struct device_config config;
    int64_t boot_ms;
    bool quiet;
    bool json;
    bool colour;
};

/* -1 to go on, else the exit status; what is wrong has been said. */
int options_read(int count, char *values[], struct options *ret_options);
void options_free(struct options *options);

#endif
