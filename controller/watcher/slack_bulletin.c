#include "controller/watcher/slack_bulletin.h"

#include <string.h>

static bool is_of_machine(const struct alert *alert)
{
    return alert->kind == ALERT_MACHINE || alert->kind == ALERT_REPEATED;
}

static void add_machine(struct slack_bulletin *bulletin, const char *name)
{
    uint32_t known = bulletin->machine_count;

    for (uint32_t i = 0; i < known && i < SLACK_BULLETIN_NAMES; i++) {
        if (strcmp(bulletin->names[i], name) == 0) {
            return;
        }
    }
    if (known < SLACK_BULLETIN_NAMES) {
        text_copy(bulletin->names[known], sizeof bulletin->names[known], name);
    }
    bulletin->machine_count++;
}

void slack_bulletin_begin(struct slack_bulletin *bulletin, const struct alert *alert)
{
    *bulletin = (struct slack_bulletin){
        .outage = alert->since,
        .has_fleet = alert->kind == ALERT_FLEET,
        .main = *alert,
    };
    if (is_of_machine(alert)) {
        add_machine(bulletin, alert->display_name);
    }
}

bool slack_bulletin_merge(struct slack_bulletin *bulletin, const struct alert *alert)
{
    if (alert->since.ms == 0 || alert->since.ms != bulletin->outage.ms ||
        bulletin->main.kind == ALERT_OVER) {
        return false;
    }
    if (is_of_machine(alert)) {
        add_machine(bulletin, alert->display_name);
        return true;
    }
    if (alert->kind != ALERT_FLEET) {
        return false;
    }
    if (!bulletin->has_fleet || alert->count > bulletin->main.count) {
        bulletin->main = *alert;
    }
    bulletin->has_fleet = true;
    return true;
}

static void add_names(const struct slack_bulletin *bulletin, struct text *out)
{
    uint32_t shown = bulletin->machine_count;
    uint32_t more = 0;

    if (shown > SLACK_BULLETIN_NAMES) {
        more = shown - SLACK_BULLETIN_NAMES;
        shown = SLACK_BULLETIN_NAMES;
    }
    for (uint32_t i = 0; i < shown; i++) {
        text_add(out, i == 0 ? "" : (i + 1 == shown && more == 0 ? " and " : ", "));
        text_add(out, bulletin->names[i]);
    }
    if (more > 0) {
        text_addf(out, " and %u more", more);
    }
}

void slack_bulletin_text(const struct slack_bulletin *bulletin, struct text *out)
{
    if (bulletin->has_fleet || bulletin->machine_count < 2) {
        alert_text(&bulletin->main, out);
        if (bulletin->has_fleet && bulletin->machine_count > 0) {
            text_add(out, " Not for the first time: ");
            add_names(bulletin, out);
            text_add(out, ".");
        }
        return;
    }
    add_names(bulletin, out);
    text_add(
        out, ": storage did not save their state, not for the first time. Their cards still work; "
             "do not power-cycle anything. Look at the server's disk and Redis.");
}
