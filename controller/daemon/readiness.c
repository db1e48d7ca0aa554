/* Whether the controller does what it is there for, and if not, what is missing (C12). */
#include "controller/daemon/controller_inside.h"

struct findings {
    bool ready;
    void (*say)(void *context, const char *what);
    void *context;
};

static void expect(struct findings *findings, bool holds, const char *else_what)
{
    if (!holds) {
        findings->ready = false;
        findings->say(findings->context, else_what);
    }
}

bool controller_is_working(
    const struct controller *controller, void (*say)(void *context, const char *what),
    void *context)
{
    struct findings findings = {.ready = true, .say = say, .context = context};
    const struct lease *lease = &controller->lease;

    if (!controller->connected) {
        expect(&findings, false, "not connected to the broker");
        return false;
    }
    expect(
        &findings, !controller->is_unheard,
        "the broker brings back nothing of its own: see the log");
    switch (controller->phase) {
    case PHASE_CONNECTING:
    case PHASE_COLLECTING:
        expect(&findings, false, "still reads the states that were kept");
        break;
    case PHASE_STANDBY:
        expect(&findings, lease->role != LEASE_ANNOUNCES, "announces that it will lead");
        expect(&findings, controller->said_standby, "has neither the lead nor a leader");
        break;
    case PHASE_TAKING:
        expect(&findings, false, "takes over the lead");
        break;
    case PHASE_READY:
        expect(&findings, lease_may_speak(lease), "silent until it is sure that it leads");
        expect(&findings, controller->hears, "does not hear the machines yet");
        break;
    }
    return findings.ready;
}
