#include "controller/daemon/history.h"

#include <string.h>

#include "controller/daemon/render.h"

void history_init(struct history *history)
{
    *history = (struct history){.rule = CORE_RULE_COUNT};
}

void history_before(struct history *history, const struct core_state *state)
{
    history->mode = (uint8_t)state->mode;
    history->second_relay = state->second_relay;
}

static struct history_item *
add(struct history *history, const struct core_state *state, const struct core_effects *effects,
    struct wall_time now)
{
    struct history_item *item = &history->items[history->next];

    history->next = (uint8_t)((history->next + 1) % HISTORY_MAX);
    if (history->count < HISTORY_MAX) {
        history->count++;
    }
    *item = (struct history_item){
        .at = now,
        .rule = (uint8_t)effects->rule,
        .mode = (uint8_t)state->mode,
        .notice = CORE_NOTICE_COUNT,
        .second_relay = state->second_relay,
    };
    return item;
}

static void take_notice(struct history_item *item, const struct core_notice *notice, const char *by)
{
    item->notice = (uint8_t)notice->type;
    item->source = (uint8_t)notice->source;
    item->reason = (uint8_t)notice->reason;
    item->session = (uint8_t)notice->session;
    item->fault = (uint8_t)notice->fault;
    item->has_user = notice->has_user;
    item->warn_only = notice->warn_only;
    item->approximate = notice->approximate;
    item->ms = notice->type == CORE_NOTICE_LOGOUT ? notice->session_ms : notice->since.ms;
    text_copy(
        item->user, sizeof item->user, notice->has_user ? notice->user.name : notice->last_user);
    if (notice->source == CORE_SOURCE_OUTSIDE && by != NULL) {
        text_copy(item->by, sizeof item->by, by);
    }
}

void history_after(
    struct history *history, const struct core_state *state, const struct core_effects *effects,
    const char *by, struct wall_time now)
{
    bool is_switched =
        history->mode != (uint8_t)state->mode || history->second_relay != state->second_relay;

    if (history->mode != (uint8_t)state->mode) {
        history->rule = (uint8_t)effects->rule;
        history->rule_at = now;
    }
    for (size_t i = 0; i < effects->notice_count; i++) {
        take_notice(add(history, state, effects, now), &effects->notices[i], by);
    }
    if (effects->restart != CORE_RESTART_NONE) {
        struct history_item *item = add(history, state, effects, now);
        item->restart = (uint8_t)effects->restart;
        item->rule = CORE_RULE_RESTART; /* whatever else was decided with it */
        text_copy(item->by, sizeof item->by, by == NULL ? "" : by);
    } else if (effects->notice_count == 0 && is_switched) {
        add(history, state, effects, now);
    }
}

const struct history_item *history_at(const struct history *history, size_t index)
{
    size_t first = (size_t)history->next + HISTORY_MAX - history->count;

    return &history->items[(first + index) % HISTORY_MAX];
}

static void add_restart(const struct history_item *item, const char *machine, struct text *out)
{
    const char *result = core_restart_text((enum core_restart)item->restart);

    if (item->restart == CORE_RESTART_GO) {
        text_addf(out, "%s: its box was told to restart", machine);
    } else if (item->restart == CORE_RESTART_QUEUED) {
        text_addf(out, "%s: a restart of its box is waiting", machine);
    } else {
        text_addf(out, "%s: its box was not restarted: %s", machine, result);
    }
    if (item->by[0] != '\0') {
        text_addf(out, ", asked by %s", item->by);
    }
}

/* What no event told: the relay, or what the display says, changed all the same. */
static void add_silent(const struct history_item *item, const char *machine, struct text *out)
{
    if (item->rule == CORE_RULE_CARD_OUT) {
        text_addf(out, "%s: the card was taken out", machine);
    } else if (item->mode == CORE_ALWAYS_ON) {
        text_addf(out, "%s: on, since it is always enabled", machine);
    } else if (item->rule == CORE_RULE_RELOAD || item->rule == CORE_RULE_ORPHAN) {
        text_addf(out, "%s: its configuration changed", machine);
    } else {
        text_addf(
            out, "%s: relay %s", machine,
            core_mode_relay((enum core_mode)item->mode) ? "on" : "off");
    }
}

void history_sentence(
    const struct history_item *item, const char *machine, struct wall_time now, struct text *out)
{
    struct core_notice notice = {
        .type = (enum core_notice_type)item->notice,
        .source = (enum core_source)item->source,
        .reason = (enum core_reason)item->reason,
        .session = (enum core_mode)item->session,
        .fault = (enum core_fault_index)item->fault,
        .warn_only = item->warn_only,
        .has_user = item->has_user,
        .approximate = item->approximate,
    };
    const struct sentence_words words = {
        .machine = machine, .by = item->by[0] == '\0' ? NULL : item->by, .now = now};

    if (item->restart != CORE_RESTART_NONE) {
        add_restart(item, machine, out);
    } else if (item->notice == CORE_NOTICE_COUNT) {
        add_silent(item, machine, out);
    } else {
        if (notice.type == CORE_NOTICE_LOGOUT) {
            notice.session_ms = item->ms;
        } else {
            notice.since.ms = item->ms;
        }
        text_copy(notice.user.name, sizeof notice.user.name, item->has_user ? item->user : "");
        text_copy(notice.last_user, sizeof notice.last_user, item->has_user ? "" : item->user);
        render_sentence(&notice, &words, out);
    }
}
