/* What the tests of the MQTT adapter have in common: a broker of the test's own, open to all, and
 * the kind of client that is tested, on Paho's threads or on its owner's (mqtt.h, `direct`). Others
 * of the process are always on Paho's: it can have only one that is not. */
#ifndef TAGOUT_TESTS_MQTT_BENCH_H
#define TAGOUT_TESTS_MQTT_BENCH_H

#include <stdbool.h>

#include "tests/lib/mosquitto.h"
#include "tests/lib/mqtt_client.h"

#define MQTT_BENCH_SOON_MS 30000
/* What a call may take on a busy host; what it must not do is wait for anybody. */
#define MQTT_BENCH_CALL_US 1000000
#define MQTT_BENCH_OPEN_TO_ALL "allow_anonymous true\n"

/* Of a group of tests: which kind. */
int mqtt_bench_on_threads(void **state);
int mqtt_bench_on_the_owners_thread(void **state);
bool mqtt_bench_is_direct(void);

/* Of each test: a broker that runs; or a folder and a port for one alone. */
int mqtt_bench_open(void **state);
int mqtt_bench_prepare(void **state);
int mqtt_bench_close(void **state);
#define MQTT_BENCH_TEST(name)                                                                      \
    cmocka_unit_test_setup_teardown(name, mqtt_bench_open, mqtt_bench_close)

struct mosquitto *mqtt_bench_broker(void);
const char *mqtt_bench_url(void);
/* The one socket of this process whose peer it is. */
int mqtt_bench_socket(void);

/* Kills it, if it runs, and starts it anew. */
void mqtt_bench_restart(void);

/* A file in its folder; the last eight stay. */
const char *mqtt_bench_path(const char *name);
/* NAME.crt and NAME.key there: an authority, or what the one called ca signed. */
void mqtt_bench_make_authority(const char *name);
void mqtt_bench_sign(const char *name, const char *subject, const char *alternative);
/* Starts it with TLS, a certificate for `alternative`, and more lines of configuration. */
void mqtt_bench_start_with_tls(const char *alternative, const char *more);
const char *mqtt_bench_tls_url(const char *host);

/* Connects the client that is tested, or another. The options need no URL. */
void mqtt_bench_connect(struct client *client, const struct mqtt_options *options);
void mqtt_bench_connect_another(struct client *client, const char *id);

/* The newest entry. */
const struct client_entry *mqtt_bench_last(const struct client *client);

#endif
