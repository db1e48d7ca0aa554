/* C3: what a device tells. */
#ifndef TAGOUT_TOPICS_REPORT_H
#define TAGOUT_TOPICS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/card.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/version.h"
#include "topics/member.h"

#define REPORT_BYTES_MAX 4096
#define REPORT_CARD_SIZE CARD_SIZE
#define REPORT_BOOT_SIZE 33
#define REPORT_WORD_SIZE 129 /* 32 characters of UTF-8 */

enum report_relay {
    REPORT_RELAY_ABSENT,
    REPORT_RELAY_OFF,
    REPORT_RELAY_ON,
};

enum report_number {
    REPORT_WIFI_SIGNAL_DB,
    REPORT_WIFI_SIGNAL_PERCENT,
    REPORT_INTERNAL_TEMPERATURE_C,
    REPORT_AMPS,
    REPORT_NUMBER_COUNT,
};

struct report {
    bool oops;
    char card[REPORT_CARD_SIZE]; /* left-padded with 0 to 10 characters; "" for none */
    double uptime_s;
    char boot_id[REPORT_BOOT_SIZE]; /* "" when absent */
    uint32_t seq;                   /* 0 when absent */
    bool has_ack;
    struct version ack;
    bool ack_oops;
    bool ack_lockout;
    enum report_relay relay_state;
    enum report_relay second_relay_state;
    bool feedback_is_contact; /* relay_feedback */
    bool has_feedback;
    bool emergency;
    bool has_reader_ok;
    bool reader_ok;
    char fw[REPORT_WORD_SIZE]; /* "" when absent */
    char reset_reason[REPORT_WORD_SIZE];
    bool has_number[REPORT_NUMBER_COUNT];
    double number[REPORT_NUMBER_COUNT];
};

/* All or nothing. `why` gets the reason in one line: what, and where (`/ack/rev: ...`). */
MUST_USE enum status
report_parse(const char *payload, size_t length, struct report *ret_report, struct text *why);

/* The same, and where it fails what kind of flaw it has, for counting. */
MUST_USE enum status report_parse_flaw(
    const char *payload, size_t length, struct report *ret_report, struct text *why,
    enum member_flaw *ret_flaw);

/* The wire's key of a number, e.g. "amps". */
const char *report_number_key(enum report_number number);

/* Writes a report, as a device does: the simulator's and the tests' half. */
MUST_USE enum status report_print(const struct report *report, struct text *out);

#endif
