/* The command line of tagoutctl: one verb, what it is about, and options in any place. */
#ifndef TAGOUT_CTL_ARGUMENTS_H
#define TAGOUT_CTL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

/* C1, and 3 of its own. */
enum {
    CTL_DONE = 0,
    CTL_REFUSED = 1,
    CTL_USAGE = 2,
    CTL_UNCONFIRMED = 3, /* done, but a machine has not confirmed that it is off */
};

/* Everything but the verb, the machine and the four options that each verb takes. */
enum ctl_option {
    CTL_REASON = 1 << 0,
    CTL_WAIT = 1 << 1,
    CTL_NOW = 1 << 2,
    CTL_ON = 1 << 3,
    CTL_STRANGERS = 1 << 4,
    CTL_OOPS = 1 << 5,
    CTL_LOCKOUT = 1 << 6,
    CTL_BOTH = 1 << 7,
    CTL_FOB = 1 << 8,
    CTL_ACCOUNT_ID = 1 << 9,
    CTL_FORCE = 1 << 10,
    CTL_WHEN_IDLE = 1 << 11,
    CTL_MACHINE = 1 << 12,
    CTL_USER = 1 << 13,
    CTL_SINCE = 1 << 14,
    CTL_UNTIL = 1 << 15,
    CTL_SESSIONS = 1 << 16,
    CTL_CONTROLLERS = 1 << 17,
    CTL_OUTPUT = 1 << 18,
    CTL_ESPHOME = 1 << 19,
    CTL_RELOAD = 1 << 20,
    CTL_DIRECTORY = 1 << 21,
    CTL_HOST = 1 << 22,
    CTL_PASSPHRASE_FILE = 1 << 23,
};

enum ctl_machine {
    CTL_NO_MACHINE,
    CTL_MAY_NAME_MACHINE,
    CTL_NEEDS_MACHINE,
};

struct ctl;

struct ctl_verb {
    const char *name;
    const char *synopsis; /* what follows the name */
    const char *summary;  /* one line, for the list of verbs */
    const char *help;     /* the rest of its own --help */
    enum ctl_machine machine;
    bool local;            /* asks nobody: works on this host's files */
    bool without_settings; /* local, and reads what it needs of tagout.ini itself, if anything */
    bool place_only;       /* of the file of -c only the directory counts */
    const char *const *actions;  /* what its first word must be, up to a NULL; NULL: no such word */
    int words_max;               /* that may follow, where no machine does */
    unsigned options;            /* of enum ctl_option */
    int (*run)(struct ctl *ctl); /* returns the exit status */
};

/* Ends with a verb without a name. */
extern const struct ctl_verb ctl_verbs[];

/* Strings are borrowed from the command line; NULL where not given. */
#define CTL_HOSTS_MAX 16
#define CTL_WORDS_MAX 4
struct ctl_arguments {
    const char *file;
    const char *account;
    const char *by;
    bool json;
    bool help;
    bool version;
    const struct ctl_verb *verb; /* NULL only with help or version */
    const char *action;
    const char *machine; /* or, behind an action, an account */
    const char *user;
    const char *since;
    const char *until;
    const char *reason;
    const char *fob;
    const char *account_id;
    const char *output;
    const char *esphome;
    const char *directory;
    const char *passphrase_file;
    const char *hosts[CTL_HOSTS_MAX];
    size_t host_count;
    const char *words[CTL_WORDS_MAX]; /* NULL behind the last */
    double wait_s;
    unsigned options; /* those that were given, of enum ctl_option */
};

bool ctl_has(const struct ctl_arguments *arguments, enum ctl_option option);

/* STATUS_INVALID: `why` is the whole message. Moves options in front of the rest in `values`, as
 * getopt does. */
MUST_USE enum status ctl_arguments_parse(
    int count, char *values[], struct ctl_arguments *ret_arguments, struct text *why);

/* What --help prints: for a verb, or (NULL) for the whole program. */
void ctl_help(const struct ctl_verb *verb, struct text *out);

#endif
