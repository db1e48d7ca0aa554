/* When certificates are read, and that people hear of it. */
#include "controller/support/log.h"
#include "controller/watcher/watcher_inside.h"

#define READ_EACH_MS ((int64_t)24 * 60 * 60 * 1000)
#define LOOK_MS 200

void watch_certificates_begin(struct watcher *watcher)
{
    const struct settings *settings = watcher->settings;

    certificates_add(&watcher->certificates, settings->mqtt.ca_file);
    certificates_add(&watcher->certificates, settings->mqtt.cert_file);
    certificates_add(&watcher->certificates, settings->mosquitto.certificate_file);
    watcher->certificates_at = watcher->now.mono;
}

static void tell(struct watcher *watcher)
{
    struct alert alert;

    /* What was told before the restart has to be known, and the other one of two may be telling. */
    if (!watcher->has_past || watcher->role.silent || !role_may_speak(&watcher->role)) {
        return;
    }
    for (size_t i = 0; i < watcher->certificates.count; i++) {
        if (certificates_tell(&watcher->certificates.items[i], watcher->now.wall, &alert)) {
            (void)watcher_raise(watcher, &alert, 0);
            watcher->save_at_once = true;
        }
    }
}

struct mono_time tick_certificates(struct watcher *watcher)
{
    if (watcher->certificates.count == 0) {
        return (struct mono_time){0};
    }
    if (watcher->reading == NULL && watcher->now.mono.ms >= watcher->certificates_at.ms) {
        watcher->certificates_at.ms = watcher->now.mono.ms + READ_EACH_MS;
        if (certificate_reading_start(&watcher->certificates, &watcher->reading) != STATUS_OK) {
            log_error("certificates could not be read; again in a day");
        }
    }
    if (watcher->reading != NULL &&
        certificate_reading_take(watcher->reading, &watcher->certificates)) {
        certificate_reading_free(watcher->reading);
        watcher->reading = NULL;
    }
    tell(watcher);
    return watcher->reading == NULL ? watcher->certificates_at
                                    : (struct mono_time){watcher->now.mono.ms + LOOK_MS};
}
