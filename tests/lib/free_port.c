#include "tests/lib/free_port.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_PORT 10000
#define PORTS 20000

static bool is_claimed(int claim, unsigned port)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "tagout-test-port-%u", port);
    socklen_t size = (socklen_t)(sizeof address.sun_family + 1 + (size_t)length);

    return bind(claim, (const struct sockaddr *)&address, size) != 0;
}

static bool is_bound(uint16_t port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bound = probe < 0 || setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
            bind(probe, (const struct sockaddr *)&address, sizeof address) != 0;
    if (probe >= 0) {
        close(probe);
    }
    return bound;
}

uint16_t free_port(void)
{
    const unsigned start = (unsigned)getpid() * 37 % PORTS;

    for (unsigned i = 0; i < PORTS; i++) {
        uint16_t port = (uint16_t)(FIRST_PORT + (start + i) % PORTS);
        int claim = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (claim >= 0 && !is_claimed(claim, port) && !is_bound(port)) {
            return port; /* `claim` stays open */
        }
        if (claim >= 0) {
            close(claim);
        }
    }
    perror("no free port");
    exit(1);
}
