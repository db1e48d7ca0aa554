#include "controller/config/broker_options.h"

struct mqtt_options broker_options(const struct settings *settings)
{
    return (struct mqtt_options){
        .url = settings->mqtt.url,
        .username = settings->mqtt.username,
        .password = settings->mqtt.password,
        .ca_file = settings->mqtt.ca_file,
        .cert_file = settings->mqtt.cert_file,
        .key_file = settings->mqtt.key_file,
    };
}
