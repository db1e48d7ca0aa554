/* What the verbs of tagoutctl share: where they print, whom they ask, and what they say when
 * nobody answers. A verb returns the exit status; whoever refuses has said why on standard error.
 */
#ifndef TAGOUT_CTL_CTL_H
#define TAGOUT_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/config/settings.h"
#include "controller/ctl/arguments.h"
#include "controller/ctl/board.h"
#include "controller/ctl/client.h"
#include "controller/ctl/words.h"

#define CTL_ANSWER_MS 5000    /* a controller that is there answers sooner */
#define CTL_ALERT_MS 70000    /* the watcher gives Slack a minute */
#define CTL_HANDOVER_MS 10000 /* somebody else has to lead first */
#define CTL_RELOAD_MS 30000   /* it reads files first */

struct ctl {
    const struct ctl_arguments *arguments;
    const struct settings *settings; /* NULL for a verb without settings */
    const char *denied;    /* a file with an account that this user may not read; "" for none */
    struct client *client; /* NULL for a verb that is local */
    struct board board;
    bool silent; /* the last question was not answered in time */
    bool out_is_terminal;
    bool out_coloured;
    bool err_coloured;
};

/* Whether a person is there to be asked. */
bool ctl_can_ask(void);
/* Columns of the terminal behind standard output; 0 where there is none. */
size_t ctl_width(const struct ctl *ctl);

/* Where this host's configuration is, as an absolute path: --directory, else where the file of -c
 * is, else ini_directory(). CTL_USAGE when that cannot be. */
#define CTL_PLACE_SIZE 1024
int ctl_directory(const struct ctl *ctl, char ret_directory[CTL_PLACE_SIZE]);
/* Whether each --host can be one: CTL_DONE, or CTL_USAGE. */
int ctl_check_hosts(const struct ctl *ctl);

/* One line on standard error, "tagoutctl: " in front. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line on standard error that nobody may overlook. */
void ctl_alarm(const struct ctl *ctl, const char *line);
/* One line on standard output in a tone. */
void ctl_say(const struct ctl *ctl, enum tone tone, const char *line);

/* Connects, with the controllers' status subscribed: CTL_DONE, or CTL_REFUSED. */
int ctl_connect(struct ctl *ctl);

/* Says that, and what it means that, the broker is out of reach, or that the controller is silent.
 */
void ctl_no_broker(const struct ctl *ctl);
void ctl_no_controller(const struct ctl *ctl);
/* The same of the watcher, which answers `test-alert` alone. */
void ctl_no_watcher(const struct ctl *ctl);
/* What to do about a `who`, controller or watcher, whose status stands and who does not answer. */
void ctl_runs_silently(const struct ctl *ctl, const char *who);

/* Asks; CTL_DONE with an answer `ok` or `queued`, freed by the caller, else CTL_REFUSED. */
int ctl_ask(
    struct ctl *ctl, struct question *question, int timeout_ms, struct answer_copy *ret_answer);
/* How long a change may take to be answered: it is told whether it was saved. */
int ctl_change_ms(const struct ctl *ctl);

/* The present state of the machine that the command line names, which the board keeps. */
int ctl_ask_state(struct ctl *ctl, const struct board_machine **ret_machine);

/* For when the controller is silent: the last state of that machine which the broker kept. NULL: it
 * has said why there is none. */
const struct board_machine *ctl_retained(struct ctl *ctl);

/* The answer's data as JSON on standard output. */
void ctl_print_data(const struct answer_copy *answer);

bool ctl_data_bool(const struct answer_copy *answer, const char *key);
/* "" when it is not there. */
const char *ctl_data_string(const struct answer_copy *answer, const char *key);
unsigned long ctl_data_count(const struct json *object, const char *key);

/* What it means when the answer's `persisted` is false; for people, not with --json. */
void ctl_say_persisted(const struct ctl *ctl, const struct answer_copy *answer);

/* The verbs, in verb_*.c and watch.c. */
int ctl_status(struct ctl *ctl);
int ctl_controllers(struct ctl *ctl); /* status --controllers */
int ctl_handover(struct ctl *ctl);
int ctl_why(struct ctl *ctl);
int ctl_oops(struct ctl *ctl);
int ctl_lockout(struct ctl *ctl);
int ctl_clear(struct ctl *ctl);
int ctl_end(struct ctl *ctl);
int ctl_block(struct ctl *ctl);
int ctl_unblock(struct ctl *ctl);
int ctl_card(struct ctl *ctl);
int ctl_restart(struct ctl *ctl);
int ctl_forget(struct ctl *ctl);
int ctl_reload(struct ctl *ctl);
int ctl_test_alert(struct ctl *ctl);
int ctl_watch(struct ctl *ctl);
int ctl_log(struct ctl *ctl);
int ctl_account(struct ctl *ctl);
int ctl_device(struct ctl *ctl);
int ctl_init(struct ctl *ctl);
int ctl_ca(struct ctl *ctl);
int ctl_backup(struct ctl *ctl);
int ctl_restore(struct ctl *ctl);

#endif
