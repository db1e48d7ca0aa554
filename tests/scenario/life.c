#include "tests/scenario/life.h"

#include <stdlib.h>
#include <string.h>

#include "tests/scenario/world.h"
#include "topics/presence.h"

#define BEAT_MS 10000
#define ROAM_MS 300

static void lose_every(struct world *world, struct device *device, int64_t every_ms)
{
    device->life.lose_every_ms = every_ms;
    device->life.lose_ms = world->clock_ms + every_ms;
}

static void be_silent(struct device *device, bool pongs)
{
    device->life = (struct life){.is_silent = !pongs};
}

bool life_play(struct world *world, struct device *device, struct words *words)
{
    int64_t ms = 0;

    if (device == NULL) {
        return false;
    }
    if (words_take(words, "lives")) {
        device->life = (struct life){.beat_ms = world->clock_ms + BEAT_MS};
    } else if (words_take(words, "falls silent")) {
        be_silent(device, false);
    } else if (words_take(words, "hangs with pongs")) {
        be_silent(device, true);
    } else if (words_take(words, "roams every") && words_duration(words, &ms)) {
        device->life.lost_for_ms = ROAM_MS;
        lose_every(world, device, ms);
    } else if (words_take(words, "flaps every") && words_duration(words, &ms)) {
        device->life.lost_for_ms = ms / 2;
        lose_every(world, device, ms);
        if (!words_take(words, "for") || !words_duration(words, &ms)) {
            world_fail(world, "for how long?");
        }
        device->life.lose_until_ms = world->clock_ms + ms;
    } else {
        return false;
    }
    return true;
}

static bool is_due(const struct world *world, int64_t at_ms)
{
    return at_ms != 0 && world->clock_ms >= at_ms;
}

static void lose_link(struct world *world, struct device *device)
{
    struct life *life = &device->life;

    life->lose_ms = 0;
    if (life->lose_until_ms == 0 || world->clock_ms < life->lose_until_ms) {
        life->link_is_lost = true;
        life->back_ms = world->clock_ms + life->lost_for_ms;
        device_send(world, device, TOPIC_LINK, "lost", true);
    }
}

static void find_link(struct world *world, struct device *device)
{
    struct life *life = &device->life;

    life->link_is_lost = false;
    life->back_ms = 0;
    life->lose_ms = world->clock_ms + life->lose_every_ms - life->lost_for_ms;
    device_send(world, device, TOPIC_LINK, "online", true);
    device_report(world, device); /* C7.4: on connect */
}

static void turn(struct world *world, struct device *device)
{
    struct life *life = &device->life;

    if (is_due(world, life->lose_ms)) {
        lose_link(world, device);
    }
    if (is_due(world, life->back_ms)) {
        find_link(world, device);
    }
    if (is_due(world, life->beat_ms)) {
        life->beat_ms = world->clock_ms + BEAT_MS;
        if (!life->link_is_lost) {
            device_report(world, device);
        }
    }
}

void life_turn(struct world *world)
{
    for (size_t i = 0; i < world->device_count; i++) {
        turn(world, &world->devices[i]);
    }
}

int64_t life_next(const struct world *world)
{
    int64_t next = 0;

    for (size_t i = 0; i < world->device_count; i++) {
        const struct life *life = &world->devices[i].life;
        const int64_t times[] = {life->beat_ms, life->lose_ms, life->back_ms};
        for (size_t j = 0; j < sizeof times / sizeof times[0]; j++) {
            if (times[j] != 0 && (next == 0 || times[j] < next)) {
                next = times[j];
            }
        }
    }
    return next;
}

void life_answer(struct world *world, struct device *device, const char *payload)
{
    const char *id = strchr(payload, ':');
    TEXT_LOCAL(pong, 128);

    if (device->boots == 0 || device->life.is_silent || device->life.link_is_lost || id == NULL) {
        return;
    }
    text_addf(&pong, "{\"id\":%lu,\"boot_id\":\"%s\"}", strtoul(id + 1, NULL, 10), device->boot_id);
    device_send(world, device, TOPIC_PONG, pong.data, false);
}
