/* C8.1: what the controller knows of a machine, for dashboards, Home Assistant and, read back at a
 * start, for the controller itself (C9.4).
 *
 * The strings of the struct are borrowed: by the writer from the machine, by the reader from
 * the `struct state_copy` that holds the parsed document. Words (mode, health, …) travel as
 * strings; what they mean is the core's business.
 */
#ifndef TAGOUT_TOPICS_STATE_H
#define TAGOUT_TOPICS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/json.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "controller/support/version.h"

#define STATE_BYTES_MAX 8192
#define STATE_FAULTS_MAX 32

struct state_payload {
    const char *machine;
    const char *display_name;
    const char *health;
    const char *mode;
    bool relay;
    const char *confirmed;
    bool second_relay;
    const char *second_relay_authorization; /* NULL: null */
    bool oops;
    const char *oops_by;      /* NULL: null; so with every string below */
    struct wall_time oops_at; /* {0}: null; so with every time below */
    bool lockout;
    const char *lockout_by;
    const char *lockout_reason;
    struct wall_time lockout_at;
    bool override;
    bool emergency;
    const char *user;
    const char *account_id;
    const char *display;
    struct wall_time session_since;
    struct wall_time last_update;
    struct wall_time booted_at;
    const char *boot_id;
    uint32_t seq; /* of the boot's last report, when this was said; 0: null */
    const char *fw;
    const char *card;     /* keyed hash, or NULL */
    const char *card_key; /* which key made it: a fingerprint, never the key; or NULL */
    bool card_spent;      /* the card opens nothing until it changes */
    bool problem;
    const char *faults[STATE_FAULTS_MAX];
    size_t fault_count;
    uint32_t save_timeouts;
    uint32_t event_n; /* C8.2 `n` of the last event, so that its counting survives too */
    struct version version;
};

MUST_USE enum status state_print(const struct state_payload *state, struct text *out);

/* A parsed `state`, with what its strings point into. */
struct state_copy {
    struct state_payload state;
    struct json *document;
};

/* Keys that are missing are as if null or false, but for machine, mode, oops, lockout, epoch and
 * rev, without which it is an error. Freed by state_copy_free. */
MUST_USE enum status
state_parse(const char *payload, size_t length, struct state_copy *ret_copy, struct text *why);
void state_copy_free(struct state_copy *copy);

#endif
