/* C5: what a device must show and switch. */
#ifndef TAGOUT_TOPICS_COMMAND_H
#define TAGOUT_TOPICS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/version.h"
#include "topics/report.h"

#define COMMAND_BYTES_MAX 900 /* with its topic: the least buffer of an ESP32 */
#define COMMAND_LINES 2
#define COMMAND_COLUMNS 16
#define COMMAND_DISPLAY_SIZE (COMMAND_LINES * (COMMAND_COLUMNS * 4 + 1) + 1)

struct command {
    bool relay;
    bool second_relay;
    char display[COMMAND_DISPLAY_SIZE];
    bool oops_led;
    bool lockout;
    double rgb[3];
    double brightness;
    bool needs_card;
    bool second_needs_card;
    char boot_id[REPORT_BOOT_SIZE]; /* "" is written as null */
    uint32_t seq;                   /* 0 is written as null */
    struct version version;
};

/* Cuts a display text to 2 lines of 16 characters each (characters, not bytes). */
void command_cut_display(char ret_display[COMMAND_DISPLAY_SIZE], const char *text);

MUST_USE enum status command_print(const struct command *command, struct text *out);

MUST_USE enum status
command_parse(const char *payload, size_t length, struct command *ret_command, struct text *why);

#endif
