#include "tests/lib/mqtt_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/support/mqtt_socket.h"

static struct {
    struct mosquitto broker;
    char url[64];
    bool direct;
} bench;

int mqtt_bench_on_threads(void **state)
{
    (void)state;
    bench.direct = false;
    return 0;
}

int mqtt_bench_on_the_owners_thread(void **state)
{
    (void)state;
    bench.direct = true;
    return 0;
}

bool mqtt_bench_is_direct(void)
{
    return bench.direct;
}

int mqtt_bench_prepare(void **state)
{
    (void)state;
    mosquitto_prepare(&bench.broker);
    (void)snprintf(bench.url, sizeof bench.url, "mqtt://127.0.0.1:%u", (unsigned)bench.broker.port);
    return 0;
}

int mqtt_bench_open(void **state)
{
    (void)mqtt_bench_prepare(state);
    mosquitto_start(&bench.broker, MQTT_BENCH_OPEN_TO_ALL);
    return 0;
}

int mqtt_bench_close(void **state)
{
    (void)state;
    mosquitto_remove(&bench.broker);
    return 0;
}

struct mosquitto *mqtt_bench_broker(void)
{
    return &bench.broker;
}

const char *mqtt_bench_url(void)
{
    return bench.url;
}

int mqtt_bench_socket(void)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    int found = -1;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        int fd = entry->d_name[0] == '.' ? -1 : atoi(entry->d_name);
        if (mqtt_socket_is_peer(fd, bench.broker.port)) {
            assert_int_equal(found, -1);
            found = fd;
        }
    }
    closedir(directory);
    assert_true(found >= 0);
    return found;
}

void mqtt_bench_restart(void)
{
    if (bench.broker.pid != 0) {
        mosquitto_signal(&bench.broker, SIGKILL);
    }
    mosquitto_start(&bench.broker, MQTT_BENCH_OPEN_TO_ALL);
}

const char *mqtt_bench_path(const char *name)
{
    static char paths[8][160];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof paths[0], "%s/%s", bench.broker.directory, name);
    return path;
}

void mqtt_bench_sign(const char *name, const char *subject, const char *alternative)
{
    char key[64];
    char request[64];
    char certificate[64];
    char extension[64];
    FILE *file;

    (void)snprintf(key, sizeof key, "%s.key", name);
    (void)snprintf(request, sizeof request, "%s.csr", name);
    (void)snprintf(certificate, sizeof certificate, "%s.crt", name);
    (void)snprintf(extension, sizeof extension, "%s.ext", name);
    run_program((const char *const[]){
        "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", mqtt_bench_path(key), "-out", mqtt_bench_path(request), "-subj", subject, NULL});
    file = fopen(mqtt_bench_path(extension), "w");
    assert_non_null(file);
    fprintf(file, "subjectAltName=%s\n", alternative);
    fclose(file);
    run_program((const char *const[]){
        "openssl", "x509", "-req", "-days", "2", "-in", mqtt_bench_path(request), "-CA",
        mqtt_bench_path("ca.crt"), "-CAkey", mqtt_bench_path("ca.key"), "-CAcreateserial",
        "-extfile", mqtt_bench_path(extension), "-out", mqtt_bench_path(certificate), NULL});
}

void mqtt_bench_make_authority(const char *name)
{
    char key[64];
    char certificate[64];

    (void)snprintf(key, sizeof key, "%s.key", name);
    (void)snprintf(certificate, sizeof certificate, "%s.crt", name);
    run_program((const char *const[]){
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-keyout", mqtt_bench_path(key), "-out", mqtt_bench_path(certificate),
        "-subj", "/CN=Tagout test authority", NULL});
}

void mqtt_bench_start_with_tls(const char *alternative, const char *more)
{
    char configuration[512];

    mqtt_bench_make_authority("ca");
    mqtt_bench_sign("server", "/CN=broker", alternative);
    (void)snprintf(
        configuration, sizeof configuration,
        "allow_anonymous true\ncafile %s\ncertfile %s\nkeyfile %s\n%s", mqtt_bench_path("ca.crt"),
        mqtt_bench_path("server.crt"), mqtt_bench_path("server.key"), more);
    mosquitto_start(&bench.broker, configuration);
}

const char *mqtt_bench_tls_url(const char *host)
{
    static char text[64];

    (void)snprintf(text, sizeof text, "mqtts://%s:%u", host, (unsigned)bench.broker.port);
    return text;
}

static void connect_to_it(struct client *client, const struct mqtt_options *options, bool direct)
{
    struct mqtt_options complete = *options;

    complete.url = options->url == NULL ? bench.url : options->url;
    complete.direct = direct;
    client_new(client, &complete);
    client_start(client);
    assert_true(client_reaches(client, &client->connects, 1, MQTT_BENCH_SOON_MS));
}

void mqtt_bench_connect(struct client *client, const struct mqtt_options *options)
{
    connect_to_it(client, options, bench.direct);
}

void mqtt_bench_connect_another(struct client *client, const char *id)
{
    connect_to_it(client, &(struct mqtt_options){.client_id = id}, false);
}

const struct client_entry *mqtt_bench_last(const struct client *client)
{
    assert_true(client->entry_count > 0);
    return &client->entries[client->entry_count - 1];
}
