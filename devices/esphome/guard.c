#include "devices/esphome/guard.h"

#include <string.h>

void guard_line_start(struct guard_line *line, bool raw, uint32_t now_ms)
{
    line->level = raw;
    line->raw = raw;
    line->since_ms = now_ms;
}

bool guard_line_follow(struct guard_line *line, bool raw, uint32_t now_ms, uint32_t stable_ms)
{
    if (raw != line->raw) {
        line->raw = raw;
        line->since_ms = now_ms;
    }
    if (raw == line->level || now_ms - line->since_ms < stable_ms) {
        return false;
    }
    line->level = raw;
    return true;
}

static bool may_be_on(const struct guard *guard, int relay)
{
    bool card_ok =
        !guard->has_card_line || (guard->card.level && guard->exits == guard->exits_told);

    return guard->presses == guard->presses_told && !guard->button.level &&
           (card_ok || !guard->needs_card[relay]);
}

static void cut(struct guard *guard)
{
    int i;

    for (i = 0; i < DEVICE_RELAYS; i++) {
        guard->relay[i] = guard->relay[i] && may_be_on(guard, i);
    }
    guard->relay[1] = guard->relay[1] && guard->relay[0];
}

void guard_init(struct guard *guard, bool has_card_line, bool button, bool card, uint32_t now_ms)
{
    memset(guard, 0, sizeof *guard);
    guard->has_card_line = has_card_line;
    guard_line_start(&guard->button, button, now_ms);
    guard_line_start(&guard->card, card, now_ms);
    guard->presses = button ? 1 : 0;
}

void guard_sample(struct guard *guard, bool button, bool card, uint32_t now_ms)
{
    if (guard_line_follow(&guard->button, button, now_ms, GUARD_BUTTON_MS) && guard->button.level) {
        guard->presses++;
    }
    if (guard->has_card_line && guard_line_follow(&guard->card, card, now_ms, GUARD_CARD_MS) &&
        !guard->card.level) {
        guard->exits++;
    }
    cut(guard);
}

struct guard_news guard_look(const struct guard *guard)
{
    struct guard_news news;

    news.presses = guard->presses;
    news.exits = guard->exits;
    news.pressed = guard->presses != guard->presses_told;
    news.button_down = guard->button.level;
    news.card_left = guard->exits != guard->exits_told;
    news.card_in = guard->has_card_line && guard->card.level;
    return news;
}

void guard_told(struct guard *guard, const struct guard_news *news)
{
    guard->presses_told = news->presses;
    guard->exits_told = news->exits;
}

void guard_put(
    struct guard *guard, const bool relays[DEVICE_RELAYS], const bool needs_card[DEVICE_RELAYS])
{
    int i;

    for (i = 0; i < DEVICE_RELAYS; i++) {
        guard->relay[i] = relays[i];
        guard->needs_card[i] = needs_card[i];
    }
    cut(guard);
}
