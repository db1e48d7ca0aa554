/* What tagoutctl can do, and how it explains it. */
#include <string.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/ini_file.h"
#include "topics/access.h"

static const char *const account_actions[] = {"add", "remove", "replace", "list", NULL};

const struct ctl_verb ctl_verbs[] = {
    {
        .name = "status",
        .synopsis = "[MACHINE] [--on | --strangers | --controllers]",
        .summary = "what all machines do, or one of them in detail",
        .help = "The relay is shown as it was commanded: \"on?\" and \"off?\" mean that the "
                "machine has\n"
                "not confirmed it.\n"
                "\n"
                "  --on           what is on, or may be, for whoever leaves last: exit status 1 "
                "if\n"
                "                 anything is, 3 if a machine has not confirmed that it is off\n"
                "  --strangers    names that were heard and are not configured\n"
                "  --controllers  who leads and who stands by; exit status 1 if nobody leads\n",
        .machine = CTL_MAY_NAME_MACHINE,
        .options = CTL_ON | CTL_STRANGERS | CTL_CONTROLLERS,
        .run = ctl_status,
    },
    {
        .name = "why",
        .synopsis = "MACHINE",
        .summary = "why it is on or off, what would change that, and its last decisions",
        .help =
            "Says who or what decided, by which rule and since when; what is needed to get it "
            "on, or\n"
            "off; what is wrong with it; and its last eight decisions, since the controller began\n"
            "to lead. All of the past is in \"log\".\n",
        .machine = CTL_NEEDS_MACHINE,
        .run = ctl_why,
    },
    {
        .name = "watch",
        .synopsis = "",
        .summary = "a live board of all machines; plain lines in a pipe",
        .help =
            "Shows each change as it happens, and the latest events below. q or Ctrl-C ends it.\n"
            "In a pipe: one line a change; with --json one object a line.\n",
        .run = ctl_watch,
    },
    {
        .name = "oops",
        .synopsis = "MACHINE [--reason TEXT] [--now] [--wait S]",
        .summary = "as if its Oops button were pressed",
        .help = "Ends any session and cuts the power, then waits for the machine to confirm that "
                "it is\n"
                "off. A machine in use is asked about first.\n"
                "\n"
                "  --reason TEXT  goes into the audit and to Slack\n"
                "  --now          do not ask, also when somebody works on it\n"
                "  --wait S       wait S seconds for \"off\", 15 unless given; exit status 3 "
                "without it\n",
        .machine = CTL_NEEDS_MACHINE,
        .options = CTL_REASON | CTL_NOW | CTL_WAIT,
        .run = ctl_oops,
    },
    {
        .name = "lockout",
        .synopsis = "MACHINE [--reason TEXT] [--now] [--wait S]",
        .summary = "no member's card opens it until it is cleared",
        .help = "Ends any session and cuts the power, then waits for the machine to confirm that "
                "it is\n"
                "off. A machine in use is asked about first. This keeps members out; it does not "
                "isolate\n"
                "energy. Before you reach in: isolate, padlock, try.\n"
                "\n"
                "  --reason TEXT  shown on boards, in the audit and in Slack\n"
                "  --now          do not ask, also when somebody works on it\n"
                "  --wait S       wait S seconds for \"off\", 15 unless given; exit status 3 "
                "without it\n",
        .machine = CTL_NEEDS_MACHINE,
        .options = CTL_REASON | CTL_NOW | CTL_WAIT,
        .run = ctl_lockout,
    },
    {
        .name = "clear",
        .synopsis = "MACHINE [--oops | --lockout | --both] [--now]",
        .summary = "clears an Oops or lifts a lockout",
        .help =
            "Without an option it clears the one that is set; where both are set it says who set\n"
            "them, and changes nothing.\n"
            "\n"
            "  --oops     clear the Oops only\n"
            "  --lockout  lift the lockout only\n"
            "  --both     both\n"
            "  --now      do not ask, also when somebody works on it by override\n",
        .machine = CTL_NEEDS_MACHINE,
        .options = CTL_OOPS | CTL_LOCKOUT | CTL_BOTH | CTL_NOW,
        .run = ctl_clear,
    },
    {
        .name = "end",
        .synopsis = "MACHINE",
        .summary = "ends the session that is open; its card must come out",
        .help =
            "Cuts the power under whoever works there. The card that is in opens nothing until it\n"
            "was taken out.\n",
        .machine = CTL_NEEDS_MACHINE,
        .run = ctl_end,
    },
    {
        .name = "block",
        .synopsis = "--fob NUMBER | --account-id ID",
        .summary = "refuses a lost card, or all cards of a member, at once",
        .help = "Sessions with it end. It holds until users.json no longer lists the card, or "
                "unblock.\n"
                "\n"
                "  --fob NUMBER     this card\n"
                "  --account-id ID  all cards of this member\n",
        .options = CTL_FOB | CTL_ACCOUNT_ID,
        .run = ctl_block,
    },
    {
        .name = "unblock",
        .synopsis = "--fob NUMBER | --account-id ID",
        .summary = "takes that back",
        .help = "  --fob NUMBER     this card\n"
                "  --account-id ID  all cards of this member\n",
        .options = CTL_FOB | CTL_ACCOUNT_ID,
        .run = ctl_unblock,
    },
    {
        .name = "card",
        .synopsis = "MACHINE",
        .summary = "number of the card that is in, to enrol a member",
        .help =
            "Or of the last unknown card that was put in within 5 minutes. Who asks is noted.\n",
        .machine = CTL_NEEDS_MACHINE,
        .run = ctl_card,
    },
    {
        .name = "restart",
        .synopsis = "MACHINE [--force | --when-idle] [--wait S]",
        .summary = "reboots the machine's box",
        .help = "A machine in use is refused, unless one of these is given.\n"
                "\n"
                "  --force      also in use: cuts the power under whoever works there\n"
                "  --when-idle  as soon as nobody uses it\n"
                "  --wait S     if it has to wait, wait with it for S seconds\n",
        .machine = CTL_NEEDS_MACHINE,
        .options = CTL_FORCE | CTL_WHEN_IDLE | CTL_WAIT,
        .run = ctl_restart,
    },
    {
        .name = "forget",
        .synopsis = "MACHINE",
        .summary = "removes what is kept of a machine that is no longer configured",
        .help = "Its Oops and lockout, too: should it come back, it comes back clear.\n",
        .machine = CTL_NEEDS_MACHINE,
        .run = ctl_forget,
    },
    {
        .name = "handover",
        .synopsis = "",
        .summary = "the controller that leads gives its lead to one that stands by",
        .help = "For an upgrade: the one that stands by now can be stopped, and nobody notices. "
                "Sessions go\n"
                "on, and no relay changes. Refused where none stands by.\n",
        .run = ctl_handover,
    },
    {
        .name = "reload",
        .synopsis = "[--force]",
        .summary = "reads users and machines again",
        .help =
            "All or nothing: any error keeps what was there.\n"
            "\n"
            "  --force  also if over half of the users or machines would go, or a machine that is\n"
            "           in use, oopsed or locked out\n",
        .options = CTL_FORCE,
        .run = ctl_reload,
    },
    {
        .name = "log",
        .synopsis = "[--machine M] [--user U] [--since T] [--until T] [--sessions]",
        .summary = "what happened, from the audit of tagout-watcher",
        .help = "Reads the files in [audit] directory, so it works on the watcher's host, and "
                "needs no\n"
                "broker. With --json it prints the lines as they stand there.\n"
                "\n"
                "  --machine M  of this machine only\n"
                "  --user U     of this person only: a name, an account's number, or who asked\n"
                "  --since T    30min, 2h or 3d ago, today, yesterday, 14:30, 2026-11-01 or\n"
                "               \"2026-11-01 14:30\"; 24h unless given\n"
                "  --until T    the same; now unless given\n"
                "  --sessions   who used what, from when to when, how it ended; refused tries\n",
        .local = true,
        .options = CTL_MACHINE | CTL_USER | CTL_SINCE | CTL_UNTIL | CTL_SESSIONS,
        .run = ctl_log,
    },
    {
        .name = "test-alert",
        .synopsis = "",
        .summary = "sends an alert the whole way to Slack, as a trial",
        .help = "It is answered by tagout-watcher: whether Slack took the message, in which "
                "channel, or why\n"
                "not. Anybody who reads the control channel sees it. Waits up to 60 s.\n",
        .run = ctl_test_alert,
    },
    {
        .name = "device",
        .synopsis = "add|replace|remove|list [MACHINE] [--esphome DIR] [--reload]",
        .summary = "the broker's accounts of the boxes at machines",
        .help =
            "Works on the files of [mosquitto], so on the broker's host, and as root. Passwords "
            "are\n"
            "made at random.\n"
            "\n"
            "  add            a new box: shows its password and its entry in machines.json\n"
            "  replace        a new password, say for a box that was stolen; the old one is dead\n"
            "  remove         no box may call itself that any more\n"
            "  list           devices, and what machines.json has without or instead of them\n"
            "  --esphome DIR  write DIR/MACHINE.yaml, and the password into DIR/secrets.yaml\n"
            "  --reload       tell Mosquitto at once: systemctl reload mosquitto\n",
        .machine = CTL_MAY_NAME_MACHINE,
        .local = true,
        .actions = account_actions,
        .options = CTL_ESPHOME | CTL_RELOAD,
        .run = ctl_device,
    },
    {
        .name = "account",
        .synopsis = "add|replace|remove|list [NAME] [--output FILE] [--reload]",
        .summary = "the broker's accounts of people and services",
        .help =
            "A name says its role: op.ada is an operator, ad.grace an admin, ha.home Home "
            "Assistant,\n"
            "svc.watcher a watcher, svc.controller-one the controller with that id. Works on the "
            "files\n"
            "of [mosquitto], so on the broker's host, and as root. Passwords are made at random.\n"
            "\n"
            "  add            a new account: shows its section for a tagout.ini\n"
            "  replace        a new password; the old one is dead\n"
            "  remove         takes the account away\n"
            "  list           accounts and their roles\n"
            "  --output FILE  write that section into a new file instead\n"
            "  --reload       tell Mosquitto at once: systemctl reload mosquitto\n",
        .machine = CTL_MAY_NAME_MACHINE,
        .local = true,
        .actions = account_actions,
        .options = CTL_OUTPUT | CTL_RELOAD,
        .run = ctl_account,
    },
    {
        .name = "init",
        .synopsis = "[--host NAME]... [--directory DIR]",
        .summary = "a working, secured set-up for this host, and what to do next",
        .help =
            "Writes accounts, certificates, secrets, and what Mosquitto and Redis include, into "
            "one\n"
            "directory. Changes nothing that is there, and nothing elsewhere.\n"
            "\n"
            "  --host NAME      how the broker is reached, a name or an address, up to 16 of "
            "them\n"
            "  --directory DIR  else where the file of -c is, or /etc/tagout\n",
        .local = true,
        .without_settings = true,
        .place_only = true,
        .options = CTL_HOST | CTL_DIRECTORY,
        .run = ctl_init,
    },
    {
        .name = "ca",
        .synopsis = "[show] [--host NAME]... [--directory DIR] [--force]",
        .summary = "makes a private certificate authority and the broker's certificate",
        .help =
            "Both hold for 20 years, and are in the folder \"ca\" of the configuration's "
            "directory.\n"
            "What is there is kept; \"show\" prints what that is, for which names, and until "
            "when.\n"
            "\n"
            "  --host NAME      how the broker is reached, a name or an address, up to 16 of "
            "them;\n"
            "                   this host's own name unless given; localhost always counts\n"
            "  --directory DIR  the configuration's directory; else where the file of -c is, or\n"
            "                   /etc/tagout\n"
            "  --force          make the broker's certificate anew; the authority stays, for\n"
            "                   every box trusts it\n",
        .local = true,
        .without_settings = true,
        .place_only = true,
        .words_max = 1,
        .options = CTL_HOST | CTL_DIRECTORY | CTL_FORCE,
        .run = ctl_ca,
    },
    {
        .name = "backup",
        .synopsis = "FILE [--passphrase-file F] [--force]",
        .summary = "this host's configuration, accounts, state and audit, encrypted, into a file",
        .help = "Takes the directory that the file of -c is in (/etc/tagout), all that Redis keeps "
                "of\n"
                "Tagout's, and [audit] directory. Nothing has to stop for it. Asks for a "
                "passphrase,\n"
                "twice; without it nobody opens the file again, you neither.\n"
                "\n"
                "  --passphrase-file F  the passphrase is the first line of F\n"
                "  --force              write over FILE\n",
        .local = true,
        .without_settings = true,
        .words_max = 1,
        .options = CTL_PASSPHRASE_FILE | CTL_FORCE,
        .run = ctl_backup,
    },
    {
        .name = "restore",
        .synopsis = "FILE [--passphrase-file F] [--force]",
        .summary = "brings a backup back, whole or not at all",
        .help = "Stop tagoutd and tagout-watcher first, on every host. Redis has to run. Where "
                "anything\n"
                "fails, all is as it was before.\n"
                "\n"
                "  --passphrase-file F  the passphrase is the first line of F\n"
                "  --force              put aside what is there, and replace what Redis keeps\n",
        .local = true,
        .without_settings = true,
        .words_max = 1,
        .options = CTL_PASSPHRASE_FILE | CTL_FORCE,
        .run = ctl_restore,
    },
    {0},
};

static void help_on_all(struct text *out)
{
    text_add(
        out, "Usage: tagoutctl [-c FILE] [--account NAME] [--by NAME] [--json] VERB ...\n"
             "\n"
             "Asks and commands the controller of Tagout, over the broker.\n"
             "\n");
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        text_addf(out, "  %-10s %s\n", verb->name, verb->summary);
    }
    text_add(
        out, "\n"
             "MACHINE is a name or an alias, in any case.\n"
             "\n"
             "  -c, --config FILE   the broker's address and account, see tagout.ini(5); else\n"
             "                      " INI_DIRECTORY_DEFAULT "/" INI_ADMIN " where it can be read, "
             "or " INI_HOST " beside it,\n"
             "                      which is what verbs read that change this host's files\n"
             "      --account NAME  ask as this account; else the user name at the broker, or "
             "\"local\"\n"
             "      --by NAME       who asks, for the audit; else $SUDO_USER or $USER\n"
             "      --json          print the answer's data as JSON\n"
             "  -h, --help          print this, or after a verb what is to be known about it\n"
             "  -V, --version       print the version\n"
             "\n"
             "Exit status: 0 done, 1 refused or failed, 2 usage or configuration,\n"
             "3 done, but a machine has not confirmed that it is off.\n");
}

void ctl_help(const struct ctl_verb *verb, struct text *out)
{
    if (verb == NULL) {
        help_on_all(out);
        return;
    }
    text_addf(
        out, "Usage: tagoutctl %s%s%s\n\n%s: %s.\n\n%s", verb->name,
        verb->synopsis[0] == '\0' ? "" : " ", verb->synopsis, verb->name, verb->summary,
        verb->help);
    if (access_is_admins(verb->name)) {
        text_add(out, "\nOn a broker with accounts an admin's account may ask for it.\n");
    }
}
