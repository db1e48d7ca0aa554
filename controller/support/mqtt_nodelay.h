/* Finds Paho's socket and turns Nagle's algorithm off on it.
 *
 * Paho 1.3.12 neither does it nor lends its socket, and a small message then waits 40 ms for the
 * broker's delayed acknowledgement. So, at each connect, every TCP socket of this process whose
 * peer has the broker's port is looked at; one that has received something is a connection that
 * has come to life, and gets TCP_NODELAY.
 */
#ifndef TAGOUT_SUPPORT_MQTT_NODELAY_H
#define TAGOUT_SUPPORT_MQTT_NODELAY_H

#include <stdbool.h>
#include <stdint.h>

/* Returns the descriptor where exactly one socket was new, and -1 where none or several were. */
int mqtt_nodelay(uint16_t port);

/* Whether a descriptor is a TCP socket whose peer has that port. */
bool mqtt_nodelay_is_peer(int fd, uint16_t port);

#endif
