/* What is odd about a roster that is without error: most often an authorization that is spelt in
 * two ways, or a date that somebody takes for a rule. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/config/authorizations.h"
#include "controller/config/roster.h"

#define LINES_MAX 20 /* of each kind */
#define PLACES_MAX 3 /* that a line names */

/* By authorization: how many users hold it, and whether it opens anything. */
struct tally {
    size_t holders;
    bool opens;
};

static void count_holders(const struct roster *roster, struct tally *tallies)
{
    for (size_t i = 0; i < roster->user_count; i++) {
        const struct core_authorizations *held = &roster->users[i].holder.authorizations;
        for (size_t j = 0; j < held->count; j++) {
            tallies[held->items[j]].holders++;
        }
    }
}

static void note_openings(const struct core_authorizations *wanted, struct tally *tallies)
{
    for (size_t i = 0; i < wanted->count; i++) {
        tallies[wanted->items[i]].opens = true;
    }
}

static bool anybody_holds(const struct core_authorizations *wanted, const struct tally *tallies)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (tallies[wanted->items[i]].holders > 0) {
            return true;
        }
    }
    return false;
}

static void add_names(const struct core_authorizations *wanted, struct text *out)
{
    size_t shown = wanted->count < 3 ? wanted->count : 3;

    for (size_t i = 0; i < shown; i++) {
        text_addf(out, "%s\"%s\"", i > 0 ? ", " : "", authorization_name(wanted->items[i]));
    }
    text_add(out, shown < wanted->count ? ", ..." : "");
}

struct doubts {
    const struct roster *roster;
    const struct tally *tallies;
    size_t lines; /* of the kind under way, also those that are only counted */
    struct text *out;
};

static void add_relay(
    struct doubts *doubts, const struct core_authorizations *wanted, const char *machine,
    const char *what)
{
    struct text *out = doubts->out;

    if (anybody_holds(wanted, doubts->tallies) || doubts->lines++ >= LINES_MAX) {
        return;
    }
    text_addf(out, "%s: %s%s: ", doubts->roster->machines_file, machine, what);
    if (wanted->count == 0) {
        text_add(out, "no authorization opens it\n");
    } else {
        text_add(out, "nobody holds ");
        add_names(wanted, out);
        text_add(out, "\n");
    }
}

/* What is on anyway, or for everybody, needs nobody. */
static void add_machine(struct doubts *doubts, const struct roster_machine *machine)
{
    const struct core_config *config = &machine->config;
    const struct core_second_relay_config *second = &config->second_relay;

    if (!config->always_enabled && !config->unauthorized_warn_only) {
        add_relay(doubts, &config->authorizations_or, machine->name, "");
    }
    if (second->present && !second->always_enabled && !second->unauthorized_warn_only) {
        add_relay(doubts, &second->authorizations_or, machine->name, ", second relay");
    }
}

static void add_authorization(struct doubts *doubts, core_authorization number)
{
    const struct tally *tally = &doubts->tallies[number];

    if (tally->holders > 0 && !tally->opens && doubts->lines++ < LINES_MAX) {
        text_addf(
            doubts->out, "%s: %zu %s \"%s\", which opens no machine\n", doubts->roster->users_file,
            tally->holders, tally->holders == 1 ? "user holds" : "users hold",
            authorization_name(number));
    }
}

static void end_kind(struct doubts *doubts, const char *file)
{
    if (doubts->lines > LINES_MAX) {
        text_addf(doubts->out, "%s: ... and %zu more\n", file, doubts->lines - LINES_MAX);
    }
    doubts->lines = 0;
}

/* ---- expiration_ymd ---- */

void roster_date(struct wall_time at, char date[ROSTER_DATE_SIZE])
{
    time_t seconds = (time_t)(at.ms / 1000);
    struct tm parts;

    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(date, ROSTER_DATE_SIZE, "%Y-%m-%d", &parts) == 0) {
        date[0] = '\0';
    }
}

/* `/3 "Ada Byron", ` */
static void add_place(const struct roster *roster, size_t index, size_t count, struct text *places)
{
    if (count < PLACES_MAX) {
        text_addf(
            places, "%s/%zu \"%s\"", count > 0 ? ", " : "", index, roster->users[index].full_name);
    } else if (count == PLACES_MAX) {
        text_add(places, ", ...");
    }
}

void roster_expired(const struct roster *roster, const char *today, struct text *out)
{
    size_t count = 0;
    TEXT_LOCAL(places, PLACES_MAX * (CORE_NAME_SIZE + 32));

    for (size_t i = 0; i < roster->user_count; i++) {
        const struct roster_user *user = &roster->users[i];
        const struct core_holder *holder = &user->holder;
        if (user->expires && strcmp(user->expiration_ymd, today) < 0 &&
            (holder->authorizations.count > 0 || holder->oops_override)) {
            add_place(roster, i, count, &places);
            count++;
        }
    }
    if (count > 0) {
        text_addf(
            out,
            "%s: %zu %s authorizations although expiration_ymd has passed (%s); Tagout does not "
            "look at it: take away the authorizations",
            roster->users_file, count, count == 1 ? "user has" : "users have", places.data);
    }
}

void roster_notes(const struct roster *roster, const char *today, struct text *out)
{
    size_t dates = 0;
    TEXT_LOCAL(expired, 2048);

    for (size_t i = 0; i < roster->user_count; i++) {
        dates += roster->users[i].expires;
    }
    roster_expired(roster, today, &expired);
    if (expired.length > 0) {
        text_addf(out, "%s\n", expired.data);
    } else if (dates > 0) {
        text_addf(
            out, "%s: %zu %s an expiration_ymd, and Tagout does not look at it\n",
            roster->users_file, dates, dates == 1 ? "user has" : "users have");
    }
}

/* Whoever fills it in by another program's custom should know that no date is seen there. */
static void add_no_dates(const struct roster *roster, struct text *out)
{
    size_t count = 0;
    TEXT_LOCAL(places, PLACES_MAX * (CORE_NAME_SIZE + 32));

    for (size_t i = 0; i < roster->user_count; i++) {
        const struct roster_user *user = &roster->users[i];
        if (!user->expires && user->expiration_ymd[0] != '\0') {
            add_place(roster, i, count, &places);
            count++;
        }
    }
    if (count > 0) {
        text_addf(
            out, "%s: %zu %s an expiration_ymd that is not a date (YYYY-MM-DD): %s\n",
            roster->users_file, count, count == 1 ? "user has" : "users have", places.data);
    }
}

/* No reader that we know sends one: such a code was pasted with it, and opens nothing. */
static void add_blanks(const struct roster *roster, struct text *out)
{
    size_t count = 0;
    TEXT_LOCAL(places, PLACES_MAX * (CORE_NAME_SIZE + 32));

    for (size_t i = 0; i < roster->user_count; i++) {
        const struct roster_user *user = &roster->users[i];
        for (size_t j = 0; j < user->fob_count; j++) {
            if (strchr(user->fobs[j], ' ') != NULL) {
                add_place(roster, i, count, &places);
                count++;
                break;
            }
        }
    }
    if (count > 0) {
        text_addf(
            out, "%s: %zu %s a fob code with a blank in it, which no reader sends: %s\n",
            roster->users_file, count, count == 1 ? "user has" : "users have", places.data);
    }
}

enum status roster_doubts(const struct roster *roster, struct text *out)
{
    size_t count = (size_t)authorization_last() + 1;
    struct tally *tallies = calloc(count, sizeof *tallies);
    struct doubts doubts = {.roster = roster, .tallies = tallies, .out = out};

    if (tallies == NULL) {
        return STATUS_NO_MEMORY;
    }
    count_holders(roster, tallies);
    for (size_t i = 0; i < roster->machine_count; i++) {
        const struct core_config *config = &roster->machines[i].config;
        note_openings(&config->authorizations_or, tallies);
        note_openings(&config->second_relay.authorizations_or, tallies);
        add_machine(&doubts, &roster->machines[i]);
    }
    end_kind(&doubts, roster->machines_file);
    for (size_t i = 0; i < count; i++) {
        add_authorization(&doubts, (core_authorization)i);
    }
    end_kind(&doubts, roster->users_file);
    add_no_dates(roster, out);
    add_blanks(roster, out);
    free(tallies);
    return STATUS_OK;
}
