/* status: what the machines do, as the controller says, or as it last said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/status_pages.h"
#include "controller/ctl/view.h"
#include "controller/support/clock.h"

#define RETAINED_MS 1000 /* what the broker kept comes at once; this is for a slow link */

static bool is_on(const struct state_payload *state)
{
    return state->relay || state->second_relay ||
           (state->confirmed != NULL && strcmp(state->confirmed, "on") == 0);
}

/* ---- the answer ---- */

static void print_not_well(const struct ctl *ctl)
{
    TEXT_LOCAL(not_well, 4096);
    TEXT_LOCAL(count, 128);

    board_not_well(&ctl->board, &not_well);
    if (not_well.length == 0) {
        text_add(&count, board_count(&ctl->board, &count) ? "; all is well." : ".");
        ctl_say(ctl, TONE_PLAIN, count.data);
    }
    for (char *line = not_well.data; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        line[length] = '\0';
        ctl_say(ctl, TONE_ALARM, line);
        line += length + 1;
    }
    putchar('\n');
}

static int print_machines(const struct ctl *ctl)
{
    const struct table_style style = {
        .width = ctl_width(ctl), .coloured = ctl->out_coloured, .fit = TABLE_WRAP};

    print_not_well(ctl);
    if (view_machines(&ctl->board, &style, clock_now().wall, stdout) != STATUS_OK) {
        ctl_complain("out of memory");
        return CTL_REFUSED;
    }
    return CTL_DONE;
}

/* ---- what is on, or may be ---- */

/* Of a state that can be read. */
enum power {
    POWER_OFF,         /* and the machine says so itself */
    POWER_UNCONFIRMED, /* commanded off, which it has not confirmed */
    POWER_ON,          /* commanded on, or on as it says */
    POWER_KINDS
};

static enum power power_of(const struct state_payload *state)
{
    if (is_on(state)) {
        return POWER_ON;
    }
    return state->confirmed != NULL && strcmp(state->confirmed, "off") == 0 ? POWER_OFF
                                                                            : POWER_UNCONFIRMED;
}

struct tally {
    size_t counts[POWER_KINDS];
    size_t dark; /* states that cannot be read */
};

static void count_power(const struct board *board, struct tally *tally, struct text *unreadable)
{
    *tally = (struct tally){.dark = board->nameless};
    for (size_t i = 0; i < board->machine_count; i++) {
        const struct board_machine *machine = board->machines[i];
        if (machine->is_unreadable) {
            text_addf(unreadable, "%s%s", tally->dark > 0 ? ", " : "", machine->name);
            tally->dark++;
        } else if (machine->has_state) {
            tally->counts[power_of(&machine->copy.state)]++;
        }
    }
}

/* Whether it is one of those that can be read and are of that kind. */
static bool is_of(const struct board_machine *machine, enum power power)
{
    return !machine->is_unreadable && machine->has_state && power_of(&machine->copy.state) == power;
}

static void print_kind_json(const struct board *board, const char *key, enum power power)
{
    bool first = true;

    printf("\"%s\":[", key);
    for (size_t i = 0; i < board->machine_count; i++) {
        if (is_of(board->machines[i], power)) {
            printf("%s%s", first ? "" : ",", board->machines[i]->payload);
            first = false;
        }
    }
    putchar(']');
}

static void print_on_json(const struct board *board)
{
    putchar('{');
    print_kind_json(board, "machines", POWER_ON);
    putchar(',');
    print_kind_json(board, "unconfirmed", POWER_UNCONFIRMED);
    puts("}");
}

/* A line each. */
static void print_kind(const struct ctl *ctl, enum power power)
{
    for (size_t i = 0; i < ctl->board.machine_count; i++) {
        const struct board_machine *machine = ctl->board.machines[i];
        const struct state_payload *state = &machine->copy.state;
        TEXT_LOCAL(line, 4096);
        TEXT_LOCAL(notes, 1024);

        if (!is_of(machine, power)) {
            continue;
        }
        text_addf(&line, "%s: ", machine->name);
        words_state(&line, state, clock_now().wall);
        text_add(&line, "; relay ");
        words_relay(&line, state);
        if (power == POWER_UNCONFIRMED) {
            words_notes(&notes, state, machine->link);
            text_addf(&line, ", not confirmed%s%s", notes.length > 0 ? ": " : "", notes.data);
        }
        ctl_say(ctl, power == POWER_ON ? TONE_PLAIN : TONE_NOTE, line.data);
    }
}

/* For whoever leaves last: what runs, and what has not said that it does not. */
static int print_on(const struct ctl *ctl)
{
    struct tally tally;
    size_t on;
    size_t unconfirmed;
    TEXT_LOCAL(unreadable, 4096);

    count_power(&ctl->board, &tally, &unreadable);
    on = tally.counts[POWER_ON];
    unconfirmed = tally.counts[POWER_UNCONFIRMED];
    if (ctl->arguments->json) {
        print_on_json(&ctl->board);
    } else {
        print_kind(ctl, POWER_ON);
        print_kind(ctl, POWER_UNCONFIRMED);
    }
    if (on == 0 && !ctl->arguments->json) {
        ctl_say(
            ctl, TONE_PLAIN,
            tally.dark + unconfirmed > 0 ? "Nothing is known to be on." : "Nothing is on.");
    }
    if (unconfirmed > 0) {
        ctl_complain(
            "%zu machine%s commanded off and not confirmed off: treat %s as live", unconfirmed,
            unconfirmed == 1 ? " is" : "s are", unconfirmed == 1 ? "it" : "them");
    }
    if (tally.dark > 0) {
        ctl_complain(
            "%zu %s cannot be read, so it may be on%s%s", tally.dark,
            tally.dark == 1 ? "machine's state" : "machines' states",
            unreadable.length > 0 ? ": " : "", unreadable.data);
    }
    if (on > 0 || tally.dark > 0) {
        return CTL_REFUSED;
    }
    return unconfirmed > 0 ? CTL_UNCONFIRMED : CTL_DONE;
}

static void print_stranger(const struct json *stranger)
{
    const char *name = json_get_string(stranger, "machine");
    struct wall_time last = json_get_wall(stranger, "last");
    TEXT_LOCAL(line, 1024);

    words_escape(&line, name[0] != '\0' ? name : "?");
    if (last.ms != 0) {
        unsigned long count = ctl_data_count(stranger, "messages");
        text_addf(&line, ": %lu %s, the last at ", count, count == 1 ? "message" : "messages");
        words_time(&line, last, clock_now().wall);
    } else {
        text_add(&line, ": was configured before");
    }
    if (json_get_bool(stranger, "oops")) {
        text_add(&line, ", oopsed");
    }
    if (json_get_bool(stranger, "lockout")) {
        text_add(&line, ", locked out");
    }
    puts(line.data);
}

static void print_strangers(const struct ctl *ctl, const struct status_pages *pages)
{
    const struct json *one = NULL;
    size_t page = 0;

    if (ctl->arguments->json) {
        putchar('{');
        status_pages_print(pages, "strangers");
        puts("}");
        return;
    }
    if (status_pages_next(pages, "strangers", NULL, &page) == NULL) {
        puts("No machine was heard that is not configured.");
    }
    while ((one = status_pages_next(pages, "strangers", one, &page)) != NULL) {
        print_stranger(one);
    }
}

static void print_json(const struct status_pages *pages)
{
    putchar('{');
    status_pages_print(pages, "machines");
    putchar(',');
    status_pages_print(pages, "strangers");
    puts("}");
}

static int print_answer(struct ctl *ctl, const struct status_pages *pages)
{
    const struct json *state = NULL;
    size_t page = 0;

    if (ctl_has(ctl->arguments, CTL_STRANGERS)) {
        print_strangers(ctl, pages);
        return CTL_DONE;
    }
    if (ctl->arguments->json && !ctl_has(ctl->arguments, CTL_ON)) {
        print_json(pages);
        return CTL_DONE;
    }
    while ((state = status_pages_next(pages, "machines", state, &page)) != NULL) {
        if (board_take_state(&ctl->board, state) == STATUS_NO_MEMORY) {
            ctl_complain("out of memory");
            return CTL_REFUSED;
        }
    }
    return ctl_has(ctl->arguments, CTL_ON) ? print_on(ctl) : print_machines(ctl);
}

/* ---- without an answer ---- */

static void print_stale_json(const struct ctl *ctl)
{
    fputs("{\"stale\":true,\"machines\":[", stdout);
    for (size_t i = 0, count = 0; i < ctl->board.machine_count; i++) {
        if (ctl->board.machines[i]->has_state) {
            printf("%s%s", count++ > 0 ? "," : "", ctl->board.machines[i]->payload);
        }
    }
    puts("]}");
}

static bool never(const void *context)
{
    (void)context;
    return false;
}

static const struct board_machine *find_called(const struct board *board, const char *name)
{
    for (size_t i = 0; i < board->machine_count; i++) {
        const struct board_machine *machine = board->machines[i];
        const char *alias = machine->has_state ? machine->copy.state.display_name : NULL;
        if (machine->has_state && (text_compare_nocase(machine->name, name) == 0 ||
                                   (alias != NULL && text_compare_nocase(alias, name) == 0))) {
            return machine;
        }
    }
    return NULL;
}

static bool collect_retained(struct ctl *ctl)
{
    if (!client_is_ready(ctl->client) ||
        client_listen(ctl->client, TOPIC_STATE, NULL) != STATUS_OK) {
        return false;
    }
    client_wait(ctl->client, never, NULL, RETAINED_MS);
    if (ctl->board.machine_count == 0) {
        ctl_complain("nor does the broker remember any machine");
    }
    return ctl->board.machine_count > 0;
}

static const struct board_machine *find_retained(const struct ctl *ctl)
{
    const struct board_machine *machine = find_called(&ctl->board, ctl->arguments->machine);

    if (machine == NULL) {
        ctl_complain("the broker remembers no machine called \"%s\"", ctl->arguments->machine);
    }
    return machine;
}

const struct board_machine *ctl_retained(struct ctl *ctl)
{
    return collect_retained(ctl) ? find_retained(ctl) : NULL;
}

/* The controller is silent: what it last said is still at the broker, and marked as such. */
static int print_retained(struct ctl *ctl)
{
    const struct board_machine *machine;

    if (ctl_has(ctl->arguments, CTL_STRANGERS) || !collect_retained(ctl)) {
        return CTL_REFUSED;
    }
    fputs("What follows is OLD: the last that the controller said.\n", stderr);
    if (ctl_has(ctl->arguments, CTL_ON)) {
        print_on(ctl);
    } else if (ctl->arguments->json) {
        print_stale_json(ctl);
    } else if (ctl->arguments->machine != NULL) {
        machine = find_retained(ctl);
        if (machine != NULL) {
            view_machine(machine, ctl->out_coloured, clock_now().wall, stdout);
        }
    } else {
        print_machines(ctl);
    }
    return CTL_REFUSED;
}

static int status_of_all(struct ctl *ctl)
{
    struct status_pages *pages = NULL;
    int code = status_pages_ask(ctl, &pages);

    if (code == CTL_DONE) {
        code = print_answer(ctl, pages);
        if (!status_pages_are_all(pages)) {
            code = CTL_REFUSED;
        }
    }
    status_pages_free(pages);
    return code;
}

static int status_of_one(struct ctl *ctl)
{
    const struct board_machine *machine;
    int code = ctl_ask_state(ctl, &machine);

    if (code == CTL_DONE && ctl->arguments->json) {
        puts(machine->payload);
    } else if (code == CTL_DONE) {
        view_machine(machine, ctl->out_coloured, clock_now().wall, stdout);
    }
    return code;
}

static int status_of_machines(struct ctl *ctl)
{
    bool listens = client_listen(ctl->client, TOPIC_LINK, NULL) == STATUS_OK &&
                   client_listen(ctl->client, TOPIC_SERVICE, NULL) == STATUS_OK;
    int code = listens ? ctl_connect(ctl) : CTL_REFUSED;

    if (code != CTL_DONE) {
        return code;
    }
    code = ctl->arguments->machine != NULL ? status_of_one(ctl) : status_of_all(ctl);
    return ctl->silent ? print_retained(ctl) : code;
}

int ctl_status(struct ctl *ctl)
{
    return ctl_has(ctl->arguments, CTL_CONTROLLERS) ? ctl_controllers(ctl)
                                                    : status_of_machines(ctl);
}
