/* What people read of services: which one, why, and what to do about it. */
#include <string.h>

#include "controller/watcher/alert.h"

#define CONTROLLER "controller-"

static const struct kind {
    const char *service; /* a controller's stands for all of them */
    const char *name;
    const char *meaning; /* for whoever stands at a machine */
    const char *next_step;
} kinds[] = {
    {CONTROLLER, "Controller", "",
     "Look at its host: systemctl status tagoutd; journalctl -u tagoutd"},
    {"leader", "Leader",
     " Machines in use go on while their card is in; no other card opens anything.",
     "Start a controller: systemctl start tagoutd. Then look: tagoutctl status"},
    {"redis", "Redis", " Cards still work; do not power-cycle anything.",
     "Look at the server's disk and: systemctl status redis-server"},
    {"broker", "Broker",
     " Machines in use go on while their card is in; no other card opens anything.",
     "Look at its host and network, and: systemctl status mosquitto"},
    {"watcher", "Watcher", " The other one tells you from now on.",
     "Look at its host: systemctl status tagout-watcher"},
};

static const struct kind *kind_of(const char *service)
{
    for (size_t i = 1; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].service, service) == 0) {
            return &kinds[i];
        }
    }
    return &kinds[0];
}

static const char *id_of(const char *service)
{
    size_t length = strlen(CONTROLLER);
    return strncmp(service, CONTROLLER, length) == 0 ? service + length : "";
}

static void add_name(const struct kind *kind, const struct alert *alert, struct text *out)
{
    const char *id = id_of(alert->service);

    text_add(out, kind->name);
    if (id[0] != '\0') {
        text_addf(out, " %s", id);
    }
}

static void add_error(const struct kind *kind, const struct alert *alert, struct text *out)
{
    add_name(kind, alert, out);
    text_addf(out, ": %s.%s", alert->reason, kind->meaning);
    if (alert->leads) {
        text_addf(out, " It led, and until another takes over:%s", kind_of("leader")->meaning);
    }
    text_addf(out, " %s", kind->next_step);
}

static void add_recovered(const struct kind *kind, const struct alert *alert, struct text *out)
{
    if (strcmp(kind->service, "leader") == 0) {
        text_addf(out, "Controller %s leads: cards open machines again, after ", alert->reason);
    } else {
        add_name(kind, alert, out);
        text_addf(out, ": works again%s, after ", alert->leads ? " and leads" : "");
    }
    alert_add_duration(out, alert->lasted_ms);
    text_add(out, ".");
}

void alert_service_text(const struct alert *alert, struct text *out)
{
    const struct kind *kind = kind_of(alert->service);

    if (alert->kind == ALERT_SERVICE_ERROR) {
        add_error(kind, alert, out);
    } else if (alert->kind == ALERT_SERVICE_RECOVERED) {
        add_recovered(kind, alert, out);
    } else if (alert->kind == ALERT_CONFIG_DIFFERS) {
        text_addf(
            out,
            "Controllers %s have different users or machines: after a change of the leader "
            "other cards would open. Compare users.json and machines.json on their hosts, "
            "then: tagoutctl reload",
            alert->reason);
    } else {
        text_add(out, "Controllers have the same users and machines again.");
    }
}
