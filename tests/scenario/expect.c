#include "tests/scenario/expect.h"

#include <stdlib.h>
#include <string.h>

#include "tests/scenario/expect_inside.h"
#include "tests/scenario/log.h"
#include "tests/scenario/match.h"

struct published *find_new(struct world *world, enum topic_id id, const char *first)
{
    struct broker *broker = &world->broker;

    for (size_t i = 0; i < broker->published_count; i++) {
        struct published *published = &broker->published[i];
        if (published->act == world->act && !published->seen && published->match.id == id &&
            (first == NULL || strcmp(published->match.first, first) == 0)) {
            return published;
        }
    }
    return NULL;
}

void describe_act(const struct world *world, struct text *text)
{
    const struct broker *broker = &world->broker;
    bool any = false;

    for (size_t i = 0; i < broker->published_count; i++) {
        const struct published *published = &broker->published[i];
        if (published->act == world->act) {
            any = true;
            text_addf(
                text, "\n      %s %s %s",
                published->seen ? "was expected:" : "saw:", published->topic, published->payload);
        }
    }
    if (!any) {
        text_add(text, "\n      nothing was published");
    }
}

void fail_with_act(struct world *world, const char *what)
{
    char buffer[3400];
    struct text text = text_over(buffer, sizeof buffer);

    text_add(&text, what);
    describe_act(world, &text);
    world_fail(world, "%s", buffer);
}

/* ---- what must not be there ---- */

static void expect_nothing(struct world *world)
{
    static const enum topic_id ids[] = {
        TOPIC_COMMAND, TOPIC_EVENT, TOPIC_RESPONSE, TOPIC_SAVE_TIMEOUT, TOPIC_RESTART};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (find_new(world, ids[i], NULL) != NULL) {
            fail_with_act(world, "something was published besides what was expected");
            return;
        }
    }
}

static void expect_none(struct world *world, struct words *words)
{
    static const struct {
        const char *word;
        enum topic_id id;
    } kinds[] = {
        {"command", TOPIC_COMMAND},
        {"state", TOPIC_STATE},
        {"event", TOPIC_EVENT},
        {"answer", TOPIC_RESPONSE},
        {"save_timeout", TOPIC_SAVE_TIMEOUT},
        {"telemetry", TOPIC_TELEMETRY},
        {"probe", TOPIC_PROBE},
        {"restart", TOPIC_RESTART},
    };

    if (words_take(words, "log")) {
        if (scenario_log_has(words_next(words))) {
            world_fail(world, "the log has that line");
        }
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (words_take(words, kinds[i].word)) {
            const char *machine = words_end(words) ? NULL : words_next(words);
            if (find_new(world, kinds[i].id, machine) != NULL) {
                fail_with_act(world, "there is one");
            }
            return;
        }
    }
    world_fail(world, "no what?");
}

/* `expect 2 probes table-saw`, `expect at most 40 probes table-saw`: in this act. */
static bool expect_probes(struct world *world, struct words *words)
{
    const struct broker *broker = &world->broker;
    size_t start = words->at;
    bool at_most = words_take(words, "at most");
    double wanted = 0;
    double count = 0;
    const char *machine;

    if (!words_number(words, &wanted) || !words_take(words, "probes")) {
        words->at = start;
        return false;
    }
    machine = words_next(words);
    for (size_t i = 0; i < broker->published_count; i++) {
        const struct published *published = &broker->published[i];
        count += published->act == world->act && published->match.id == TOPIC_PROBE &&
                 strcmp(published->match.first, machine) == 0;
    }
    if (count > wanted || (!at_most && count < wanted)) {
        world_fail(world, "there were %.0f", count);
    }
    return true;
}

/* ---- the controller itself ---- */

/* Over all its labels; the values of those have no blanks. False: there is no such counter. */
static bool sum_counter(const char *metrics, const char *name, double *ret_sum)
{
    bool found = false;
    TEXT_LOCAL(start, 128);

    *ret_sum = 0;
    text_addf(&start, "\ntagout_%s_total", name);
    for (const char *at = metrics; (at = strstr(at, start.data)) != NULL;) {
        at += start.length;
        if (*at == ' ' || *at == '{') {
            found = true;
            *ret_sum += strtod(at + strcspn(at, " "), NULL);
        }
    }
    return found;
}

static void expect_counter(struct world *world, struct words *words)
{
    static char metrics[65536];
    struct text text = text_over(metrics, sizeof metrics);
    const char *name = words_next(words);
    double wanted = 0;
    double sum;

    controller_metrics(world->controller, &text);
    if (!sum_counter(metrics, name, &sum) || !words_number(words, &wanted)) {
        world_fail(world, "there is no such counter, or no number");
        return;
    }
    if (sum < wanted || sum > wanted) {
        world_fail(world, "it is %.0f", sum);
    }
}

static bool expect_controller(struct world *world, struct words *words)
{
    bool ready = world->controller != NULL && controller_is_ready(world->controller);

    if (words_take(words, "ready")) {
        if (!ready) {
            world_fail(world, "the controller is not ready");
        }
    } else if (words_take(words, "not ready")) {
        if (ready) {
            world_fail(world, "the controller is ready");
        }
    } else if (words_take(words, "counter")) {
        expect_counter(world, words);
    } else if (words_take(words, "log")) {
        if (!scenario_log_has(words_next(words))) {
            world_fail(world, "the log has no such line");
        }
    } else {
        return false;
    }
    return true;
}

void expect(struct world *world, struct words *words)
{
    if (world->at_once) {
        world_fail(world, "expect something after `done`");
    } else if (words_take(words, "nothing")) {
        expect_nothing(world);
    } else if (words_take(words, "no")) {
        expect_none(world, words);
    } else if (
        !expect_probes(world, words) && !expect_controller(world, words) &&
        !expect_message(world, words) && !expect_stored(world, words)) {
        expect_command(world, words);
    }
    if (!world_has_failed(world) && !words_end(words)) {
        world_fail(world, "what does \"%s\" mean here?", words_peek(words));
    }
}
