#include "controller/support/mqtt_backoff.h"

#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

static int random_up_to(int most)
{
    unsigned random = 0;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        random = (unsigned)getpid();
    }
    return (int)(random % (unsigned)(most + 1));
}

void mqtt_backoff_plan(struct mqtt_backoff *backoff, struct mono_time now)
{
    int max_ms = backoff->max_ms > 0 ? backoff->max_ms : MQTT_BACKOFF_MAX_MS;

    if (backoff->connected_at.ms != 0 && now.ms - backoff->connected_at.ms >= MQTT_BACKOFF_MAX_MS) {
        backoff->wait_ms = 0;
    }
    backoff->connected_at = (struct mono_time){0};
    backoff->wait_ms *= 2;
    if (backoff->wait_ms < MQTT_BACKOFF_MIN_MS) {
        backoff->wait_ms = MQTT_BACKOFF_MIN_MS;
    } else if (backoff->wait_ms > max_ms) {
        backoff->wait_ms = max_ms;
    }
    backoff->retry_at.ms = now.ms + backoff->wait_ms + random_up_to(backoff->wait_ms / 2);
}
