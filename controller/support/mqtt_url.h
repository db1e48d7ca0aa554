/* Where a broker is: mqtt://host[:port] or mqtts://host[:port], an IPv6 address in brackets.
 *
 * No user or password in it (they have keys of their own, and URLs get logged), no path.
 */
#ifndef TAGOUT_SUPPORT_MQTT_URL_H
#define TAGOUT_SUPPORT_MQTT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define MQTT_PORT 1883
#define MQTTS_PORT 8883
#define MQTT_HOST_MAX 253

struct mqtt_url {
    bool tls;
    char host[MQTT_HOST_MAX + 1]; /* without brackets */
    uint16_t port;
};

MUST_USE enum status mqtt_url_parse(const char *string, struct mqtt_url *ret_url, struct text *why);

#endif
