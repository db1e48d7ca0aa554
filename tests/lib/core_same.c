#include "tests/lib/core_same.h"

#include <string.h>

#define SAME(field) (one->field == other->field)
#define SAME_TEXT(field) (strcmp(one->field, other->field) == 0)
#define SAME_VERSION(field) (version_compare(one->field, other->field) == 0)

static bool same_past_boots(const struct core_state *one, const struct core_state *other)
{
    for (size_t i = 0; i < CORE_PAST_BOOTS; i++) {
        if (!SAME_TEXT(past_boots[i])) {
            return false;
        }
    }
    return true;
}

static bool same_strangers(const struct core_state *one, const struct core_state *other)
{
    return memcmp(one->strangers, other->strangers, sizeof one->strangers) == 0 &&
           SAME(cards_ignored_until.ms);
}

bool core_same_state(const struct core_state *one, const struct core_state *other)
{
    return SAME(mode) && SAME(second) && SAME(second_relay) && SAME(oopsed) && SAME(locked_out) &&
           SAME(card_spent) && SAME_TEXT(card) && SAME(has_user) && SAME_TEXT(user.account_id) &&
           SAME_TEXT(user.name) && SAME(faults) && SAME(heard) && SAME(known) &&
           SAME_TEXT(boot_id) && SAME(seq) && !(one->uptime_s < other->uptime_s) &&
           !(one->uptime_s > other->uptime_s) && same_past_boots(one, other) &&
           same_strangers(one, other) && SAME_VERSION(version) && SAME_VERSION(switched) &&
           SAME(relay_seen) && SAME(confirmed) && SAME(reported_at.ms) && SAME_VERSION(acked) &&
           SAME(health) && SAME(session_since.ms) && SAME(session_started.ms) &&
           SAME(last_report.ms) && SAME(last_update.ms) && SAME(booted_at.ms);
}

static bool same_obedience(const struct core_obedience *one, const struct core_obedience *other)
{
    return SAME_VERSION(commanded) && SAME(acked_at.ms) && SAME(refused_from.ms) &&
           SAME(stuck_reports);
}

bool core_same_watch(const struct core_watch *one, const struct core_watch *other)
{
    for (size_t i = 0; i < CORE_RELAYS; i++) {
        if (!same_obedience(&one->relays[i], &other->relays[i])) {
            return false;
        }
    }
    return SAME(connected) && SAME(lost) && SAME(doubted) && SAME(restarting) &&
           SAME(lock_wanted) && SAME(waiting) && SAME(waiting_force) && SAME(probes) &&
           SAME(probe_id) && SAME(probed_at.ms) && SAME(connected_at.ms) && SAME(heard_at.ms) &&
           SAME(heard_wall.ms) && SAME(quiet_until.ms) && SAME(lost_at.ms) &&
           SAME(settle_until.ms) && SAME(waiting_until.ms) && SAME(amps_reports) &&
           memcmp(one->boots, other->boots, sizeof one->boots) == 0 &&
           memcmp(one->drops, other->drops, sizeof one->drops) == 0 && SAME_TEXT(last_user);
}

static bool same_notice(const struct core_notice *one, const struct core_notice *other)
{
    return SAME(type) && SAME(source) && SAME(reason) && SAME(warn_only) && SAME(has_user) &&
           SAME_TEXT(user.account_id) && SAME_TEXT(user.name) && SAME(session) &&
           SAME(session_ms) && SAME(approximate) && SAME(fault) && SAME(since.ms) &&
           SAME_TEXT(last_user);
}

bool core_same_effects(const struct core_effects *one, const struct core_effects *other)
{
    if (!(SAME(rule) && SAME(command) && SAME(changed) && SAME(save) && SAME(keep) &&
          SAME(dropped) && SAME(probe) && SAME(probe_id) && SAME(restart) && SAME(restart_force) &&
          SAME(flag_changed) && SAME(repaired) && SAME(wake_at.ms) && SAME(notice_count))) {
        return false;
    }
    for (size_t i = 0; i < one->notice_count; i++) {
        if (!same_notice(&one->notices[i], &other->notices[i])) {
            return false;
        }
    }
    return true;
}
