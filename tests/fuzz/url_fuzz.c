/* Addresses, moments, names of files: what one parser lets through the next one understands, and
 * means the same by it. */
#include <string.h>

#include "controller/config/url.h"
#include "controller/ctl/moment.h"
#include "controller/support/audit_months.h"
#include "controller/support/endpoint.h"
#include "controller/support/mqtt_url.h"
#include "persistence/redis_url.h"
#include "persistence/redis_votes.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define URL_SIZE 1024

/* What is complete stays as it is. */
static void check_complete(bool (*complete)(const char *, struct text *), const struct text *url)
{
    TEXT_LOCAL(again, URL_SIZE);

    FUZZ_CHECK(!url->cut && complete(url->data, &again));
    FUZZ_CHECK(strcmp(url->data, again.data) == 0);
}

static void check_urls(const char *value)
{
    struct mqtt_url broker;
    struct redis_url redis;
    TEXT_LOCAL(url, URL_SIZE);
    TEXT_LOCAL(why, 256);

    if (url_mqtt(value, &url)) {
        check_complete(url_mqtt, &url);
        FUZZ_CHECK(mqtt_url_parse(url.data, &broker, &why) == STATUS_OK && broker.port > 0);
        FUZZ_CHECK(mqtt_url_parse(value, &broker, &why) == STATUS_OK);
    }
    text_clear(&url);
    if (url_redis(value, &url)) {
        check_complete(url_redis, &url);
        FUZZ_CHECK(redis_url_parse(url.data, &redis, &why) == STATUS_OK);
        FUZZ_CHECK((redis.path[0] != '\0') != (redis.host[0] != '\0'));
    }
    text_clear(&url);
    if (url_http(value, &url)) {
        check_complete(url_http, &url);
    }
    text_clear(&why);
    if (redis_url_parse(value, &redis, &why) == STATUS_OK) {
        FUZZ_CHECK(redis.database <= REDIS_DATABASE_MAX);
    } else {
        FUZZ_CHECK(why.length > 0);
    }
    (void)url_address(value);
    (void)url_port_is_off(value);
    (void)url_may_hold_a_secret(value);
}

static void check_endpoints(const char *value)
{
    struct endpoint places[SENTINELS_MAX];
    struct endpoint again[SENTINELS_MAX];
    size_t count = 0;
    size_t count_again = 0;
    TEXT_LOCAL(list, SENTINELS_MAX * (ENDPOINT_HOST_SIZE + 16));

    if (endpoint_list(value, 26379, SENTINELS_MAX, places, &count) != STATUS_OK) {
        return;
    }
    FUZZ_CHECK(count > 0 && count <= SENTINELS_MAX);
    for (size_t i = 0; i < count; i++) {
        text_add(&list, i == 0 ? "" : ", ");
        endpoint_add(&list, &places[i]);
    }
    FUZZ_CHECK(endpoint_list(list.data, 1, SENTINELS_MAX, again, &count_again) == STATUS_OK);
    FUZZ_CHECK(count == count_again);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(endpoint_equals(&places[i], &again[i]));
    }
}

static void check_moment(const char *value)
{
    const struct wall_time now = {INT64_C(1767636000000)};
    struct wall_time moment;
    TEXT_LOCAL(why, 256);

    if (moment_parse(value, now, &moment, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
    }
}

static void check_month(const char *value)
{
    struct audit_month month;
    char name[AUDIT_NAME_SIZE];

    if (audit_month_parse(value, &month)) {
        audit_month_name(month, name);
        FUZZ_CHECK(strcmp(name, value) == 0);
        FUZZ_CHECK(audit_month_of(audit_month_end(month)).number == month.number + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    size_t length;
    char *value = bytes_until(&bytes, '\0', true, &length);

    check_urls(value);
    check_endpoints(value);
    check_moment(value);
    check_month(value);
    free(value);
    return 0;
}
