#include "tests/scenario/play.h"

#include <string.h>

#include "tests/scenario/acts.h"
#include "tests/scenario/check.h"
#include "tests/scenario/expect.h"
#include "tests/scenario/log.h"

#define RECOVERY_MS 1500

static bool pass_time(struct world *world, struct words *words)
{
    int64_t ms = 0;

    if (!words_take(words, "after")) {
        return false;
    }
    if (words_duration(words, &ms)) {
        world_pass(world, ms);
    } else {
        world_fail(world, "how long? (10 s, 1999 ms, 5 min)");
    }
    return true;
}

static bool hold(struct world *world, struct words *words)
{
    if (words_take(words, "at once")) {
        world->at_once = true;
    } else if (words_take(words, "done")) {
        world->at_once = false;
    } else {
        return false;
    }
    return true;
}

static bool play_act(struct world *world, struct words *words)
{
    return pass_time(world, words) || hold(world, words) || act_declare(world, words) ||
           act_controller(world, words) || act_broker(world, words) || act_redis(world, words) ||
           act_request(world, words) || device_play(world, words);
}

static void next_act(struct world *world)
{
    if (world->act + 1 == WORLD_ACTS_MAX) {
        world_fail(world, "the scenario is too long");
        return;
    }
    world->act++;
    scenario_log_mark();
}

/* A single failure is made good within this time; that a second one comes at the same moment is
 * beyond what is promised. */
static void recover(struct world *world)
{
    if (world->fault.struck && !world->has_recovered && !world->at_once) {
        world->has_recovered = true;
        world_pass(world, RECOVERY_MS);
    }
}

static void play_line(struct world *world, const struct line *line, bool expects)
{
    struct words words = {.line = line};

    world->line = line;
    if (words_take(&words, "expect")) {
        if (expects) {
            expect(world, &words);
        }
        return;
    }
    if (!world->at_once) {
        next_act(world);
    }
    if (!play_act(world, &words)) {
        world_fail(world, "\"%s\": nothing like that can happen", line->words[0]);
        return;
    }
    if (!words_end(&words)) {
        world_fail(world, "what does \"%s\" mean here?", words_peek(&words));
        return;
    }
    world_settle(world);
    recover(world);
    check_act(world);
}

bool play(
    const struct scenario *scenario, const char *folder, const struct run *run, char failure[4096],
    struct fault *ret_fault, struct trace *ret_trace)
{
    struct world *world = world_new(folder);
    bool good;

    scenario_log_clear();
    world->fault = run->fault;
    world->sound = run->sound;
    for (size_t i = 0; i < scenario->count && !world_has_failed(world); i++) {
        play_line(world, scenario->lines[i], run->expects);
        if (i + 1 == scenario->shared) {
            memcpy(world->trace.shared_calls, world->trace.calls, sizeof world->trace.shared_calls);
        }
    }
    good = !world_has_failed(world);
    text_copy(failure, 4096, world->failure);
    if (ret_fault != NULL) {
        *ret_fault = world->fault;
    }
    if (ret_trace != NULL) {
        *ret_trace = world->trace;
    }
    world_free(world);
    return good;
}
