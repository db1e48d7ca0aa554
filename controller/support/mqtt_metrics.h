/* What the connection to the broker counts, as metrics. */
#ifndef TAGOUT_SUPPORT_MQTT_METRICS_H
#define TAGOUT_SUPPORT_MQTT_METRICS_H

#include "controller/support/mqtt.h"
#include "controller/support/text.h"

void mqtt_metrics_print(const struct mqtt *mqtt, struct text *out);

#endif
