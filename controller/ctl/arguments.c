#include "controller/ctl/arguments.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/nearest.h"
#include "topics/request.h"

#define WAIT_DEFAULT_S 15
#define WAIT_MAX_S 3600
#define WORD_MAX 64 /* characters, C6 */
#define FILE_NAME_MAX 1000

/* Codes of the options that only some verbs take: above all characters. */
#define CODE 256

static const struct {
    const char *name;
    enum ctl_option option;
    int has_value;
} choices[] = {
    {"reason", CTL_REASON, required_argument},
    {"wait", CTL_WAIT, required_argument},
    {"now", CTL_NOW, no_argument},
    {"on", CTL_ON, no_argument},
    {"strangers", CTL_STRANGERS, no_argument},
    {"oops", CTL_OOPS, no_argument},
    {"lockout", CTL_LOCKOUT, no_argument},
    {"both", CTL_BOTH, no_argument},
    {"fob", CTL_FOB, required_argument},
    {"account-id", CTL_ACCOUNT_ID, required_argument},
    {"force", CTL_FORCE, no_argument},
    {"when-idle", CTL_WHEN_IDLE, no_argument},
    {"machine", CTL_MACHINE, required_argument},
    {"user", CTL_USER, required_argument},
    {"since", CTL_SINCE, required_argument},
    {"until", CTL_UNTIL, required_argument},
    {"sessions", CTL_SESSIONS, no_argument},
    {"controllers", CTL_CONTROLLERS, no_argument},
    {"output", CTL_OUTPUT, required_argument},
    {"esphome", CTL_ESPHOME, required_argument},
    {"reload", CTL_RELOAD, no_argument},
    {"directory", CTL_DIRECTORY, required_argument},
    {"host", CTL_HOST, required_argument},
    {"passphrase-file", CTL_PASSPHRASE_FILE, required_argument},
};

enum {
    CHOICES = sizeof choices / sizeof choices[0],
};

static const struct option common[] = {
    {"config", required_argument, NULL, 'c'}, {"account", required_argument, NULL, 'a'},
    {"by", required_argument, NULL, 'b'},     {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'V'},
};

enum {
    COMMON = sizeof common / sizeof common[0],
};

bool ctl_has(const struct ctl_arguments *arguments, enum ctl_option option)
{
    return (arguments->options & (unsigned)option) != 0;
}

static bool read_wait(const char *value, double *ret_wait_s)
{
    char *end;
    double wait_s = strtod(value, &end);

    /* Also false for what is not a number. */
    if (end == value || *end != '\0' || !(wait_s >= 0 && wait_s <= WAIT_MAX_S)) {
        return false;
    }
    *ret_wait_s = wait_s;
    return true;
}

/* Text that the controller would refuse is refused here, where the reason is plainer. */
static enum status
check_text(const char *option, const char *value, size_t characters_max, struct text *why)
{
    if (!utf8_is_valid(value, strlen(value)) || text_has_control(value)) {
        text_addf(why, "--%s: control characters, or not UTF-8", option);
    } else if (utf8_length(value) > characters_max) {
        text_addf(why, "--%s: over %zu characters", option, characters_max);
    } else {
        return STATUS_OK;
    }
    return STATUS_INVALID;
}

static const char **place_of(struct ctl_arguments *arguments, enum ctl_option option)
{
    switch ((unsigned)option) {
    case CTL_REASON:
        return &arguments->reason;
    case CTL_FOB:
        return &arguments->fob;
    case CTL_ACCOUNT_ID:
        return &arguments->account_id;
    case CTL_MACHINE:
        return &arguments->machine;
    case CTL_USER:
        return &arguments->user;
    case CTL_SINCE:
        return &arguments->since;
    case CTL_OUTPUT:
        return &arguments->output;
    case CTL_ESPHOME:
        return &arguments->esphome;
    case CTL_DIRECTORY:
        return &arguments->directory;
    case CTL_PASSPHRASE_FILE:
        return &arguments->passphrase_file;
    default:
        return &arguments->until;
    }
}

static size_t characters_max(enum ctl_option option)
{
    switch ((unsigned)option) {
    case CTL_REASON:
        return REQUEST_REASON_MAX;
    case CTL_OUTPUT:
    case CTL_ESPHOME:
    case CTL_DIRECTORY:
    case CTL_PASSPHRASE_FILE:
        return FILE_NAME_MAX;
    default:
        return WORD_MAX;
    }
}

static enum status take_host(struct ctl_arguments *arguments, struct text *why)
{
    if (arguments->host_count == CTL_HOSTS_MAX) {
        text_addf(why, "--host: over %d of them", CTL_HOSTS_MAX);
        return STATUS_INVALID;
    }
    arguments->hosts[arguments->host_count++] = optarg;
    return STATUS_OK;
}

static enum status take_choice(struct ctl_arguments *arguments, int index, struct text *why)
{
    enum ctl_option option = choices[index].option;
    enum status status = STATUS_OK;

    arguments->options |= (unsigned)option;
    if (option == CTL_HOST) {
        status = take_host(arguments, why);
    } else if (choices[index].has_value == required_argument && option != CTL_WAIT) {
        status = check_text(choices[index].name, optarg, characters_max(option), why);
        *place_of(arguments, option) = optarg;
    } else if (option == CTL_WAIT && !read_wait(optarg, &arguments->wait_s)) {
        text_addf(why, "--wait: \"%s\" is not a number of seconds up to %d", optarg, WAIT_MAX_S);
        status = STATUS_INVALID;
    }
    return status;
}

static enum status
take_option(struct ctl_arguments *arguments, int code, const char *word, struct text *why)
{
    switch (code) {
    case 'c':
        arguments->file = optarg;
        return STATUS_OK;
    case 'a':
        arguments->account = optarg;
        return check_text("account", optarg, WORD_MAX, why);
    case 'b':
        arguments->by = optarg;
        return check_text("by", optarg, WORD_MAX, why);
    case 'j':
        arguments->json = true;
        return STATUS_OK;
    case 'h':
        arguments->help = true;
        return STATUS_OK;
    case 'V':
        arguments->version = true;
        return STATUS_OK;
    case ':':
        text_addf(why, "%s needs a value", word);
        return STATUS_INVALID;
    case '?':
        if (optopt > 0 && optopt < CODE && strncmp(word, "--", 2) != 0) {
            text_addf(why, "-%c: no such option", optopt);
        } else {
            text_addf(
                why, "%s: no such option%s", word,
                strchr(word, '=') != NULL ? ", or it takes no value" : "");
        }
        return STATUS_INVALID;
    default:
        return take_choice(arguments, code - CODE, why);
    }
}

static enum status
read_options(int count, char *values[], struct ctl_arguments *arguments, struct text *why)
{
    struct option options[COMMON + CHOICES + 1] = {0};
    enum status status = STATUS_OK;
    int code;

    memcpy(options, common, sizeof common);
    for (int i = 0; i < CHOICES; i++) {
        options[COMMON + i] =
            (struct option){choices[i].name, choices[i].has_value, NULL, CODE + i};
    }
    optind = 0; /* glibc: begin anew, also for the tests */
    opterr = 0;
    while (status == STATUS_OK &&
           (code = getopt_long(count, values, ":c:hV", options, NULL)) != -1) {
        status = take_option(arguments, code, values[optind > 0 ? optind - 1 : 0], why);
    }
    return status;
}

static enum status find_verb(const char *name, const struct ctl_verb **ret_verb, struct text *why)
{
    struct nearest nearest = nearest_to(name);

    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        if (strcmp(verb->name, name) == 0) {
            *ret_verb = verb;
            return STATUS_OK;
        }
        nearest_offer(&nearest, verb->name);
    }
    text_addf(why, "there is no verb \"%s\"", name);
    nearest_add(&nearest, why);
    return STATUS_INVALID;
}

static enum status check_options(const struct ctl_arguments *arguments, struct text *why)
{
    const struct ctl_verb *verb = arguments->verb;
    unsigned given = arguments->options;

    for (int i = 0; i < CHOICES; i++) {
        if ((given & (unsigned)choices[i].option & ~verb->options) != 0) {
            text_addf(why, "--%s means nothing to \"%s\"", choices[i].name, verb->name);
            return STATUS_INVALID;
        }
    }
    if ((verb->options & CTL_FOB) != 0 &&
        ctl_has(arguments, CTL_FOB) == ctl_has(arguments, CTL_ACCOUNT_ID)) {
        text_addf(why, "%s: give either --fob or --account-id", verb->name);
    } else if (ctl_has(arguments, CTL_FORCE) && ctl_has(arguments, CTL_WHEN_IDLE)) {
        text_addf(why, "%s: give either --force or --when-idle", verb->name);
    } else if (
        ctl_has(arguments, CTL_ON) + ctl_has(arguments, CTL_STRANGERS) +
            ctl_has(arguments, CTL_CONTROLLERS) >
        1) {
        text_addf(why, "%s: give one of --on, --strangers and --controllers", verb->name);
    } else if (
        (verb->options & CTL_BOTH) != 0 && ctl_has(arguments, CTL_OOPS) +
                                                   ctl_has(arguments, CTL_LOCKOUT) +
                                                   ctl_has(arguments, CTL_BOTH) >
                                               1) {
        text_addf(why, "%s: give one of --oops, --lockout and --both", verb->name);
    } else {
        return STATUS_OK;
    }
    return STATUS_INVALID;
}

static enum status
check_action(int count, char *values[], struct ctl_arguments *arguments, struct text *why)
{
    const struct ctl_verb *verb = arguments->verb;
    struct nearest nearest = nearest_to(count > 0 ? values[0] : "");

    text_addf(why, "%s: what is to be done with it? One of", verb->name);
    for (const char *const *action = verb->actions; *action != NULL; action++) {
        if (count > 0 && strcmp(values[0], *action) == 0) {
            text_clear(why);
            arguments->action = *action;
            return STATUS_OK;
        }
        text_addf(why, " %s", *action);
        nearest_offer(&nearest, *action);
    }
    if (count > 0) {
        text_clear(why);
        text_addf(why, "%s: there is no \"%s\"", verb->name, values[0]);
        nearest_add(&nearest, why);
    }
    return STATUS_INVALID;
}

/* What follows the verb, and the action where it has any. */
static enum status
check_words(int count, char *values[], struct ctl_arguments *arguments, struct text *why)
{
    const struct ctl_verb *verb = arguments->verb;

    if (verb->actions != NULL) {
        if (check_action(count, values, arguments, why) != STATUS_OK) {
            return STATUS_INVALID;
        }
        count--;
        values++;
    }
    if (verb->machine != CTL_NO_MACHINE && count > 0) {
        arguments->machine = values[0];
        count--;
        values++;
        if (arguments->machine[0] == '\0' ||
            check_text("machine", arguments->machine, WORD_MAX, why) != STATUS_OK) {
            text_clear(why);
            text_addf(why, "%s: that is no machine's name", verb->name);
            return STATUS_INVALID;
        }
    }
    if (arguments->action != NULL &&
        (strcmp(arguments->action, "list") == 0) == (arguments->machine != NULL)) {
        text_addf(
            why, arguments->machine == NULL ? "%s %s: which one?" : "%s %s: of all, not of one",
            verb->name, arguments->action);
        return STATUS_INVALID;
    }
    if (verb->machine == CTL_NEEDS_MACHINE && arguments->machine == NULL) {
        text_addf(why, "%s: which machine?", verb->name);
        return STATUS_INVALID;
    }
    for (int i = 0; count > 0 && i < verb->words_max; i++) {
        arguments->words[i] = values[0];
        count--;
        values++;
    }
    if (count > 0) {
        text_addf(
            why, "%s: unexpected argument \"%s\"%s", verb->name, values[0],
            arguments->machine != NULL ? "; a name with a space in it needs quotes" : "");
        return STATUS_INVALID;
    }
    if (arguments->machine != NULL &&
        (arguments->options & (CTL_ON | CTL_STRANGERS | CTL_CONTROLLERS)) != 0) {
        text_addf(
            why, "%s: --on, --strangers and --controllers are about no single machine", verb->name);
        return STATUS_INVALID;
    }
    return check_options(arguments, why);
}

enum status ctl_arguments_parse(
    int count, char *values[], struct ctl_arguments *ret_arguments, struct text *why)
{
    struct ctl_arguments arguments = {.wait_s = WAIT_DEFAULT_S};
    enum status status = read_options(count, values, &arguments, why);

    if (status == STATUS_OK && optind < count) {
        status = find_verb(values[optind], &arguments.verb, why);
    }
    if (status == STATUS_OK && !arguments.help && !arguments.version) {
        if (arguments.verb == NULL) {
            text_add(why, "what is to be done? A verb is missing");
            status = STATUS_INVALID;
        } else {
            status = check_words(count - optind - 1, values + optind + 1, &arguments, why);
        }
    }
    if (status == STATUS_OK) {
        *ret_arguments = arguments;
    }
    return status;
}
