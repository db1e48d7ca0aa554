/* Payloads of the firmware: reports and answers out, commands, probes and restarts in (C3, C5).
 *
 * Nothing is allocated, and nothing of libc's printing is used, since that of an ESP32 may know no
 * 64-bit numbers. What comes in is believed only if all of it is right.
 */
#ifndef TAGOUT_ESPHOME_WIRE_H
#define TAGOUT_ESPHOME_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/device.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WIRE_REPORT_SIZE 768
#define WIRE_PONG_SIZE 96
#define WIRE_COMMAND_MAX 900 /* C5 */
#define WIRE_DISPLAY_SIZE 131
#define WIRE_WORD_MAX 32

/* The part of a report that the device does not know. Empty words and NaN are left out. */
struct wire_extra {
    const char *fw;
    const char *reset_reason;
    float wifi_signal_db;
    float wifi_signal_percent;
    float internal_temperature_c;
    float amps;
};

/* Both return the payload's length, 0 if it did not fit. */
size_t wire_report(
    const struct device_report *report, const struct wire_extra *extra,
    char data[WIRE_REPORT_SIZE]);
size_t wire_pong(uint32_t id, const char *boot_id, char data[WIRE_PONG_SIZE]);

/* A command and the texts that it points to: not to be copied. */
struct wire_command {
    struct device_command command;
    char display[WIRE_DISPLAY_SIZE];
    char boot_id[DEVICE_BOOT_ID_SIZE];
};

/* False if the payload is no command; `ret` is then of no use. */
bool wire_read_command(const char *payload, size_t length, struct wire_command *ret);

/* {"id": n, "force": bool} of a probe or a restart; `force` may be missing. */
bool wire_read_id(const char *payload, size_t length, uint32_t *ret_id, bool *ret_force);

#ifdef __cplusplus
}
#endif

#endif
