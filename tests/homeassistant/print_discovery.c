/* Prints what the controller would tell Home Assistant of the machines in a configuration, one
 * message a line, its topic first. usage: print_discovery FILE */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/daemon/discovery_message.h"

static void print(const char *topic, const struct text *payload)
{
    printf("%s %s\n", topic, payload->data);
}

static enum status print_all(const struct settings *settings, const struct roster *roster)
{
    char topic[TOPIC_SIZE];
    TEXT_LOCAL(payload, DISCOVERY_BYTES_MAX);
    enum status status = discovery_topic(settings, NULL, topic);

    if (status == STATUS_OK) {
        status = discovery_print_controller(settings, &payload);
    }
    for (size_t i = 0; status == STATUS_OK && i < roster_machine_count(roster); i++) {
        const struct roster_machine *machine = roster_machine_at(roster, i);
        print(topic, &payload);
        text_clear(&payload);
        status = discovery_topic(settings, machine->name, topic);
        if (status == STATUS_OK) {
            status = discovery_print_machine(settings, machine, "1.0.0", &payload);
        }
    }
    if (status == STATUS_OK) {
        print(topic, &payload);
    }
    return status;
}

int main(int count, char *values[])
{
    struct settings *settings = NULL;
    struct roster *roster = NULL;
    enum status status = STATUS_INVALID;
    TEXT_LOCAL(why, 512);

    if (count != 2 || sodium_init() < 0) {
        fputs("usage: print_discovery FILE\n", stderr);
        return 2;
    }
    status = settings_load(values[1], &settings, &why);
    if (status == STATUS_OK) {
        status =
            roster_load(settings->controller.machines, settings->controller.users, &roster, &why);
    }
    if (status == STATUS_OK) {
        status = print_all(settings, roster);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "print_discovery: %s\n", why.length > 0 ? why.data : status_text(status));
    }
    roster_free(roster);
    settings_free(settings);
    return status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
