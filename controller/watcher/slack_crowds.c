#include "controller/watcher/slack_crowds.h"

#include <string.h>

bool slack_crowds_has(enum slack_lane lane)
{
    return lane >= SLACK_MACHINES && lane < SLACK_LANE_COUNT;
}

static const struct slack_crowd *crowd_of(const struct slack_crowds *crowds, enum slack_lane lane)
{
    return &crowds->crowds[lane - SLACK_MACHINES];
}

/* ---- doubts ---- */

static void end_doubt(struct slack_crowds *crowds, const char *machine)
{
    for (size_t i = 0; i < SLACK_CROWD_KNOWN; i++) {
        if (strcmp(crowds->doubts[i].machine, machine) == 0) {
            crowds->doubts[i].machine[0] = '\0';
        }
    }
}

static void begin_doubt(struct slack_crowds *crowds, const char *machine, struct mono_time now)
{
    end_doubt(crowds, machine);
    for (size_t i = 0; i < SLACK_CROWD_KNOWN; i++) {
        struct slack_doubt *doubt = &crowds->doubts[i];
        if (doubt->machine[0] == '\0' || now.ms >= doubt->until.ms) {
            text_copy(doubt->machine, sizeof doubt->machine, machine);
            doubt->until.ms = now.ms + SLACK_CROWD_DOUBT_MS;
            return;
        }
    }
}

static bool any_doubt(const struct slack_crowds *crowds, struct mono_time now)
{
    for (size_t i = 0; i < SLACK_CROWD_KNOWN; i++) {
        if (crowds->doubts[i].machine[0] != '\0' && now.ms < crowds->doubts[i].until.ms) {
            return true;
        }
    }
    return false;
}

void slack_crowds_hear(
    struct slack_crowds *crowds, const struct heard_event *event, struct mono_time now)
{
    if (strcmp(event->event_type, "link_lost") == 0) {
        begin_doubt(crowds, event->machine, now);
    } else {
        end_doubt(crowds, event->machine); /* it was heard of, or its verdict was */
    }
}

/* ---- gathering ---- */

static bool is_known(struct slack_crowd *crowd, const char *machine)
{
    uint32_t count = crowd->count < SLACK_CROWD_KNOWN ? crowd->count : SLACK_CROWD_KNOWN;

    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(crowd->known[i], machine) == 0) {
            return true;
        }
    }
    if (count < SLACK_CROWD_KNOWN) {
        text_copy(crowd->known[count], sizeof crowd->known[count], machine);
    }
    return false;
}

static void add_own_words(struct slack_crowd *crowd, const char *words)
{
    char before[SLACK_TEXT_SIZE];
    struct text text;

    memcpy(before, crowd->text, sizeof before);
    text = text_over(crowd->text, sizeof crowd->text);
    text_add(&text, before);
    text_add(&text, before[0] == '\0' ? "" : "\n");
    text_add(&text, words);
}

void slack_crowds_add(
    struct slack_crowds *crowds, const struct slack_post *post, const struct heard_event *event,
    int64_t line, struct wall_time seen, struct mono_time now)
{
    struct slack_crowd *crowd = &crowds->crowds[post->lane - SLACK_MACHINES];

    if (crowd->count == 0) {
        memset(crowd, 0, sizeof *crowd);
        crowd->line = line;
        crowd->seen = seen;
        crowd->began = now;
    }
    crowd->last = now;
    if (is_known(crowd, event->machine)) {
        return;
    }
    if (crowd->count < SLACK_CROWD_NAMES) {
        text_copy(
            crowd->names[crowd->count], sizeof crowd->names[crowd->count], event->display_name);
    }
    if (event->user[0] != '\0') {
        if (crowd->in_use_count < SLACK_CROWD_NAMES) {
            text_copy(
                crowd->in_use[crowd->in_use_count], sizeof crowd->in_use[0], event->display_name);
        }
        crowd->in_use_count++;
    }
    crowd->count++;
    if (crowd->count < SLACK_CROWD_MIN) {
        add_own_words(crowd, post->text);
    }
}

/* ---- telling ---- */

static int64_t due_ms(const struct slack_crowds *crowds, enum slack_lane lane, struct mono_time now)
{
    const struct slack_crowd *crowd = crowd_of(crowds, lane);
    int64_t longest = crowd->began.ms + SLACK_CROWD_LONGEST_MS;
    int64_t patience =
        crowd->last.ms + (lane == SLACK_MACHINES ? SLACK_CROWD_ALONE_MS : SLACK_CROWD_RETURN_MS);
    bool is_again = crowds->errors_told.ms != 0 &&
                    crowd->began.ms < crowds->errors_told.ms + SLACK_CROWD_AGAIN_MS;

    if (lane == SLACK_MACHINES && (is_again || any_doubt(crowds, now))) {
        return longest;
    }
    patience = patience < longest ? patience : longest;
    /* Who was not yet told to be gone is not back. */
    if (lane == SLACK_RETURNS && crowd_of(crowds, SLACK_MACHINES)->count > 0) {
        longest = due_ms(crowds, SLACK_MACHINES, now);
        patience = patience > longest ? patience : longest;
    }
    return patience;
}

static void
add_names(char names[SLACK_CROWD_NAMES][WATCHED_DISPLAY_SIZE], uint32_t count, struct text *out)
{
    uint32_t shown = count < SLACK_CROWD_NAMES ? count : SLACK_CROWD_NAMES;

    for (uint32_t i = 0; i < shown; i++) {
        text_add(out, i == 0 ? "" : (i + 1 == count ? " and " : ", "));
        slack_add_escaped(out, names[i]);
    }
    if (count > shown) {
        text_addf(out, " and %u more", count - shown);
    }
    text_add(out, ".");
}

static void tell(struct slack_crowd *crowd, enum slack_lane lane, struct text *out)
{
    if (crowd->count < SLACK_CROWD_MIN) {
        text_add(out, crowd->text);
        return;
    }
    text_addf(
        out, "%u machines %s: ", crowd->count,
        lane == SLACK_MACHINES  ? "do not answer"
        : lane == SLACK_RETURNS ? "answer again"
                                : "restarted together");
    add_names(crowd->names, crowd->count, out);
    if (lane == SLACK_MACHINES && crowd->in_use_count > 0) {
        text_add(out, "\nIn use, go there first: ");
        add_names(crowd->in_use, crowd->in_use_count, out);
    }
    if (lane == SLACK_MACHINES) {
        text_add(
            out, "\nTreat them as live. What so many share is an access point, a switch or a "
                 "fuse: look there, then at each: tagoutctl status");
    } else if (lane == SLACK_REBOOTS) {
        text_add(out, "\nDid the power fail? A card that was in has to come out and go in again.");
    }
}

bool slack_crowds_take(
    struct slack_crowds *crowds, struct mono_time now, struct slack_post *ret_post,
    int64_t *ret_line, struct wall_time *ret_seen)
{
    for (enum slack_lane lane = SLACK_MACHINES; lane < SLACK_LANE_COUNT; lane++) {
        struct slack_crowd *crowd = &crowds->crowds[lane - SLACK_MACHINES];
        struct text text = text_over(ret_post->text, sizeof ret_post->text);
        bool few = crowd->count < SLACK_CROWD_MIN;

        if (crowd->count == 0 || now.ms < due_ms(crowds, lane, now)) {
            continue;
        }
        tell(crowd, lane, &text);
        ret_post->lane = lane == SLACK_REBOOTS && few ? SLACK_ACTIVITY : lane;
        ret_post->routine = ret_post->lane == SLACK_ACTIVITY;
        *ret_line = crowd->line;
        *ret_seen = crowd->seen;
        crowd->count = 0;
        if (lane == SLACK_MACHINES) {
            crowds->errors_told = now;
        }
        return true;
    }
    return false;
}

struct mono_time slack_crowds_due(const struct slack_crowds *crowds, struct mono_time now)
{
    struct mono_time next = {0};

    for (enum slack_lane lane = SLACK_MACHINES; lane < SLACK_LANE_COUNT; lane++) {
        if (crowd_of(crowds, lane)->count > 0) {
            next = mono_earlier(next, (struct mono_time){due_ms(crowds, lane, now)});
        }
    }
    return next;
}

int64_t
slack_crowds_position(const struct slack_crowds *crowds, enum slack_lane lane, int64_t newest)
{
    const struct slack_crowd *crowd = crowd_of(crowds, lane);
    return crowd->count > 0 && crowd->line <= newest ? crowd->line - 1 : newest;
}
