/* tagout.ini: what is accepted keeps its limits, and what is not has a reason that names no secret.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/config/settings_key.h"
#include "controller/support/endpoint.h"
#include "controller/support/mqtt_url.h"
#include "persistence/redis_sentinel.h"
#include "persistence/redis_url.h"
#include "persistence/redis_votes.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

/* Whoever reads a URL later must understand what was let through here. */
static void check_places(const struct settings *settings)
{
    struct mqtt_url broker;
    struct redis_url redis;
    struct endpoint sentinels[SENTINELS_MAX];
    size_t count = 0;
    TEXT_LOCAL(why, 256);

    FUZZ_CHECK(mqtt_url_parse(settings->mqtt.url, &broker, &why) == STATUS_OK);
    FUZZ_CHECK(redis_url_parse(settings->redis.url, &redis, &why) == STATUS_OK);
    FUZZ_CHECK(
        settings->redis.sentinels[0] == '\0' ||
        endpoint_list(settings->redis.sentinels, SENTINEL_PORT, SENTINELS_MAX, sentinels, &count) ==
            STATUS_OK);
}

static void check_value(const struct settings *settings, const struct settings_key *key)
{
    const void *place = (const char *)settings + key->offset;

    switch (key->type) {
    case SETTINGS_BOOL:
        return;
    case SETTINGS_INTEGER: {
        double number = (double)*(const int64_t *)place;
        FUZZ_CHECK(number >= key->min && number <= key->max);
        return;
    }
    case SETTINGS_SECONDS: {
        double number = *(const double *)place;
        FUZZ_CHECK(number >= key->min && number <= key->max);
        return;
    }
    case SETTINGS_DISPLAY:
    case SETTINGS_DISPLAY_OF_USER: {
        const char *text = *(char *const *)place;
        const char *second = strchr(text, '\n');
        FUZZ_CHECK(second == NULL || strchr(second + 1, '\n') == NULL);
        FUZZ_CHECK(utf8_is_valid(text, strlen(text)));
        return;
    }
    case SETTINGS_STRING:
    case SETTINGS_SECRET:
    case SETTINGS_HEX_KEY:
    case SETTINGS_NAME:
    case SETTINGS_NAME_OR_HOST:
    case SETTINGS_PATH:
    case SETTINGS_MQTT_URL:
    case SETTINGS_REDIS_URL:
    case SETTINGS_SENTINELS:
    case SETTINGS_MASTER:
    case SETTINGS_HTTP_URL:
    case SETTINGS_SECRET_URL:
    case SETTINGS_ADDRESS:
    case SETTINGS_TOPIC:
        FUZZ_CHECK(*(char *const *)place != NULL);
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[BYTES_PATH_SIZE];
    int fd = bytes_file((const char *)data, size, path);
    struct settings *settings = NULL;
    TEXT_LOCAL(why, 512);

    if (settings_load(path, &settings, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0 && settings == NULL);
        FUZZ_CHECK(strchr(why.data, '\n') == NULL);
    } else {
        FUZZ_CHECK(why.length == 0);
        check_places(settings);
        for (size_t i = 0; i < settings_key_count; i++) {
            check_value(settings, &settings_keys[i]);
        }
    }
    settings_free(settings);
    close(fd);
    return 0;
}
