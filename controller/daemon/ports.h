/* What the controller needs of the outside. The real ones (Paho, hiredis, the host's clocks, a
 * thread that reads files) are put together in loop.c; tests put in fakes with faults to order.
 * No port blocks, and none calls back from inside a call.
 */
#ifndef TAGOUT_DAEMON_PORTS_H
#define TAGOUT_DAEMON_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/time.h"
#include "persistence/store.h"

struct broker_port {
    void *context;
    /* Fails only where the message is lost (the outbox is full): counted by whoever calls. */
    enum status (*publish)(
        void *context, const char *topic, const char *payload, size_t length, int qos, bool retain);
    /* Answered by controller_on_subscribed with the same token. */
    enum status (*subscribe)(
        void *context, const char *const filters[], const int qos[], size_t count, int token);
    enum status (*unsubscribe)(void *context, const char *filter);
    /* A round trip over the broker, behind everything that was asked of it before; answered by
     * controller_on_echo with the same number. */
    void (*echo)(void *context, uint32_t number);
    /* Drops what waits to be published; with `events` false, only what is retained or of QoS 0. */
    void (*discard)(void *context, bool events);
    /* How many messages wait to be handed to the broker. May be NULL: none. */
    size_t (*waiting)(void *context);
};

struct host_port {
    void *context;
    struct now (*now)(void *context);
    /* For measuring; NULL: nothing is measured. */
    int64_t (*microseconds)(void *context);
    /* Whether something disciplines the wall clock. */
    bool (*clock_is_synchronised)(void *context);
    /* Reads users and machines off the loop; answered by controller_on_roster. */
    enum status (*read_roster)(void *context);
};

struct controller_ports {
    struct broker_port broker;
    struct host_port host;
    struct store *store;
};

#endif
