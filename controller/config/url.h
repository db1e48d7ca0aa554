/* The shapes of the addresses in tagout.ini. Each check writes the complete form, with the port
 * and the database that were left out, so that nobody behind has defaults of his own. */
#ifndef TAGOUT_CONFIG_URL_H
#define TAGOUT_CONFIG_URL_H

#include <stdbool.h>

#include "controller/support/text.h"

/* mqtt://host[:1883], mqtts://host[:8883] */
bool url_mqtt(const char *value, struct text *ret_url);

/* redis://host[:6379][/0], unix:///path */
bool url_redis(const char *value, struct text *ret_url);

/* http://host[:port][/path] and https; a slash at the end is dropped */
bool url_http(const char *value, struct text *ret_url);

/* 127.0.0.1:9464 or [::1]:9464: numbers only; port 0 lets the system choose */
bool url_address(const char *value);

/* Whether all that is wrong may be the port: a number, but none from 1 to 65535. */
bool url_port_is_off(const char *value);

/* A URL with a user, a password or a query may hold a secret, and none is wanted here. */
bool url_may_hold_a_secret(const char *value);

#endif
