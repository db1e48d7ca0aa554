#include "tests/scenario/acts.h"

#include <string.h>

/* ---- who and what there is ---- */

static void note_overrider(struct world *world)
{
    const struct shop *shop = &world->shop;

    for (size_t i = 0; i < shop->user_count; i++) {
        if (shop->users[i].may_override && world->overrider_count < SHOP_MAX) {
            world->overriders[world->overrider_count++] = shop->users[i].account;
        }
    }
}

static bool leaves(struct words *words, const char **ret_name)
{
    size_t start = words->at;

    *ret_name = words_next(words);
    if (words_take(words, "leaves")) {
        return true;
    }
    words->at = start;
    return false;
}

static void declare_machine(struct world *world, struct words *words)
{
    const char *name = words_peek(words);
    const char *wrong = NULL;

    if (leaves(words, &name)) {
        wrong = shop_remove_machine(&world->shop, name) ? NULL : "there is no such machine";
    } else {
        wrong = shop_machine(&world->shop, words);
        if (wrong == NULL) {
            /* In the order of the file, so that it is the same one in every run. */
            world_device(world, name)->ever_always_on |=
                shop_find_machine(&world->shop, name)->relay.always_on;
        }
    }
    if (wrong != NULL) {
        world_fail(world, "%s", wrong);
    }
}

static void declare_user(struct world *world, struct words *words)
{
    const char *name = NULL;
    const char *wrong = NULL;

    if (leaves(words, &name)) {
        wrong = shop_remove_user(&world->shop, name) ? NULL : "there is no such user";
    } else {
        wrong = shop_user(&world->shop, words);
        note_overrider(world);
    }
    if (wrong != NULL) {
        world_fail(world, "%s", wrong);
    }
}

bool act_declare(struct world *world, struct words *words)
{
    if (words_take(words, "machine")) {
        declare_machine(world, words);
    } else if (words_take(words, "user")) {
        declare_user(world, words);
    } else if (words_take(words, "setting")) {
        const char *wrong = shop_setting(&world->shop, words);
        if (wrong != NULL) {
            world_fail(world, "%s", wrong);
        }
    } else if (words_take(words, "file users.json is")) {
        world->shop.users_file = words_next(words);
    } else if (words_take(words, "file machines.json is")) {
        world->shop.machines_file = words_next(words);
    } else if (words_take(words, "files are as declared")) {
        world->shop.users_file = NULL;
        world->shop.machines_file = NULL;
    } else if (words_take(words, "files are slow")) {
        world->files_are_slow = true;
    } else if (words_take(words, "files are read")) {
        world->files_are_slow = false;
    } else {
        return false;
    }
    return true;
}

/* ---- the controller ---- */

static void start(struct world *world, bool waits)
{
    if (world_start(world) && waits) {
        world_await_ready(world);
    }
}

static bool needs_controller(struct world *world)
{
    if (world->controller == NULL) {
        world_fail(world, "the controller does not run");
        return false;
    }
    return true;
}

bool act_controller(struct world *world, struct words *words)
{
    int64_t ms = 0;

    if (words_take(words, "start") || words_take(words, "controller starts")) {
        start(world, true);
    } else if (words_take(words, "controller begins to start")) {
        start(world, false);
    } else if (words_take(words, "controller is killed and starts again")) {
        if (needs_controller(world)) {
            world_kill(world);
            start(world, true);
        }
    } else if (words_take(words, "controller is killed")) {
        if (needs_controller(world)) {
            world_kill(world);
        }
    } else if (words_take(words, "controller stops")) {
        if (needs_controller(world)) {
            world_stop(world);
        }
    } else if (words_take(words, "SIGHUP")) {
        if (needs_controller(world)) {
            controller_reload(world->controller);
        }
    } else if (words_take(words, "clock is free")) {
        world->clock_is_free = true;
    } else if (words_take(words, "wall clock jumps")) {
        bool back = words_take(words, "back");
        if (!words_duration(words, &ms)) {
            world_fail(world, "how far?");
        }
        world->wall_jump_ms += back ? -ms : ms;
    } else {
        return false;
    }
    return true;
}

/* ---- the broker ---- */

static void lose_broker(struct world *world)
{
    world->broker_is_up = false;
    broker_disconnect(&world->broker);
}

static void find_broker(struct world *world)
{
    world->broker_is_up = true;
    if (world->controller != NULL) {
        broker_connect(&world->broker, world->act);
    }
}

static void send_message(struct world *world, struct words *words, bool retained)
{
    const char *topic = words_next(words);
    const char *payload = words_next(words);

    broker_send(&world->broker, topic, payload, strlen(payload), retained, false);
}

static void home_assistant(struct world *world, struct words *words)
{
    bool oops = words_take(words, "oops");
    char topic[TOPIC_SIZE];
    const char *payload;

    if (!oops && !words_take(words, "lockout")) {
        world_fail(world, "Home Assistant sets oops or lockout, nothing else");
        return;
    }
    if (topic_build(
            topic, sizeof topic, BROKER_PREFIX, oops ? TOPIC_SET_OOPS : TOPIC_SET_LOCKOUT,
            words_next(words), NULL) != STATUS_OK) {
        world_fail(world, "of which machine?");
        return;
    }
    payload = words_next(words);
    broker_send(&world->broker, topic, payload, strlen(payload), false, false);
}

bool act_broker(struct world *world, struct words *words)
{
    if (words_take(words, "broker is lost")) {
        lose_broker(world);
    } else if (words_take(words, "broker is back")) {
        find_broker(world);
    } else if (words_take(words, "broker restarts empty")) {
        lose_broker(world);
        broker_forget(&world->broker);
        world_settle(world);
        find_broker(world);
    } else if (words_take(words, "broker forgets everything")) {
        broker_forget(&world->broker);
    } else if (words_take(words, "broker grants nothing")) {
        world->broker_says_no = true;
    } else if (words_take(words, "broker is copied")) {
        broker_keep_copy(&world->broker);
    } else if (words_take(words, "broker is restored from the copy")) {
        broker_restore_copy(&world->broker);
    } else if (words_take(words, "retained message")) {
        send_message(world, words, true);
    } else if (words_take(words, "message")) {
        send_message(world, words, false);
    } else if (words_take(words, "Home Assistant sets")) {
        home_assistant(world, words);
    } else {
        return false;
    }
    return true;
}
