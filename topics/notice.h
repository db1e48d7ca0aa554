/* C8.2: one thing that happened, on `event`. */
#ifndef TAGOUT_TOPICS_NOTICE_H
#define TAGOUT_TOPICS_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"
#include "controller/support/version.h"

#define NOTICE_BYTES_MAX 4096

struct notice_payload {
    const char *event_type;
    uint32_t n; /* grows by one with each event of a machine */
    const char *machine;
    const char *display_name;
    const char *user; /* NULL: null; so with every string below */
    const char *account_id;
    const char *source;
    const char *reason;
    const char *text;
    const char *by; /* left out when NULL; so with everything below */
    const char *fault;
    const char *reset_reason; /* reboot, and fault boot_loop: why the box started */
    bool warn_only;
    bool has_session;
    int64_t session_ms;     /* written as `session_s` */
    bool approximate;       /* written as `approx` */
    struct wall_time since; /* when the machine was last heard before */
    const char *last_user;
    bool clock_is_free; /* nothing disciplines the host's clock: `clock` unsynchronised */
    struct version version;
    struct wall_time at;
};

MUST_USE enum status notice_print(const struct notice_payload *notice, struct text *out);

#endif
