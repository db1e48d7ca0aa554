/* What was told of services, so that the next process tells none of it again. */
#include <string.h>

#include "controller/watcher/snapshot.h"

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

void snapshot_read_services(const struct json *document, struct services *services)
{
    const struct json *object = json_get(document, "services");

    services->config_alerted |= json_get_bool(document, "config_alerted");
    for (const struct json *item = json_first(object); item != NULL; item = json_next(item)) {
        services_recall(
            services, &(struct service_memory){
                          .name = json_key(item),
                          .told = service_status_of(json_get_string(item, "status")),
                          .reason = json_get_string(item, "reason"),
                          .since = json_get_wall(item, "since"),
                          .died = json_get_wall(item, "died"),
                      });
    }
}
