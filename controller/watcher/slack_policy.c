#include "controller/watcher/slack_policy.h"

#include <string.h>

#include "controller/watcher/alert.h"

/* `%m` is the machine's name, as tagoutctl wants it. */
static const struct rule {
    const char *event_type;
    enum slack_lane lane;
    const char *next_step; /* NULL for none */
    const char *oops;      /* for everybody, without names; NULL for none */
} rules[] = {
    {"oops", SLACK_CONTROL, "Check it; when it is safe: tagoutctl clear %m --oops",
     "Oops! Do not use it until it has been checked."},
    {"unoops", SLACK_CONTROL, NULL, "the Oops is cleared."},
    {"lockout", SLACK_CONTROL, NULL, "down for maintenance."},
    {"unlock", SLACK_CONTROL, NULL, "maintenance is over."},
    {"override_login", SLACK_CONTROL, "It is out of use for a reason: make sure they know it.",
     NULL},
    {"emergency_login", SLACK_CONTROL,
     "Go and see whether help is needed, then why no member's card would do.", NULL},
    {"machine_error", SLACK_MACHINES,
     "If it runs: card out. A box that hangs may not heed that; "
     "then switch the machine off at its isolator or breaker.",
     NULL},
    {"machine_recovered", SLACK_RETURNS, NULL, NULL},
    {"fault", SLACK_CONTROL, NULL, NULL},
    {"fault_cleared", SLACK_CONTROL, NULL, NULL},
    {"login", SLACK_ACTIVITY, NULL, NULL},
    {"logout", SLACK_ACTIVITY, NULL, NULL},
    {"denied", SLACK_ACTIVITY, NULL, NULL},
    {"unknown_fob", SLACK_ACTIVITY, NULL, NULL},
    {"refused", SLACK_ACTIVITY, NULL, NULL},
    {"reboot", SLACK_REBOOTS, NULL, NULL},
    {"machine_offline", SLACK_ACTIVITY, NULL, NULL},
};

/* Most sentences say what to do; NULL: nothing to add. */
static const struct {
    const char *fault;
    const char *next_step;
} faults[] = {
    {"relay_stuck_on", NULL},
    {"relay_refused", NULL},
    {"twin", NULL},
    {"boot_loop", NULL},
    {"card_flood",
     "If nobody stands there with a card, unplug its reader: something sends numbers."},
    {"reader_failed", "No card opens it until its reader is mended or replaced."},
    {"user_revoked", "Ask them to stop, or: tagoutctl end %m"},
};

/* What is told in other ways: a link that was lost becomes a machine_error when it stays so, and
 * saves that time out are counted over the fleet. */
static bool is_told_elsewhere(const struct heard_event *event)
{
    return strncmp(event->event_type, "fault", 5) == 0 &&
           (strcmp(event->fault, "link_lost") == 0 || strcmp(event->fault, "save_timeout") == 0);
}

static const char *replacement_of(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    default:
        return (unsigned char)character < ' ' || character == 0x7f ? " " : NULL;
    }
}

void slack_add_escaped(struct text *out, const char *text)
{
    const char *at = text;

    while (*at != '\0') {
        /* What stays goes in at once: of a character that does not fit no byte may. */
        size_t plain = 0;
        while (at[plain] != '\0' && replacement_of(at[plain]) == NULL) {
            plain++;
        }
        text_add_bytes(out, at, plain);
        at += plain;
        if (*at != '\0') {
            text_add(out, replacement_of(*at++));
        }
    }
}

static void add_next_step(struct text *out, const char *next_step, const char *machine)
{
    const char *name = strstr(next_step, "%m");

    text_add(out, "\n");
    text_add_bytes(out, next_step, name == NULL ? strlen(next_step) : (size_t)(name - next_step));
    if (name != NULL) {
        text_add(out, machine);
        text_add(out, name + 2);
    }
}

static const char *next_step_of(const struct rule *rule, const struct heard_event *event)
{
    if (strcmp(event->event_type, "lockout") == 0 && strcmp(event->source, "liveness") == 0) {
        return "When it was checked: tagoutctl clear %m --lockout";
    }
    if (strcmp(event->event_type, "fault") != 0) {
        return rule->next_step;
    }
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(faults[i].fault, event->fault) == 0) {
            return faults[i].next_step;
        }
    }
    return "See: tagoutctl status %m";
}

/* Who reads it must not take it for news. */
static void add_late(struct text *out, const struct heard_event *event, const char *before)
{
    if (!event->late) {
        return;
    }
    text_add(out, before);
    text_add(out, "(Heard late");
    if (event->age_ms >= 1000) {
        text_add(out, ", ");
        alert_add_duration(out, event->age_ms);
        text_add(out, " after it happened");
    }
    text_add(out, ".)");
}

/* What came late gathers with nothing: machines that vanish together do so now. */
static enum slack_lane lane_of(const struct rule *rule, const struct heard_event *event)
{
    if (event->late && (rule->lane == SLACK_MACHINES || rule->lane == SLACK_RETURNS)) {
        return SLACK_CONTROL;
    }
    return event->late && rule->lane == SLACK_REBOOTS ? SLACK_ACTIVITY : rule->lane;
}

size_t slack_posts_of(const struct heard_event *event, struct slack_post ret_posts[SLACK_POSTS_MAX])
{
    const struct rule *rule = NULL;
    const char *next_step;
    struct text text;

    for (size_t i = 0; rule == NULL && i < sizeof rules / sizeof rules[0]; i++) {
        rule = strcmp(rules[i].event_type, event->event_type) == 0 ? &rules[i] : NULL;
    }
    if (rule == NULL || is_told_elsewhere(event)) {
        return 0;
    }
    next_step = next_step_of(rule, event);
    ret_posts[0].lane = lane_of(rule, event);
    ret_posts[0].routine = ret_posts[0].lane == SLACK_ACTIVITY;
    text = text_over(ret_posts[0].text, SLACK_TEXT_SIZE);
    if (event->text[0] != '\0') {
        slack_add_escaped(&text, event->text);
    } else {
        slack_add_escaped(&text, event->display_name);
        text_add(&text, ": ");
        slack_add_escaped(&text, event->event_type);
    }
    if (next_step != NULL) {
        add_next_step(&text, next_step, event->machine);
    }
    add_late(&text, event, "\n");
    if (rule->oops == NULL) {
        return 1;
    }
    ret_posts[1].lane = SLACK_OOPS;
    ret_posts[1].routine = false;
    text = text_over(ret_posts[1].text, SLACK_TEXT_SIZE);
    slack_add_escaped(&text, event->display_name);
    text_addf(&text, ": %s", rule->oops);
    add_late(&text, event, " ");
    return 2;
}
