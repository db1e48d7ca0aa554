#include "controller/ctl/way.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/listeners.h"
#include "controller/support/certificate.h"
#include "controller/support/mqtt_url.h"

#define PATH_SIZE 1024
#define EXAMPLE "broker.example.org" /* where nothing tells the broker's name */

struct way {
    char host[MQTT_HOST_MAX + 1]; /* of the broker, as other hosts know it */
    char ca_file[PATH_SIZE];      /* who signed its certificate; "": anybody may have */
    bool is_elsewhere;            /* the host's own way is not loopback */
};

static bool is_loopback(const char *host)
{
    struct in_addr address;

    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0) {
        return true;
    }
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* The first of "localhost, 127.0.0.1, shop.example" by which others reach it. */
static void find_name(const char *names, char ret_host[MQTT_HOST_MAX + 1])
{
    while (*names != '\0') {
        size_t length = strcspn(names, ",");
        TEXT_LOCAL(name, MQTT_HOST_MAX + 1);

        text_add_bytes(&name, names, length);
        if (!name.cut && !is_loopback(name.data) && strchr(name.data, '*') == NULL) {
            text_copy(ret_host, MQTT_HOST_MAX + 1, name.data);
            return;
        }
        names += length;
        names += strspn(names, ", ");
    }
}

/* The broker's certificate tells its names, and init keeps the authority beside it. */
static void look_at_certificate(const char *path, struct way *way)
{
    const char *slash = strrchr(path, '/');
    struct certificate certificate;
    TEXT_LOCAL(authority, PATH_SIZE);
    TEXT_LOCAL(ignored, 1024);

    if (path[0] == '\0' || certificate_read(path, &certificate, &ignored) != STATUS_OK) {
        return;
    }
    find_name(certificate.names, way->host);
    text_add_bytes(&authority, path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
    text_add(&authority, "ca.crt");
    if (!authority.cut && access(authority.data, F_OK) == 0) {
        text_copy(way->ca_file, sizeof way->ca_file, authority.data);
    }
}

/* As whoever reads it from another folder needs it. */
static void make_absolute(char path[PATH_SIZE])
{
    char *real = path[0] == '\0' ? NULL : realpath(path, NULL);

    if (real != NULL) {
        text_copy(path, PATH_SIZE, real);
    }
    free(real);
}

static void find_way(const struct settings *settings, struct way *way)
{
    struct mqtt_url url;
    TEXT_LOCAL(ignored, 256);

    *way = (struct way){.host = EXAMPLE};
    look_at_certificate(settings->mosquitto.certificate_file, way);
    if (settings->mqtt.ca_file[0] != '\0') {
        text_copy(way->ca_file, sizeof way->ca_file, settings->mqtt.ca_file);
    }
    make_absolute(way->ca_file);
    if (mqtt_url_parse(settings->mqtt.url, &url, &ignored) == STATUS_OK && !is_loopback(url.host)) {
        text_copy(way->host, sizeof way->host, url.host);
        way->is_elsewhere = true;
    }
}

static void
add_url(struct text *out, const char *comment, bool tls, const char *host, uint16_t port)
{
    bool is_v6 = strchr(host, ':') != NULL;

    text_addf(
        out, "%surl = %s://%s%s%s:%u\n", comment, tls ? "mqtts" : "mqtt", is_v6 ? "[" : "", host,
        is_v6 ? "]" : "", (unsigned)port);
}

static void add_authority(struct text *out, const struct way *way)
{
    if (way->ca_file[0] != '\0') {
        text_addf(out, "# On another host a copy of it:\nca_file = %s\n", way->ca_file);
    }
}

static void add_from_elsewhere(struct text *out, const struct way *way, uint16_t port)
{
    text_add(out, "# From another host, by a name that stands in the broker's certificate");
    if (way->ca_file[0] != '\0') {
        text_addf(out, ", with a copy of\n# %s beside this file", way->ca_file);
    }
    text_add(out, ":\n");
    add_url(out, "#", true, way->host, port);
    text_add(out, way->ca_file[0] != '\0' ? "#ca_file = ca.crt\n" : "");
}

void way_print(const struct settings *settings, bool is_person, struct text *out)
{
    struct listeners listeners;
    const struct listener_ports *ports;
    struct way way;
    bool tls;

    listeners_read(settings->mosquitto.password_file, &listeners);
    ports = is_person ? &listeners.people : &listeners.services;
    if (ports->plain == 0 && ports->tls == 0) {
        ports = is_person ? &listeners.services : &listeners.people;
    }
    find_way(settings, &way);
    tls = ports->plain == 0 || (way.is_elsewhere && ports->tls != 0);
    add_url(
        out, "", tls,
        way.is_elsewhere ? way.host
        : tls            ? "localhost"
                         : "127.0.0.1",
        tls ? ports->tls : ports->plain);
    if (tls) {
        add_authority(out, &way);
    }
    if (!way.is_elsewhere && ports->tls != 0) {
        add_from_elsewhere(out, &way, ports->tls);
    }
}
