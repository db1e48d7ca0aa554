/* What the files of the loop share: loop.c (its life, from the start to the goodbye), loop_events.c
 * (what arrives), loop_ports.c (what the controller asks of the world). For nobody else. */
#ifndef TAGOUT_DAEMON_LOOP_INSIDE_H
#define TAGOUT_DAEMON_LOOP_INSIDE_H

#include "controller/daemon/controller.h"
#include "controller/daemon/echo.h"
#include "controller/daemon/roster_reader.h"
#include "controller/support/event_loop.h"
#include "controller/support/inbox.h"
#include "controller/support/mqtt.h"
#include "controller/support/supervisor.h"

/* Of the subscription to what the controller says to itself; the controller's own are below. */
#define ECHO_TOKEN 1000

struct metrics;

struct loop {
    const struct settings *settings;
    struct event_loop events;
    struct inbox *inbox;
    struct inbox *requests;
    struct mqtt *mqtt;
    struct store *store;
    struct roster_reader *reader;
    struct metrics *metrics;
    struct controller *controller;
    struct supervisor supervisor;
    struct echo echo;
    bool clock_is_synchronised;
    struct mono_time clock_asked;
    bool stopping;
    bool said_ready;
    struct mono_time end_by; /* once it stops */
};

/* ---- loop_ports.c ---- */

/* All but the store, which comes later. */
struct controller_ports loop_ports(struct loop *loop);

/* ---- loop_events.c ---- */

/* Signals, and what the inboxes hold. */
MUST_USE enum status loop_listen(struct loop *loop);
/* The broker's socket. */
MUST_USE enum status loop_listen_to_broker(struct loop *loop);
/* A roster_reader_done. */
void loop_on_roster(void *context, struct roster *roster, const char *why);

#endif
