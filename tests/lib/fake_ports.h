/* The controller's ports as a test holds them: a broker that notes what it is asked, a host with
 * the test's own clock. What is published or subscribed to is handed to the test, where it wants
 * that. */
#ifndef TAGOUT_TESTS_FAKE_PORTS_H
#define TAGOUT_TESTS_FAKE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/daemon/controller.h"

/* Some morning; the monotonic clock began long before. */
#define FAKE_MORNING                                                                               \
    (struct now)                                                                                   \
    {                                                                                              \
        .mono = {5000}, .wall = { 1767636000000 }                                                  \
    }

struct fake_ports {
    struct now now;
    int token;       /* of the last subscription */
    uint32_t echo;   /* the last one that was asked for */
    char marker[64]; /* the last one that was published */
    size_t waiting;  /* in the outbox, as far as the controller is told */
    unsigned discards;
    enum status roster_read; /* what comes of asking for it */
    /* NULL: nobody looks. */
    enum status (*on_publish)(
        const char *topic, const char *payload, size_t length, int qos, bool retain);
    void (*on_filter)(const char *filter);
};

/* `fake` is borrowed. */
struct controller_ports fake_ports(struct fake_ports *fake);

/* The broker accepts it, has told all that it retains, and echoes. */
void fake_ports_connect(struct fake_ports *fake, struct controller *controller);
/* It grants the last subscription. */
void fake_ports_grant(struct fake_ports *fake, struct controller *controller);
void fake_ports_hear_marker(struct fake_ports *fake, struct controller *controller);

/* Time goes by in a loop that does not turn. */
void fake_ports_pass(struct fake_ports *fake, int64_t ms);

#endif
