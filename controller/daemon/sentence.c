/* The sentence that a person reads (C8.2 `text`): what happened, and what to do about it. */
#include <stdio.h>
#include <time.h>

#include "controller/daemon/render.h"
#include "controller/support/text.h"

/* Who: the person of the notice, or what stands for them. */
static const char *who(const struct core_notice *notice, const char *otherwise)
{
    return notice->has_user ? notice->user.name : otherwise;
}

static void add_duration(struct text *out, int64_t ms)
{
    int64_t minutes = ms / 60000;

    if (minutes >= 60) {
        text_addf(out, "%lld h %lld min", (long long)(minutes / 60), (long long)(minutes % 60));
    } else if (minutes > 0) {
        text_addf(out, "%lld min", (long long)minutes);
    } else {
        text_addf(out, "%lld s", (long long)(ms / 1000));
    }
}

static void add_logout(struct text *out, const struct core_notice *notice, const char *machine)
{
    static const char *const because[CORE_REASON_COUNT] = {
        [CORE_REASON_NONE] = "",
        [CORE_REASON_CARD_REMOVED] = "card out",
        [CORE_REASON_CARD_SWAPPED] = "another card was put in",
        [CORE_REASON_OOPS] = "Oops",
        [CORE_REASON_UNOOPS] = "Oops was cleared",
        [CORE_REASON_LOCKOUT] = "locked out",
        [CORE_REASON_UNLOCK] = "the lockout was lifted",
        [CORE_REASON_REBOOT] = "the machine's box restarted",
        [CORE_REASON_OFFLINE] = "the machine's box signed off",
        [CORE_REASON_ENDED] = "ended from outside",
        [CORE_REASON_CONFIG] = "the configuration changed",
    };

    text_addf(
        out, "%s: %s logged out after ", machine,
        who(notice,
            notice->session == CORE_EMERGENCY ? "the emergency card" : "an unnamed session"));
    add_duration(out, notice->session_ms);
    text_addf(out, " (%s)", because[notice->reason]);
}

/* "Table Saw: locked out by Ada: blade is cracked". */
static void
add_admin(struct text *out, const char *machine, const char *what, const char *by, const char *why)
{
    text_addf(out, "%s: %s", machine, what);
    if (by != NULL) {
        text_addf(out, " by %s", by);
    }
    if (why != NULL) {
        text_addf(out, ": %s", why);
    }
}

/* "21:04:10", with the date in front when that was another day. */
static void add_time(struct text *out, struct wall_time at, struct wall_time now)
{
    time_t at_s = (time_t)(at.ms / 1000);
    time_t now_s = (time_t)(now.ms / 1000);
    struct tm then;
    struct tm today;
    char buffer[40];

    if (localtime_r(&at_s, &then) == NULL || localtime_r(&now_s, &today) == NULL) {
        return;
    }
    bool same_day = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
    if (strftime(buffer, sizeof buffer, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &then) > 0) {
        text_add(out, buffer);
    }
}

/* Whoever hears of it may be about to reach into the machine. */
static void
add_error(struct text *out, const struct core_notice *notice, const struct sentence_words *words)
{
    text_addf(out, "%s does not answer", words->machine);
    if (notice->since.ms > 0) {
        text_add(out, " since ");
        add_time(out, notice->since, words->now);
    }
    if (notice->has_user) {
        text_addf(out, ", in use by %s", notice->user.name);
    } else if (notice->last_user[0] != '\0') {
        text_addf(out, ", last used by %s", notice->last_user);
    }
    text_add(out, ": treat it as live. Check the box's power and Wi-Fi.");
}

static void
add_recovery(struct text *out, const struct core_notice *notice, const struct sentence_words *words)
{
    text_addf(out, "%s answers again", words->machine);
    if (notice->since.ms > 0 && words->now.ms > notice->since.ms) {
        text_add(out, ", after ");
        add_duration(out, words->now.ms - notice->since.ms);
    }
}

/* As the box puts it: "brownout" says more than any guess of ours. */
static void add_reset_reason(struct text *out, const struct sentence_words *words)
{
    if (words->reset_reason != NULL) {
        text_addf(out, " (the box says: %s)", words->reset_reason);
    }
}

/* C8.1 `faults`. */
static const struct {
    const char *begins;
    const char *ends;
} faults[CORE_FAULT_COUNT] = {
    [CORE_FAULT_USER_REVOKED] =
        {"fault user_revoked: whoever uses it may no longer; the session goes on until the card "
         "is out",
         "fault user_revoked is over"},
    [CORE_FAULT_LINK_LOST] = {"its link is lost", "its link is back"},
    [CORE_FAULT_RELAY_STUCK_ON] =
        {"it stays ON though it was switched off: its relay or its current says so. Isolate the "
         "machine at its own switch or breaker; the contactor may be welded",
         "its relay obeys again. It is safe only when somebody has checked the contactor"},
    [CORE_FAULT_RELAY_REFUSED] =
        {"its relay does not switch on. Look at what its display says, then at the contactor",
         "its relay switches again"},
    [CORE_FAULT_TWIN] =
        {"two boxes use its name. Find the second one and give it a name of its own",
         "only one box uses its name again"},
    [CORE_FAULT_READER_FAILED] =
        {"its card reader does not work. Check the reader's cable", "its card reader works again"},
    [CORE_FAULT_BOOT_LOOP] =
        {"its box restarts again and again. Check its power supply, then its firmware",
         "its box has stopped restarting"},
    [CORE_FAULT_CARD_FLOOD] =
        {"over ten unknown cards in a minute: it reads no card for a minute. Go and see who is "
         "trying",
         "it reads cards again"},
};

static void
add_oops(struct text *out, const struct core_notice *notice, const struct sentence_words *words)
{
    if (notice->source == CORE_SOURCE_BUTTON && notice->has_user) {
        text_addf(out, "%s: Oops pressed while %s used it", words->machine, notice->user.name);
    } else if (notice->source == CORE_SOURCE_BUTTON) {
        text_addf(out, "%s: Oops pressed", words->machine);
    } else {
        add_admin(out, words->machine, "Oops set", words->by, words->reason);
    }
}

const char *render_fault(enum core_fault_index fault)
{
    return faults[fault].begins;
}

void render_sentence(
    const struct core_notice *notice, const struct sentence_words *words, struct text *out)
{
    const char *machine = words->machine;

    switch (notice->type) {
    case CORE_NOTICE_LOGIN:
        text_addf(
            out, "%s: %s logged in%s", machine, who(notice, "somebody"),
            notice->warn_only ? " without the training (the machine only warns)" : "");
        break;
    case CORE_NOTICE_LOGOUT:
        add_logout(out, notice, machine);
        break;
    case CORE_NOTICE_DENIED:
        text_addf(out, "%s: %s is not authorized", machine, who(notice, "somebody"));
        break;
    case CORE_NOTICE_UNKNOWN_FOB:
        text_addf(out, "%s: unknown card", machine);
        break;
    case CORE_NOTICE_REFUSED:
        text_addf(
            out, "%s: %s put a card in while the machine is out of use", machine,
            who(notice, "somebody unknown"));
        break;
    case CORE_NOTICE_OVERRIDE_LOGIN:
        text_addf(
            out, "%s: %s runs it by OVERRIDE while it is out of use", machine,
            who(notice, "somebody"));
        break;
    case CORE_NOTICE_EMERGENCY_LOGIN:
        text_addf(out, "%s: an EMERGENCY CARD is in use", machine);
        break;
    case CORE_NOTICE_OOPS:
        add_oops(out, notice, words);
        break;
    case CORE_NOTICE_UNOOPS:
        add_admin(out, machine, "Oops cleared", words->by, words->reason);
        break;
    case CORE_NOTICE_LOCKOUT:
        add_admin(out, machine, "locked out", words->by, words->reason);
        break;
    case CORE_NOTICE_UNLOCK:
        add_admin(out, machine, "unlocked", words->by, words->reason);
        break;
    case CORE_NOTICE_REBOOT:
        text_addf(out, "%s: its box restarted", machine);
        add_reset_reason(out, words);
        break;
    case CORE_NOTICE_LINK_LOST:
        text_addf(out, "%s: its connection is lost", machine);
        break;
    case CORE_NOTICE_MACHINE_ERROR:
        add_error(out, notice, words);
        break;
    case CORE_NOTICE_MACHINE_RECOVERED:
        add_recovery(out, notice, words);
        break;
    case CORE_NOTICE_MACHINE_OFFLINE:
        text_addf(out, "%s is off: its box signed off or lost its power", machine);
        break;
    case CORE_NOTICE_FAULT:
        text_addf(out, "%s: %s", machine, faults[notice->fault].begins);
        add_reset_reason(out, words);
        break;
    case CORE_NOTICE_FAULT_CLEARED:
        text_addf(out, "%s: %s", machine, faults[notice->fault].ends);
        break;
    case CORE_NOTICE_COUNT:
        break;
    }
}
