/* C10.1: tagout.ini and the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/config/config.h"
#include "controller/config/settings_key.h"
#include "tests/lib/scratch.h"

#define FILE_NAME "tagout.ini"
#define KEY_64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define LONG_64 "0123456789012345678901234567890123456789012345678901234567890123"

static struct settings *load(const char *ini)
{
    TEXT_LOCAL(why, 512);
    struct settings *settings = NULL;

    scratch_write_text(FILE_NAME, ini);
    if (settings_load(FILE_NAME, &settings, &why) != STATUS_OK) {
        fail_msg("%s", why.data);
    }
    return settings;
}

static void assert_refused(const char *ini, const char *expected)
{
    TEXT_LOCAL(why, 512);
    struct settings *settings = NULL;

    scratch_write_text(FILE_NAME, ini);
    assert_int_not_equal(settings_load(FILE_NAME, &settings, &why), STATUS_OK);
    assert_null(settings);
    assert_string_equal(why.data, expected);
}

/* A value as it would stand in the file. */
static void render(const struct settings *settings, const struct settings_key *key, char out[512])
{
    const void *field = (const char *)settings + key->offset;
    struct text text = text_over(out, 512);

    if (key->type == SETTINGS_BOOL) {
        text_add(&text, *(const bool *)field ? "true" : "false");
    } else if (key->type == SETTINGS_INTEGER) {
        text_addf(&text, "%lld", (long long)*(const int64_t *)field);
    } else if (key->type == SETTINGS_SECONDS) {
        text_addf(&text, "%.10g", *(const double *)field);
    } else {
        for (const char *at = *(char *const *)field; *at != '\0'; at++) {
            text_addf(&text, *at == '\n' ? "\\n" : "%c", *at);
        }
    }
}

static void assert_same(const struct settings *settings, const struct settings *others)
{
    for (size_t i = 0; i < settings_key_count; i++) {
        char one[512];
        char other[512];
        render(settings, &settings_keys[i], one);
        render(others, &settings_keys[i], other);
        assert_string_equal(one, other);
    }
}

static void C10_1_every_key_has_a_default_that_works_on_one_host(void **state)
{
    struct settings *settings = load("");

    (void)state;
    assert_string_equal(settings->file, FILE_NAME);
    assert_true(text_is_name(settings->controller.id, 32));
    assert_string_equal(settings->controller.prefix, "tagout");
    assert_string_equal(settings->controller.machines, "machines.json");
    assert_string_equal(settings->controller.users, "users.json");
    assert_string_equal(settings->controller.card_key, "");
    assert_string_equal(settings->mqtt.url, "mqtt://127.0.0.1:1883");
    assert_string_equal(settings->mqtt.username, "");
    assert_string_equal(settings->mqtt.ca_file, "");
    assert_string_equal(settings->redis.url, "redis://127.0.0.1:6379/0");
    assert_string_equal(settings->redis.sentinels, "");
    assert_int_equal(settings->redis.save_timeout_ms, 2000);
    assert_int_equal(settings->redis.load_timeout_ms, 5000);
    assert_true(settings->liveness.recent_report_s == 15);
    assert_true(settings->liveness.settle_s == 60);
    assert_true(settings->liveness.reprobe_delay_s == 2);
    assert_true(settings->liveness.probe_timeout_s == 1);
    assert_true(settings->watcher.window_s == 60);
    assert_int_equal(settings->watcher.threshold, 2);
    assert_true(settings->watcher.cooldown_s == 300);
    assert_string_equal(settings->slack.bot_token, "");
    assert_string_equal(settings->slack.api_url, "https://slack.com/api");
    assert_string_equal(settings->http.listen, "127.0.0.1:9464");
    assert_string_equal(settings->http.watcher_listen, "127.0.0.1:9465");
    assert_false(settings->homeassistant.discovery);
    assert_string_equal(settings->homeassistant.discovery_prefix, "homeassistant");
    assert_false(settings->homeassistant.may_clear);
    assert_false(settings->homeassistant.show_names);
    assert_string_equal(settings->audit.directory, "/var/lib/tagout/audit");
    assert_int_equal(settings->audit.keep_days, 400);
    assert_string_equal(settings->texts[TEXT_INSERT_CARD], "Please Insert\nRFID Card");
    assert_string_equal(settings->texts[TEXT_WELCOME], "Welcome,\n{name}");
    assert_string_equal(settings->texts[TEXT_OVERRIDE], "OVERRIDE BY\n{name}");
    assert_string_equal(settings->texts[TEXT_EMERGENCY], "EMERGENCY\nCARD IN USE");
    assert_string_equal(settings->texts[TEXT_ALWAYS_ON], "Always On");
    assert_string_equal(settings->texts[TEXT_UNAUTHORIZED], "Unauthorized");
    assert_string_equal(settings->texts[TEXT_UNKNOWN_FOB], "Unknown RFID");
    assert_string_equal(settings->texts[TEXT_OOPS], "Oops!! Please\ncheck/post Slack");
    assert_string_equal(settings->texts[TEXT_LOCKOUT], "Down for\nmaintenance");
    settings_free(settings);
    settings_free(NULL);
}

static void without_a_file_there_are_the_defaults(void **state)
{
    TEXT_LOCAL(why, 512);
    struct settings *settings = NULL;
    struct settings *empty = load("");

    (void)state;
    assert_int_equal(settings_load(NULL, &settings, &why), STATUS_OK);
    assert_string_equal(settings->file, "");
    assert_same(settings, empty);
    settings_free(empty);
    settings_free(settings);
}

static void the_controller_is_called_like_its_host(void **state)
{
    struct settings *settings = load("[controller]\nid =\n");
    char host[256] = "";

    (void)state;
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_int_equal(
        strlen(settings->controller.id), strlen(host) < 32 ? strlen(host) : (size_t)32);
    settings_free(settings);
}

/* A value for each key that is not its default. */
static const struct sample {
    const char *section;
    const char *key;
    const char *value;
    const char *becomes; /* NULL: the value */
} samples[] = {
    {"controller", "id", "spare-2", NULL},
    {"controller", "prefix", "west_hall", NULL},
    {"controller", "machines", "/srv/m.json", NULL},
    {"controller", "users", "/srv/u.json", NULL},
    {"controller", "card_key", KEY_64, NULL},
    {"mqtt", "url", "mqtts://broker.example", "mqtts://broker.example:8883"},
    {"mqtt", "username", "controller", NULL},
    {"mqtt", "password", "a;b#c\"'\\n", NULL},
    {"mqtt", "ca_file", "/etc/passwd", NULL},
    {"mqtt", "cert_file", "/etc/group", NULL},
    {"mqtt", "key_file", "key.pem", NULL},
    {"mosquitto", "password_file", "/srv/passwords", NULL},
    {"mosquitto", "acl_file", "/srv/acl", NULL},
    {"mosquitto", "certificate_file", "/srv/crt", NULL},
    {"redis", "url", "redis://[::1]", "redis://[::1]:6379/0"},
    {"redis", "username", "tagout", NULL},
    {"redis", "password", "pass word", NULL},
    {"redis", "sentinels", "redis-a,[::1]:26380 , 10.0.0.1",
     "redis-a:26379, [::1]:26380, 10.0.0.1:26379"},
    {"redis", "master", "shop.main", NULL},
    {"redis", "sentinel_password", "pass word", NULL},
    {"redis", "save_timeout_ms", "60000", NULL},
    {"redis", "load_timeout_ms", "1", NULL},
    {"liveness", "recent_report_s", "0.5", NULL},
    {"liveness", "settle_s", "0", NULL},
    {"liveness", "reprobe_delay_s", "0.25", NULL},
    {"liveness", "probe_timeout_s", "60", NULL},
    {"watcher", "id", "second", NULL},
    {"watcher", "window_s", "1.5", NULL},
    {"watcher", "threshold", "3", NULL},
    {"watcher", "cooldown_s", "0", NULL},
    {"slack", "bot_token", "xoxb-1-2-3", NULL},
    {"slack", "control_channel", "#control", NULL},
    {"slack", "oops_channel", "C0123456", NULL},
    {"slack", "activity_channel", "#activity", NULL},
    {"slack", "control_webhook", "https://hooks.example/T0/B0/control", NULL},
    {"slack", "oops_webhook", "https://hooks.example/T0/B0/oops", NULL},
    {"slack", "activity_webhook", "https://hooks.example/T0/B0/activity", NULL},
    {"slack", "api_url", "http://127.0.0.1:8080/api/", "http://127.0.0.1:8080/api"},
    {"http", "listen", "[::1]:0", NULL},
    {"http", "watcher_listen", "0.0.0.0:19465", NULL},
    {"homeassistant", "discovery", "true", NULL},
    {"homeassistant", "discovery_prefix", "ha/found", NULL},
    {"homeassistant", "may_clear", "true", NULL},
    {"homeassistant", "show_names", "true", NULL},
    {"audit", "directory", "/srv/audit", NULL},
    {"audit", "keep_days", "1", NULL},
    {"texts", "insert_card", "Karte bitte", NULL},
    {"texts", "welcome", "Hallo {name}!", NULL},
    {"texts", "override", "{name}\\nrepariert", NULL},
    {"texts", "emergency", "NOTFALL\\nKARTE", NULL},
    {"texts", "always_on", "Immer an", NULL},
    {"texts", "unauthorized", "Nicht\\neingewiesen", NULL},
    {"texts", "unknown_fob", "Unbekannte Karte", NULL},
    {"texts", "too_many_cards", "Moment bitte", NULL},
    {"texts", "oops", "Gest\xc3\xb6rt", NULL},
    {"texts", "lockout", "Gesperrt", NULL},
};

#define SAMPLE_COUNT (sizeof samples / sizeof samples[0])

static void assert_samples(const struct settings *settings)
{
    assert_int_equal(SAMPLE_COUNT, settings_key_count);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct settings_key *key = settings_key_find(samples[i].section, samples[i].key);
        char value[512];
        assert_non_null(key);
        render(settings, key, value);
        assert_string_equal(
            value, samples[i].becomes == NULL ? samples[i].value : samples[i].becomes);
        assert_string_not_equal(value, key->fallback);
    }
}

static void every_key_can_be_set_in_the_file(void **state)
{
    char ini[8192];
    struct text text = text_over(ini, sizeof ini);
    struct settings *settings;

    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        if (i == 0 || strcmp(samples[i].section, samples[i - 1].section) != 0) {
            text_addf(&text, "\n[%s]\n", samples[i].section);
        }
        text_addf(&text, "%s = %s\n", samples[i].key, samples[i].value);
    }
    scratch_write_text("key.pem", "");
    settings = load(ini);
    assert_samples(settings);
    settings_free(settings);
}

static void C10_1_the_environment_wins_over_the_file(void **state)
{
    struct settings *settings;
    char variable[SETTINGS_VARIABLE_SIZE];

    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        settings_key_variable(settings_key_find(samples[i].section, samples[i].key), variable);
        assert_int_equal(setenv(variable, samples[i].value, 1), 0);
    }
    scratch_write_text("key.pem", "");
    settings = load("[mqtt]\nurl = mqtt://file\n[redis]\npassword = file\n");
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        settings_key_variable(settings_key_find(samples[i].section, samples[i].key), variable);
        assert_int_equal(unsetenv(variable), 0);
    }
    assert_samples(settings);
    settings_free(settings);
}

static void paths_begin_at_the_files_directory(void **state)
{
    TEXT_LOCAL(file, 600);
    TEXT_LOCAL(expected, 600);
    TEXT_LOCAL(why, 512);
    char here[512];
    struct settings *settings = NULL;

    (void)state;
    scratch_write_text(
        FILE_NAME, "[mqtt]\nurl = mqtts://h\nca_file = ./ca.pem\n[audit]\ndirectory = audit\n"
                   "[controller]\nusers = /abs.json\n");
    scratch_write_text("ca.pem", "");
    scratch_write_text("cert.pem", "");
    assert_non_null(getcwd(here, sizeof here));
    text_addf(&file, "%s/%s", here, FILE_NAME);
    setenv("TAGOUT_MQTT_CERT_FILE", "cert.pem", 1);
    setenv("TAGOUT_MQTT_KEY_FILE", "/dev/null", 1);
    assert_int_equal(settings_load(file.data, &settings, &why), STATUS_OK);
    unsetenv("TAGOUT_MQTT_CERT_FILE");
    unsetenv("TAGOUT_MQTT_KEY_FILE");
    text_addf(&expected, "%s/./ca.pem", here);
    assert_string_equal(settings->mqtt.ca_file, expected.data);
    text_clear(&expected);
    text_addf(&expected, "%s/cert.pem", here);
    assert_string_equal(settings->mqtt.cert_file, expected.data);
    text_clear(&expected);
    text_addf(&expected, "%s/machines.json", here);
    assert_string_equal(settings->controller.machines, expected.data);
    assert_string_equal(settings->mqtt.key_file, "/dev/null");
    assert_string_equal(settings->controller.users, "/abs.json");
    settings_free(settings);
}

static void lines_are_read_as_the_manual_says(void **state)
{
    struct settings *settings = load("\xef\xbb\xbf; a comment\n"
                                     "[mqtt]\r\n"
                                     "   username : controller\r\n"
                                     "\t# not the rest of the user name\n"
                                     "password = p;q=r ; not this\n"
                                     "[slack]\n"
                                     "control_channel = #control#all-of-it\n"
                                     "oops_channel = ;none\n"
                                     "[mqtt]\n"
                                     "url=mqtt://host:1");

    (void)state;
    assert_string_equal(settings->mqtt.username, "controller");
    assert_string_equal(settings->mqtt.password, "p;q=r");
    assert_string_equal(settings->mqtt.url, "mqtt://host:1");
    assert_string_equal(settings->slack.control_channel, "#control#all-of-it");
    assert_string_equal(settings->slack.oops_channel, "");
    settings_free(settings);
}

static const struct {
    const char *ini;
    const char *why;
} bad_files[] = {
    {"[redsi]\n", "tagout.ini:1: [redsi]: unknown section; did you mean redis?"},
    {"[mqtt]\nusername = a\n[redsi]\n",
     "tagout.ini:3: [redsi]: unknown section; did you mean redis?"},
    {"[MQTT]\n", "tagout.ini:1: [MQTT]: unknown section; did you mean mqtt?"},
    {"\n\n[nothing of ours]\n", "tagout.ini:3: [nothing of ours]: unknown section"},
    {"[]\n", "tagout.ini:1: []: unknown section"},
    {"[" LONG_64 "]\n", "tagout.ini:1: the section's name is too long"},
    {"[mqtt\n", "tagout.ini:1: the line is neither [section] nor key = value nor a comment"},
    {"[mqtt]\nurl\n", "tagout.ini:2: the line is neither [section] nor key = value nor a comment"},
    {"[mqtt]\nurl\nurl = x\n",
     "tagout.ini:2: the line is neither [section] nor key = value nor a comment"},
    {"url = x\n", "tagout.ini:1: url: stands before any [section]"},
    {"[mqtt]\n# one\nurll = x\n", "tagout.ini:3: [mqtt] urll: unknown key; did you mean url?"},
    {"[mqtt]\n= x\n", "tagout.ini:2: [mqtt] : unknown key"},
    {"[mqtt]\nwindow_s = 3\n", "tagout.ini:2: [mqtt] window_s: unknown key"},
    {"[mqtt]\nusername = a\n b = c\n", "tagout.ini:3: [mqtt] b: unknown key"},
    {"[mqtt]\nusername = a\n[redis]\n[mqtt]\nusername = b\n",
     "tagout.ini:5: [mqtt] username: stands here twice, first in line 2"},
    {"[mqtt]\nurl = http://host\n",
     "tagout.ini:2: [mqtt] url: \"http://host\" is not mqtt://host:port or mqtts://host:port"},
    {"[mqtt]\nurl = mqtt://\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://\" is not mqtt://host:port or mqtts://host:port"},
    {"[mqtt]\nurl = mqtt://a b\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://a b\" is not mqtt://host:port or mqtts://host:port"},
    {"[mqtt]\nurl = mqtt://h:01883\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://h:01883\" has a port that is not a number from 1 to "
     "65535"},
    {"[mqtt]\nurl = mqtt://h:0\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://h:0\" has a port that is not a number from 1 to 65535"},
    {"[mqtt]\nurl = mqtt://h:65536\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://h:65536\" has a port that is not a number from 1 to "
     "65535"},
    {"[redis]\nurl = redis://[::1]:123456/0\n",
     "tagout.ini:2: [redis] url: \"redis://[::1]:123456/0\" has a port that is not a number from "
     "1 to 65535"},
    {"[mqtt]\nurl = mqtt://h:18x83\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://h:18x83\" is not mqtt://host:port or mqtts://host:port"},
    {"[mqtt]\nurl = mqtt://h/x\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://h/x\" is not mqtt://host:port or mqtts://host:port"},
    {"[mqtt]\nurl = mqtt://[::g]\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://[::g]\" is not mqtt://host:port or "
     "mqtts://host:port"},
    {"[mqtt]\nurl = mqtt://[::1\n",
     "tagout.ini:2: [mqtt] url: \"mqtt://[::1\" is not mqtt://host:port or "
     "mqtts://host:port"},
    {"[redis]\nurl = redis://h/x\n",
     "tagout.ini:2: [redis] url: \"redis://h/x\" is not redis://host:port/db or unix:///path"},
    {"[redis]\nurl = unix://path\n",
     "tagout.ini:2: [redis] url: \"unix://path\" is not redis://host:port/db or "
     "unix:///path"},
    {"[slack]\napi_url = ftp://h\n",
     "tagout.ini:2: [slack] api_url: \"ftp://h\" is not http://host/path or "
     "https://host/path"},
    {"[http]\nlisten = 9464\n",
     "tagout.ini:2: [http] listen: \"9464\" is not a numeric address and a port, as in "
     "127.0.0.1:9464"},
    {"[http]\nlisten = 127.0.0.1:94640\n",
     "tagout.ini:2: [http] listen: \"127.0.0.1:94640\" has a port that is not a number from 1 to "
     "65535"},
    {"[http]\nlisten = localhost:9464\n",
     "tagout.ini:2: [http] listen: \"localhost:9464\" is not a numeric address and a port, as "
     "in 127.0.0.1:9464"},
    {"[slack]\ncontrol_channel = C012345 # ours\n",
     "tagout.ini:2: [slack] control_channel: \"C012345 # ours\" has a # behind it: a comment there "
     "begins with ;"},
    {"[homeassistant]\ndiscovery = true # for the hall\n",
     "tagout.ini:2: [homeassistant] discovery: \"true # for the hall\" has a # behind it: a "
     "comment "
     "there begins with ;"},
    {"[redis]\nsave_timeout_ms = fast\n",
     "tagout.ini:2: [redis] save_timeout_ms: \"fast\" is not a whole number from 1 to 60000"},
    {"[redis]\nsave_timeout_ms = 0\n",
     "tagout.ini:2: [redis] save_timeout_ms: \"0\" is not a whole number from 1 to 60000"},
    {"[redis]\nsave_timeout_ms = 60001\n",
     "tagout.ini:2: [redis] save_timeout_ms: \"60001\" is not a whole number from 1 to 60000"},
    {"[redis]\nsave_timeout_ms = 2.5\n",
     "tagout.ini:2: [redis] save_timeout_ms: \"2.5\" is not a whole number from 1 to 60000"},
    {"[redis]\nsave_timeout_ms =\n",
     "tagout.ini:2: [redis] save_timeout_ms: \"\" is not a whole number from 1 to 60000"},
    {"[liveness]\nsettle_s = -1\n",
     "tagout.ini:2: [liveness] settle_s: \"-1\" is not a number from 0 to 3600"},
    {"[liveness]\nsettle_s = inf\n",
     "tagout.ini:2: [liveness] settle_s: \"inf\" is not a number from 0 to 3600"},
    {"[liveness]\nsettle_s = 1e3\n",
     "tagout.ini:2: [liveness] settle_s: \"1e3\" is not a number from 0 to 3600"},
    {"[liveness]\nprobe_timeout_s = 0.009\n",
     "tagout.ini:2: [liveness] probe_timeout_s: \"0.009\" is not a number from 0.01 to 60"},
    {"[homeassistant]\ndiscovery = yes\n",
     "tagout.ini:2: [homeassistant] discovery: \"yes\" is neither true nor false"},
    {"[homeassistant]\ndiscovery_prefix = a/#\n",
     "tagout.ini:2: [homeassistant] discovery_prefix: \"a/#\" is not a topic of 1 to 64 "
     "characters"},
    {"[controller]\nprefix = Shop\n",
     "tagout.ini:2: [controller] prefix: \"Shop\" is not 1 to 32 characters of a to z, 0 to "
     "9, _ and -"},
    {"[controller]\nid = " LONG_64 "\n",
     "tagout.ini:2: [controller] id: \"012345678901234567890123456789012345678901234567...\" "
     "is not 1 to 32 characters of a to z, 0 to 9, _ and -"},
    {"[controller]\nusers =\n", "tagout.ini:2: [controller] users: must not be empty"},
    {"[controller]\ncard_key = 0123\n",
     "tagout.ini:2: [controller] card_key: the value is not 64 hexadecimal digits"},
    {"[controller]\ncard_key = " KEY_64 "0\n",
     "tagout.ini:2: [controller] card_key: the value is not 64 hexadecimal digits"},
    {"[mqtt]\nusername = a\x01z\n",
     "tagout.ini:2: [mqtt] username: is not UTF-8 text, or has control characters"},
    {"[mqtt]\nusername = \xff\n", "tagout.ini: is not UTF-8 text"},
    {"[mqtt]\nurl = mqtt://user:hunter2@host\n",
     "tagout.ini:2: [mqtt] url: must not hold a user or password: they are keys of their own"},
    {"[redis]\nurl = redis://host?password=hunter2\n",
     "tagout.ini:2: [redis] url: the value is not redis://host:port/db or unix:///path"},
    {"[mqtt]\n\npassword = hunter2\n", "tagout.ini:3: [mqtt] password: needs username too"},
    {"[mqtt]\ncert_file = c\n", "tagout.ini:2: [mqtt] cert_file: needs key_file too"},
    {"[redis]\nsentinels = redis-a:0\n",
     "tagout.ini:2: [redis] sentinels: \"redis-a:0\" is not a list of 1 to 8 different host:port, "
     "with commas between"},
    {"[redis]\nsentinels = user:hunter2@redis-a\n",
     "tagout.ini:2: [redis] sentinels: the value is not a list of 1 to 8 different host:port, "
     "with commas between"},
    {"[redis]\nmaster = the shop\n",
     "tagout.ini:2: [redis] master: \"the shop\" is not at most 64 letters, digits, ., _ and -"},
    {"[redis]\nmaster = " LONG_64 "5\n",
     "tagout.ini:2: [redis] master: \"012345678901234567890123456789012345678901234567...\" is "
     "not at most 64 letters, digits, ., _ and -"},
    {"[redis]\nusername = tagout\n", "tagout.ini:2: [redis] username: needs password too"},
    {"[redis]\n\nsentinels = redis-a\n", "tagout.ini:3: [redis] sentinels: needs master too"},
    {"[redis]\nmaster = shop\n", "tagout.ini:2: [redis] master: needs sentinels too"},
    {"[redis]\nsentinel_password = hunter2\n",
     "tagout.ini:2: [redis] sentinel_password: needs sentinels too"},
    {"[redis]\nurl = unix:///run/redis.sock\nsentinels = redis-a\nmaster = shop\n",
     "tagout.ini:2: [redis] url: is a path, where with sentinels only the database of a redis:// "
     "counts"},
    {"[mqtt]\nurl = mqtts://h\nca_file = absent.pem\n",
     "tagout.ini:3: [mqtt] ca_file: absent.pem cannot be read: No such file or directory"},
    {"[mqtt]\n\nca_file = tagout.ini\n",
     "tagout.ini:3: [mqtt] ca_file: is for TLS, and the broker is mqtt://127.0.0.1:1883: its url "
     "must begin with mqtts://"},
    {"[mqtt]\ncert_file = tagout.ini\nkey_file = tagout.ini\nurl = mqtt://h\n",
     "tagout.ini:2: [mqtt] cert_file: is for TLS, and the broker is mqtt://h:1883: its url must "
     "begin with mqtts://"},
    {"[mqtt]\nkey_file = k\n", "tagout.ini:2: [mqtt] key_file: needs cert_file too"},
};

static void a_bad_file_is_an_error_with_file_line_and_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        assert_refused(bad_files[i].ini, bad_files[i].why);
    }
}

static void displays_hold_two_lines_of_16_characters(void **state)
{
    static const struct {
        const char *value;
        const char *reason; /* NULL: good */
    } cases[] = {
        {"1234567890123456\\n1234567890123456", NULL},
        {"12345678901234567", "\"12345678901234567\" is more than two lines of 16 characters"},
        {"a\\n12345678901234567",
         "\"a\\n12345678901234567\" is more than two lines of 16 characters"},
        {"a\\nb\\nc", "\"a\\nb\\nc\" is more than two lines of 16 characters"},
        {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"
         "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f",
         NULL},
        {"back\\slash", NULL},
        {"1234567890123456{name}", NULL},
        {"{name}1234567890123456\\n{ nome }", NULL},
        {"Hi {nam}", "\"Hi {nam}\" has a word in braces, and only {name} means anything"},
        {"{name}\\n{Name}",
         "\"{name}\\n{Name}\" has a word in braces, and only {name} means anything"},
        {"{}\\n{name", NULL},
        {"Saw #3 {name}", NULL},
        {"{name}12345678901234567",
         "\"{name}12345678901234567\" is more than two lines of 16 characters"},
        {"{name}\\n{name}", "\"{name}\\n{name}\" has {name} twice"},
        {"", "must not be empty"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TEXT_LOCAL(ini, 256);
        TEXT_LOCAL(why, 256);
        text_addf(&ini, "[texts]\nwelcome = %s\n", cases[i].value);
        if (cases[i].reason == NULL) {
            settings_free(load(ini.data));
        } else {
            text_addf(&why, "tagout.ini:2: [texts] welcome: %s", cases[i].reason);
            assert_refused(ini.data, why.data);
        }
    }
    assert_refused(
        "[texts]\noops = Oops {name}\n",
        "tagout.ini:2: [texts] oops: \"Oops {name}\" has {name}, which only welcome and override "
        "know");
}

static void a_line_is_never_cut(void **state)
{
    char ini[512] = "[slack]\nbot_token = ";
    struct settings *settings;

    (void)state;
    memset(ini + strlen(ini), 'x', 198 - strlen("bot_token = "));
    settings = load(ini);
    assert_int_equal(strlen(settings->slack.bot_token), 198 - strlen("bot_token = "));
    settings_free(settings);
    ini[strlen(ini)] = 'x';
    assert_refused(ini, "tagout.ini:2: the line is longer than 198 bytes");
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    TEXT_LOCAL(why, 512);
    struct settings *settings = NULL;

    (void)state;
    assert_int_equal(settings_load("none.ini", &settings, &why), STATUS_IO);
    assert_string_equal(why.data, "none.ini: cannot be read: No such file or directory");
    text_clear(&why);
    assert_int_equal(settings_load(".", &settings, &why), STATUS_IO);
    assert_string_equal(why.data, ".: is not a regular file");
    text_clear(&why);
    scratch_write(FILE_NAME, "[mqtt]\0\n", 8);
    assert_int_equal(settings_load(FILE_NAME, &settings, &why), STATUS_INVALID);
    assert_string_equal(why.data, "tagout.ini: is not UTF-8 text");
    assert_null(settings);
}

static void a_bad_variable_is_an_error_that_names_it(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *why;
    } cases[] = {
        {"TAGOUT_MQTT_PASWORD", "hunter2",
         "TAGOUT_MQTT_PASWORD: names no key of tagout.ini; did you mean TAGOUT_MQTT_PASSWORD?"},
        {"TAGOUT_", "", "TAGOUT_: names no key of tagout.ini"},
        {"TAGOUT_SOMETHING_QUITE_DIFFERENT", "1",
         "TAGOUT_SOMETHING_QUITE_DIFFERENT: names no key of tagout.ini"},
        {"TAGOUT_WATCHER_THRESHOLD", "many",
         "TAGOUT_WATCHER_THRESHOLD: \"many\" is not a whole number from 1 to 100000"},
        {"TAGOUT_MQTT_PASSWORD", "hunter2", "TAGOUT_MQTT_PASSWORD: needs username too"},
        {"TAGOUT_MQTT_PASSWORD", "hunter2\n",
         "TAGOUT_MQTT_PASSWORD: is not UTF-8 text, or has control characters"},
        {"TAGOUT_REDIS_PASSWORD", "hunter2\xff",
         "TAGOUT_REDIS_PASSWORD: is not UTF-8 text, or has control characters"},
        {"TAGOUT_CONTROLLER_CARD_KEY", "hunter2",
         "TAGOUT_CONTROLLER_CARD_KEY: the value is not 64 hexadecimal digits"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(setenv(cases[i].name, cases[i].value, 1), 0);
        assert_refused("", cases[i].why);
        assert_int_equal(unsetenv(cases[i].name), 0);
    }
}

static void a_unix_socket_has_a_path_that_the_system_can_hold(void **state)
{
    TEXT_LOCAL(ini, 256);
    struct settings *settings;

    (void)state;
    text_addf(&ini, "[redis]\nurl = unix:///%0106d", 0);
    settings = load(ini.data);
    assert_int_equal(strlen(settings->redis.url), strlen("unix://") + 107);
    settings_free(settings);
    text_add(&ini, "0");
    assert_refused(
        ini.data,
        "tagout.ini:2: [redis] url: \"unix:///0000000000000000000000000000000000000000...\" is not "
        "redis://host:port/db or unix:///path");
}

static void a_value_from_the_environment_has_a_limit(void **state)
{
    char value[1026];

    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    setenv("TAGOUT_SLACK_BOT_TOKEN", value, 1);
    assert_refused("", "TAGOUT_SLACK_BOT_TOKEN: is longer than 1024 bytes");
    unsetenv("TAGOUT_SLACK_BOT_TOKEN");
}

/* Turns every "#key = value" of the example into a line that counts. */
static void uncomment(char *ini)
{
    for (char *at = ini; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (at[0] == '#' && at[1] != ' ') {
            at[0] = ' ';
        }
    }
}

static void the_example_has_every_key_at_its_default(void **state)
{
    char *ini = scratch_read_tree("deploy/etc/tagout.ini");
    struct settings *as_delivered = load(ini);
    struct settings *empty = load("");
    struct settings *uncommented;

    (void)state;
    assert_same(as_delivered, empty);
    uncomment(ini);
    uncommented = load(ini);
    assert_same(uncommented, empty);
    for (size_t i = 0; i < settings_key_count; i++) {
        const char *section;
        TEXT_LOCAL(wanted, 128);
        text_addf(&wanted, "[%s]\n", settings_keys[i].section);
        section = strstr(ini, wanted.data);
        assert_non_null(section);
        text_clear(&wanted);
        text_addf(&wanted, "\n %s =", settings_keys[i].name);
        if (strstr(section, wanted.data) == NULL) {
            fail_msg("the example lacks %s", settings_keys[i].name);
        }
    }
    settings_free(as_delivered);
    settings_free(uncommented);
    settings_free(empty);
    free(ini);
}

static void the_manual_has_every_key_with_its_default(void **state)
{
    char *page = scratch_read_tree("deploy/man/tagout.ini.5");

    (void)state;
    for (size_t i = 0; i < settings_key_count; i++) {
        const struct settings_key *key = &settings_keys[i];
        const char *section;
        const char *next;
        const char *item;
        TEXT_LOCAL(wanted, 256);
        text_addf(&wanted, ".Ss [%s]\n", key->section);
        section = strstr(page, wanted.data);
        assert_non_null(section);
        next = strstr(section, "\n.Ss ");
        next = next == NULL ? strstr(section, "\n.Sh ") : next;
        assert_non_null(next);
        text_clear(&wanted);
        text_addf(&wanted, "\n.It Cm %s No =", key->name);
        for (const char *at = key->fallback; *at != '\0'; at++) {
            text_add(&wanted, at == key->fallback ? " " : "");
            text_add(&wanted, *at == '\\' ? "\\e" : (char[]){*at, '\0'});
        }
        text_add(&wanted, "\n");
        item = strstr(section, wanted.data);
        if (item == NULL || item > next) {
            fail_msg("the manual lacks [%s]%s", key->section, wanted.data);
        }
    }
    free(page);
}

/* Under ASan: whatever a file breaks off in, nothing leaks and nothing is read beyond its end. */
static void a_file_that_breaks_off_does_no_harm(void **state)
{
    char *ini = scratch_read_tree("deploy/etc/tagout.ini");
    size_t good = 0;

    (void)state;
    uncomment(ini);
    for (size_t length = 0; length <= strlen(ini); length++) {
        TEXT_LOCAL(why, 512);
        struct settings *settings = NULL;
        scratch_write(FILE_NAME, ini, length);
        if (settings_load(FILE_NAME, &settings, &why) == STATUS_OK) {
            good++;
            settings_free(settings);
        } else {
            assert_int_equal(strncmp(why.data, "tagout.ini:", strlen("tagout.ini:")), 0);
        }
    }
    assert_true(good > 0 && good < strlen(ini));
    free(ini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C10_1_every_key_has_a_default_that_works_on_one_host),
        cmocka_unit_test(without_a_file_there_are_the_defaults),
        cmocka_unit_test(the_controller_is_called_like_its_host),
        cmocka_unit_test(every_key_can_be_set_in_the_file),
        cmocka_unit_test(C10_1_the_environment_wins_over_the_file),
        cmocka_unit_test(paths_begin_at_the_files_directory),
        cmocka_unit_test(lines_are_read_as_the_manual_says),
        cmocka_unit_test(a_bad_file_is_an_error_with_file_line_and_key),
        cmocka_unit_test(displays_hold_two_lines_of_16_characters),
        cmocka_unit_test(a_line_is_never_cut),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
        cmocka_unit_test(a_bad_variable_is_an_error_that_names_it),
        cmocka_unit_test(a_unix_socket_has_a_path_that_the_system_can_hold),
        cmocka_unit_test(a_value_from_the_environment_has_a_limit),
        cmocka_unit_test(the_example_has_every_key_at_its_default),
        cmocka_unit_test(the_manual_has_every_key_with_its_default),
        cmocka_unit_test(a_file_that_breaks_off_does_no_harm),
    };

    umask(077); /* secrets that everyone can read are refused */
    return cmocka_run_group_tests_name("settings", tests, scratch_enter, scratch_leave);
}
