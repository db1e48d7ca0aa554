/* The options of a client, checked and copied: what every link to the broker is made of. */
#ifndef TAGOUT_SUPPORT_MQTT_SETTINGS_H
#define TAGOUT_SUPPORT_MQTT_SETTINGS_H

#include "controller/support/mqtt.h"
#include "controller/support/mqtt_link.h"

#define MQTT_STRING_MAX 65535 /* MQTT 3.1.1 section 1.5.3 */
#define MQTT_STRINGS 8

struct mqtt_settings {
    struct mqtt_link_options link; /* points into `strings` */
    char *strings[MQTT_STRINGS];
};

/* `why` names the option that is wrong. */
MUST_USE enum status mqtt_settings_make(
    const struct mqtt_options *options, struct mqtt_settings *ret_settings, struct text *why);
void mqtt_settings_free(struct mqtt_settings *settings);

#endif
