#include "controller/backup/named.h"

#include <stdbool.h>
#include <string.h>

size_t backup_named(const struct settings *settings, const char *ret_paths[BACKUP_NAMED_MAX])
{
    const char *const paths[BACKUP_NAMED_MAX] = {
        settings->controller.machines, settings->controller.users,
        settings->mqtt.ca_file,        settings->mqtt.cert_file,
        settings->mqtt.key_file,       settings->mosquitto.password_file,
        settings->mosquitto.acl_file,  settings->mosquitto.certificate_file,
    };
    size_t count = 0;

    for (size_t i = 0; i < BACKUP_NAMED_MAX; i++) {
        bool is_new = paths[i][0] != '\0';

        for (size_t j = 0; is_new && j < count; j++) {
            is_new = strcmp(ret_paths[j], paths[i]) != 0;
        }
        if (is_new) {
            ret_paths[count++] = paths[i];
        }
    }
    return count;
}
