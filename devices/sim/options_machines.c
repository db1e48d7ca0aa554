/* Which machines, and on which broker. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "controller/support/mqtt_url.h"
#include "devices/sim/file.h"
#include "devices/sim/options_inside.h"

void options_complain(struct options_reading *reading, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("tagout-sim: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    reading->wrong = true;
}

static bool has_second_relay(const struct json *machine)
{
    const struct json *second = json_get(machine, "second_relay");

    return second != NULL && json_type(second) == JSON_OBJECT;
}

/* Who comes to it, mostly. */
static void find_trained(
    struct option_machine *machine, const struct cards *cards, const struct json *configured)
{
    machine->trained = calloc(cards->count + 1, sizeof *machine->trained);
    for (size_t i = 0; i < cards->count && machine->trained != NULL; i++) {
        if (cards_is_trained(&cards->all[i], configured)) {
            machine->trained[machine->trained_count++] = i;
        }
    }
}

/* `configured` is its part of machines.json, or NULL. */
static void
add_machine(struct options_reading *reading, const char *name, const struct json *configured)
{
    struct options *options = reading->options;
    struct option_machine *machines;

    for (size_t i = 0; i < options->machine_count; i++) {
        if (strcmp(options->machines[i].name, name) == 0) {
            options_complain(reading, "%s: named twice", name);
            return;
        }
    }
    if (!text_is_name(name, TOPIC_MACHINE_MAX)) {
        options_complain(reading, "%s: a machine's name is 1 to 64 of a-z 0-9 _ -", name);
        return;
    }
    machines = options->machine_count >= OPTIONS_MACHINES_MAX
                   ? NULL
                   : realloc(options->machines, (options->machine_count + 1) * sizeof *machines);
    if (machines == NULL) {
        options_complain(reading, "too many machines, at most %d", OPTIONS_MACHINES_MAX);
        return;
    }
    options->machines = machines;
    machines += options->machine_count++;
    *machines = (struct option_machine){0};
    text_copy(machines->name, sizeof machines->name, name);
    if (configured != NULL) {
        machines->second_relay = has_second_relay(configured);
        find_trained(machines, &options->cards, configured);
    }
}

static void
take_names(struct options_reading *reading, const struct json *file, char *names[], int count)
{
    for (int i = 0; i < count; i++) {
        add_machine(reading, names[i], file == NULL ? NULL : json_get(file, names[i]));
    }
    if (count > 0 || file == NULL) {
        return;
    }
    for (const struct json *machine = json_first(file); machine != NULL;
         machine = json_next(machine)) {
        add_machine(reading, json_key(machine), machine);
    }
}

void options_take_machines(struct options_reading *reading, char *names[], int count)
{
    struct json *file = NULL;
    TEXT_LOCAL(why, 512);
    TEXT_LOCAL(name, TOPIC_MACHINE_MAX + 32);

    if (reading->machines != NULL && file_load_json(reading->machines, &file, &why) != STATUS_OK) {
        options_complain(reading, "%s", why.data);
        return;
    }
    if (file != NULL && json_type(file) != JSON_OBJECT) {
        options_complain(reading, "%s: not an object of machines", reading->machines);
    } else {
        take_names(reading, file, names, count);
    }
    json_free(file);
    for (size_t i = 1; i <= reading->count && !reading->wrong; i++) {
        text_clear(&name);
        text_addf(&name, "%s-%zu", reading->name_prefix, i);
        add_machine(reading, name.data, NULL);
    }
    if (!reading->wrong && reading->options->machine_count == 0) {
        options_complain(reading, "no machine: name some, or use --machines or --count");
    }
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

void options_check_broker(struct options_reading *reading)
{
    const struct options *options = reading->options;
    struct mqtt_url url;
    TEXT_LOCAL(why, 256);

    if (mqtt_url_parse(options->url, &url, &why) != STATUS_OK) {
        options_complain(reading, "%s: %s", options->url, why.data);
    } else if (!options->really && !is_loopback(url.host)) {
        options_complain(
            reading,
            "%s is not this host: simulated machines beside real ones confuse people (--really)",
            url.host);
    }
    if (!text_is_name(options->prefix, TOPIC_PREFIX_MAX)) {
        options_complain(reading, "--prefix %s: 1 to 32 of a-z 0-9 _ -", options->prefix);
    }
    if (!text_is_name(options->account, TOPIC_MACHINE_MAX)) {
        options_complain(reading, "--account %s: 1 to 64 of a-z 0-9 _ -", options->account);
    }
}
