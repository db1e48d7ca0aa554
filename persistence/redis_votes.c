#include "persistence/redis_votes.h"

static bool is_fresh(const struct sentinel_voice *voice, struct mono_time now)
{
    return voice->named && now.ms - voice->at.ms < SENTINEL_FRESH_MS;
}

static size_t votes_for(
    const struct endpoint *master, const struct sentinel_voice voices[], size_t count,
    struct mono_time now)
{
    size_t votes = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_fresh(&voices[i], now) && endpoint_equals(&voices[i].master, master)) {
            votes++;
        }
    }
    return votes;
}

const struct endpoint *sentinel_choose(
    const struct sentinel_voice voices[], size_t count, struct mono_time now,
    const struct endpoint *last)
{
    const struct endpoint *chosen = NULL;
    size_t votes[SENTINELS_MAX] = {0};
    size_t most = 0;
    size_t after = 0; /* where the turn begins */

    for (size_t i = 0; i < count; i++) {
        if (is_fresh(&voices[i], now)) {
            votes[i] = votes_for(&voices[i].master, voices, count, now);
            most = votes[i] > most ? votes[i] : most;
            after = endpoint_equals(&voices[i].master, last) ? i : after;
        }
    }
    for (size_t i = 0; most > 0 && i < count; i++) {
        size_t at = (after + i) % count;
        if (votes[at] == most && (chosen == NULL || endpoint_equals(chosen, last))) {
            chosen = &voices[at].master;
        }
    }
    return chosen;
}

const struct endpoint *sentinel_moved(
    const struct sentinel_voice voices[], size_t count, struct mono_time now,
    const struct endpoint *last)
{
    const struct endpoint *chosen = sentinel_choose(voices, count, now, last);

    if (chosen == NULL || last->host[0] == '\0') {
        return chosen;
    }
    if (endpoint_equals(chosen, last) || 2 * votes_for(chosen, voices, count, now) <= count) {
        return NULL;
    }
    return chosen;
}
