/* A TCP port on loopback that no other test has, now or later in this process. */
#ifndef TAGOUT_TESTS_FREE_PORT_H
#define TAGOUT_TESTS_FREE_PORT_H

#include <stdint.h>

/* It is below the ports that the kernel gives to outgoing connections, so that a server can be
 * stopped and started again on it. An abstract Unix socket with the port's number, held until the
 * process ends, keeps it from tests that run at the same time; tests/lib/processes.py does the
 * same. Ends the process when there is none. */
uint16_t free_port(void);

#endif
