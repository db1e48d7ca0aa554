/* C11.6: the leader watches the watcher, for who else would tell that nobody tells anything? What
 * is known of it comes from `service/watcher` alone, its last will included. */
#include "controller/daemon/controller_inside.h"
#include "controller/support/log.h"
#include "topics/presence.h"

static void conclude(struct controller *controller, bool missing)
{
    struct watcher_watch *watch = &controller->watcher_watch;
    bool changed = !watch->known || watch->missing != missing;

    watch->known = true;
    watch->missing = missing;
    watch->missing_at = (struct mono_time){0};
    if (!changed) {
        return;
    }
    if (missing) {
        log_warning("the watcher does not run: nobody is told of failures; start tagout-watcher");
    } else {
        log_info("the watcher runs");
    }
    if (controller->phase == PHASE_READY) {
        publish_status(controller, "running");
    }
}

/* Time for one that is being started, or started again, to say so. */
static void wait_for_it(struct controller *controller)
{
    struct watcher_watch *watch = &controller->watcher_watch;

    if (watch->missing_at.ms == 0 && !watch->missing) {
        watch->missing_at.ms = controller->now.mono.ms + controller->liveness.settle_ms;
    }
}

void watcher_watch_begin(struct controller *controller)
{
    controller->watcher_watch.missing_at = (struct mono_time){0};
    wait_for_it(controller);
}

void watcher_watch_pause(struct controller *controller)
{
    controller->watcher_watch.missing_at = (struct mono_time){0};
}

void watcher_watch_heard(struct controller *controller, const char *payload, size_t length)
{
    enum service_word word = SERVICE_STOPPED;
    TEXT_LOCAL(why, 256);

    if (length > 0 && service_parse(payload, length, &word, &why) != STATUS_OK) {
        controller->counters.bad_messages++;
        return;
    }
    switch (word) {
    case SERVICE_RUNNING:
        conclude(controller, false);
        break;
    case SERVICE_STOPPED:
        wait_for_it(controller);
        break;
    case SERVICE_ERROR:
        conclude(controller, true);
        break;
    }
}

void watcher_watch_tick(struct controller *controller)
{
    const struct watcher_watch *watch = &controller->watcher_watch;

    if (mono_is_past(watch->missing_at, controller->now.mono)) {
        conclude(controller, true);
    }
}

struct mono_time watcher_watch_deadline(const struct controller *controller)
{
    return controller->watcher_watch.missing_at;
}

const char *watcher_watch_text(const struct controller *controller)
{
    const struct watcher_watch *watch = &controller->watcher_watch;

    return !watch->known ? "unknown" : watch->missing ? "missing" : "running";
}
