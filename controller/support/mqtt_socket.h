/* Finds Paho's socket and sets what Paho 1.3.12 neither sets nor lets anybody set.
 *
 * At each connect, every TCP socket of this process whose peer has the broker's port is looked at;
 * one that has received something is a connection that has come to life, and gets
 * - TCP_NODELAY: else a small message waits 40 ms for the broker's delayed acknowledgement;
 * - a send buffer that takes all that may be in flight (MQTT_IN_FLIGHT_BYTES_MAX), or the largest
 *   message of a direct client and what follows it: else, when the broker stands still, commands
 *   queue up inside Paho, or wait for room.
 */
#ifndef TAGOUT_SUPPORT_MQTT_SOCKET_H
#define TAGOUT_SUPPORT_MQTT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Linux grants so much by default, and doubles it for its own bookkeeping. */
#define MQTT_SEND_BUFFER_BYTES 212992

/* Returns the descriptor where exactly one socket was new, and -1 where none or several were. */
int mqtt_socket_prepare(uint16_t port);

/* Whether a descriptor is a TCP socket whose peer has that port. */
bool mqtt_socket_is_peer(int fd, uint16_t port);

#endif
