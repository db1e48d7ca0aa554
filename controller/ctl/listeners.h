/* By which ports one comes to the broker of this host, as its configuration says: what a new
 * account has to be told.
 *
 * The configuration is the one that `init` wrote, beside the accounts, or else Tagout's in conf.d.
 * A listener whose clients are called as their accounts is for services and boxes, any other for
 * people; one with a certificate is for the network, any other for this host.
 */
#ifndef TAGOUT_CTL_LISTENERS_H
#define TAGOUT_CTL_LISTENERS_H

#include <stdint.h>

struct listener_ports {
    uint16_t plain; /* 0: there is none */
    uint16_t tls;
};

struct listeners {
    struct listener_ports services;
    struct listener_ports people;
};

/* Those of deploy/mosquitto/tagout.conf where there is no configuration that can be read, or it has
 * no listeners. */
void listeners_read(const char *password_file, struct listeners *ret_listeners);

/* The same from a configuration's text. */
void listeners_parse(const char *text, struct listeners *ret_listeners);

#endif
