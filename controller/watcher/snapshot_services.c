/* What was told of services, so that the next process tells none of it again. */
#include <string.h>

#include "controller/watcher/snapshot.h"
#include "topics/state.h"

static void print_service(struct json_out *out, const struct service *service)
{
    if (service->told == SERVICE_UNKNOWN && !service->alerted) {
        return;
    }
    json_out_open(out, service->name, '{');
    json_out_string(out, "status", service_status_text(service->told));
    json_out_string(out, "reason", service->told_reason);
    json_out_wall(out, "since", service->since);
    if (service->alerted) {
        json_out_wall(out, "died", service->died);
    }
    json_out_close(out, '}');
}

void snapshot_print_services(struct json_out *out, struct services *services)
{
    const struct service *service;

    json_out_open(out, "services", '{');
    for (size_t i = 0; (service = services_at(services, i)) != NULL; i++) {
        print_service(out, service);
    }
    json_out_close(out, '}');
    if (services->config_alerted) {
        json_out_bool(out, "config_alerted", true);
    }
}

static struct wall_time wall_of(const struct json *object, const char *key)
{
    const struct json *node = json_get(object, key);
    double value = node != NULL && json_type(node) == JSON_NUMBER ? json_number(node) : 0;
    return (struct wall_time){value > 0 && value < 1e12 ? (int64_t)(value * 1000 + 0.5) : 0};
}

void snapshot_read_services(const struct json *document, struct services *services)
{
    const struct json *object = json_get(document, "services");
    const struct json *config = json_get(document, "config_alerted");

    services->config_alerted |=
        config != NULL && json_type(config) == JSON_BOOL && json_bool(config);
    for (const struct json *item = object == NULL ? NULL : json_first(object); item != NULL;
         item = json_next(item)) {
        services_recall(
            services, &(struct service_memory){
                          .name = json_key(item),
                          .told = service_status_of(json_get_string(item, "status")),
                          .reason = json_get_string(item, "reason"),
                          .since = wall_of(item, "since"),
                          .died = wall_of(item, "died"),
                      });
    }
}
