/* How each program reaches the broker: what `[mqtt]` says (C10.1), as the adapter wants it. */
#ifndef TAGOUT_CONFIG_BROKER_OPTIONS_H
#define TAGOUT_CONFIG_BROKER_OPTIONS_H

#include "controller/config/settings.h"
#include "controller/support/mqtt.h"

/* The client itself, its id, its will and its inboxes, is the caller's to add. Points into the
 * settings. */
struct mqtt_options broker_options(const struct settings *settings);

#endif
