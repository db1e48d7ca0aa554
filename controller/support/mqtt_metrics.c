#include "controller/support/mqtt_metrics.h"

#include "controller/support/exposition.h"

void mqtt_metrics_print(const struct mqtt *mqtt, struct text *out)
{
    struct mqtt_counts counts = mqtt_counts(mqtt);

    exposition_counter(
        out, "tagout_mqtt_connects_total", "Connections to the broker", (double)counts.connects);
    exposition_counter(
        out, "tagout_mqtt_published_total", "Messages handed to the broker",
        (double)counts.published);
    exposition_counter(
        out, "tagout_mqtt_merged_total", "Messages that a newer one replaced",
        (double)counts.merged);
    exposition_counter(
        out, "tagout_mqtt_dropped_total", "Messages lost to a full outbox", (double)counts.dropped);
    exposition_gauge(out, "tagout_mqtt_waiting", "Messages in the outbox", (double)counts.waiting);
    exposition_gauge(
        out, "tagout_mqtt_in_flight", "Messages that the broker has not acknowledged",
        (double)counts.in_flight);
}
