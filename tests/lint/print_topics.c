/* Prints the code's own table of topics: as the README's, or as an access list for mosquitto.
 *
 *   print_topics                       Markdown
 *   print_topics --acl PREFIX PERSON...  access list
 *
 * A device's account is its machine's name, so that devices need one set of patterns. Patterns
 * hold for every account, so people must not get theirs as patterns: a device could then ask for
 * what only a person may, such as an unlock. Each person's account is written out.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "topics/topic.h"

enum account {
    DEVICE,
    CONTROLLER,
    WATCHER,
    HOME_ASSISTANT,
    PERSON,
};

/* The writers of the table, in the order of the enum. */
static const char *const writers[] = {
    "device", "controller", "watcher", "Home Assistant", "client"};

static bool writes(enum account account, enum topic_id id)
{
    return strcmp(topic_info(id)->writer, writers[account]) == 0;
}

/* Reports can carry a card's number, so only the controller reads them. */
static bool reads(enum account account, enum topic_id id)
{
    bool monitors = account == WATCHER || account == HOME_ASSISTANT || account == PERSON;

    switch (id) {
    case TOPIC_REPORT:
    case TOPIC_PONG:
    case TOPIC_SET_OOPS:
    case TOPIC_SET_LOCKOUT:
    case TOPIC_REQUEST:
    case TOPIC_CONTROLLER_MARKER:
    case TOPIC_BLOCKS:
        return account == CONTROLLER;
    case TOPIC_COMMAND:
    case TOPIC_PROBE:
    case TOPIC_RESTART:
        return account == DEVICE;
    case TOPIC_LINK:
    case TOPIC_STATE:
    case TOPIC_CONTROLLER_STATUS:
    case TOPIC_SERVICE:
        return account == CONTROLLER || monitors;
    case TOPIC_TELEMETRY:
        return account == HOME_ASSISTANT || account == PERSON;
    case TOPIC_EVENT:
    case TOPIC_SAVE_TIMEOUT:
    case TOPIC_ALERT:
        return monitors;
    case TOPIC_RESPONSE:
        return account == PERSON;
    case TOPIC_COUNT:
        break;
    }
    return false;
}

static const char *placeholder(char letter)
{
    switch (letter) {
    case 'm':
        return "<m>";
    case 'c':
        return "<id>";
    case 'a':
        return "<account>";
    case 'v':
        return "<verb>";
    case 's':
        return "<name>";
    default:
        return "?";
    }
}

static void print_table(void)
{
    puts("| Topic | Written by | QoS | Retained | What it carries |");
    puts("|---|---|---|---|---|");
    for (enum topic_id id = 0; id < TOPIC_COUNT; id++) {
        const struct topic_info *info = topic_info(id);

        fputs("| `<p>/", stdout);
        for (const char *at = info->name; *at != '\0'; at++) {
            if (*at == '%') {
                fputs(placeholder(*++at), stdout);
            } else {
                putchar(*at);
            }
        }
        printf(
            "` | %s | %d | %s | %s |\n", info->writer, info->qos, info->retained ? "yes" : "no",
            info->text);
    }
}

/* The filter of a topic in which one placeholder stands for the account itself, 0 for none. */
static void print_filter(const char *prefix, enum topic_id id, char own, const char *account)
{
    printf("%s/", prefix);
    for (const char *at = topic_info(id)->name; *at != '\0'; at++) {
        if (*at == '%') {
            at++;
            fputs(*at == own ? account : "+", stdout);
        } else {
            putchar(*at);
        }
    }
    putchar('\n');
}

static void
print_rules(const char *kind, const char *prefix, enum account account, char own, const char *name)
{
    for (enum topic_id id = 0; id < TOPIC_COUNT; id++) {
        bool read = reads(account, id);
        bool write = writes(account, id);

        if (read || write) {
            printf("%s %s ", kind, read && write ? "readwrite" : (read ? "read" : "write"));
            print_filter(prefix, id, own, name);
        }
    }
}

static void print_acl(const char *prefix, char *const people[])
{
    puts("# Devices: an account has its machine's name.");
    print_rules("pattern", prefix, DEVICE, 'm', "%u");
    puts("\nuser controller");
    print_rules("topic", prefix, CONTROLLER, 0, NULL);
    puts("topic write homeassistant/device/+/config");
    puts("topic read homeassistant/status");
    puts("\nuser watcher");
    print_rules("topic", prefix, WATCHER, 0, NULL);
    printf("topic read %s/request/+/test-alert\n", prefix);
    printf("topic write %s/response/+/test-alert\n", prefix);
    puts("\nuser homeassistant");
    print_rules("topic", prefix, HOME_ASSISTANT, 0, NULL);
    puts("topic readwrite homeassistant/#");
    for (; *people != NULL; people++) {
        printf("\nuser %s\n", *people);
        print_rules("topic", prefix, PERSON, 'a', *people);
    }
}

int main(int argc, char *argv[])
{
    if (argc == 1) {
        print_table();
    } else if (argc >= 3 && strcmp(argv[1], "--acl") == 0) {
        print_acl(argv[2], &argv[3]);
    } else {
        fputs("usage: print_topics [--acl PREFIX PERSON...]\n", stderr);
        return 2;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
