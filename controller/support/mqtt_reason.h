/* What both kinds of link tell Paho and the owner in the same words: where the broker is, and why
 * there is no connection. */
#ifndef TAGOUT_SUPPORT_MQTT_REASON_H
#define TAGOUT_SUPPORT_MQTT_REASON_H

#include <stddef.h>

#include "controller/support/mqtt_url.h"
#include "controller/support/text.h"

#define MQTT_ADDRESS_SIZE (MQTT_HOST_MAX + 16) /* a scheme, brackets and a port more */
#define MQTT_TLS_REASON_SIZE 160

/* The URL as Paho wants it. */
void mqtt_address(const struct mqtt_url *url, struct text *address);

/* OpenSSL prints its errors one by one; the first is the cause, and only that is kept. */
void mqtt_keep_tls_reason(char tls_reason[MQTT_TLS_REASON_SIZE], const char *string, size_t length);

/* `code` is CONNACK's where the broker refused. */
void mqtt_connect_reason(
    const struct mqtt_url *url, int code, const char *tls_reason, struct text *reason);

#endif
