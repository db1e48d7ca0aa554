#include "controller/support/mqtt_socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool mqtt_socket_is_peer(int fd, uint16_t port)
{
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof peer;
    int type = 0;
    socklen_t type_length = sizeof type;

    if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 || type != SOCK_STREAM) {
        return false;
    }
    if (peer.ss_family == AF_INET) {
        return ((struct sockaddr_in *)&peer)->sin_port == htons(port);
    }
    return peer.ss_family == AF_INET6 && ((struct sockaddr_in6 *)&peer)->sin6_port == htons(port);
}

/* Nagle's algorithm is on, and the program has read something: CONNACK has come. A client of this
 * process that still waits for its own has a call of its own to come. */
static bool has_come_to_life(int fd)
{
    int nodelay = 1;
    socklen_t length = sizeof nodelay;
    struct tcp_info info = {0};
    socklen_t info_length = sizeof info;
    int unread = 0;

    return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &length) == 0 && nodelay == 0 &&
           getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_length) == 0 &&
           ioctl(fd, FIONREAD, &unread) == 0 && info.tcpi_bytes_received > (uint64_t)unread;
}

int mqtt_socket_prepare(uint16_t port)
{
    const int on = 1;
    const int bytes = MQTT_SEND_BUFFER_BYTES;
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    int found = -1;
    int count = 0;

    if (directory == NULL) {
        return -1;
    }
    while ((entry = readdir(directory)) != NULL) {
        int fd = entry->d_name[0] == '.' ? -1 : (int)strtol(entry->d_name, NULL, 10);
        if (mqtt_socket_is_peer(fd, port) && has_come_to_life(fd) &&
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) {
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
            found = fd;
            count++;
        }
    }
    closedir(directory);
    return count == 1 ? found : -1;
}
