/* Prints the code's own table of topics: as the README's, or as an access list for mosquitto.
 *
 *   print_topics                         Markdown
 *   print_topics --acl PREFIX ACCOUNT... access list
 */
#include <stdio.h>
#include <string.h>

#include "topics/access.h"
#include "topics/topic.h"

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

static int print_acl(const struct access_shop *shop, char *const names[])
{
    TEXT_LOCAL(rules, ACCESS_RULES_SIZE);

    access_print_devices(shop, &rules);
    fputs(rules.data, stdout);
    for (; *names != NULL; names++) {
        struct access_account account;
        if (access_account(*names, &account) != STATUS_OK) {
            fprintf(stderr, "print_topics: no role has accounts like \"%s\"\n", *names);
            return 2;
        }
        text_clear(&rules);
        access_print_account(shop, &account, &rules);
        printf("\n%s", rules.data);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    struct access_shop shop = {.discovery_prefix = "homeassistant"};
    int code = 0;

    if (argc == 1) {
        print_table();
    } else if (argc >= 3 && strcmp(argv[1], "--acl") == 0) {
        shop.prefix = argv[2];
        code = print_acl(&shop, &argv[3]);
    } else {
        fputs("usage: print_topics [--acl PREFIX ACCOUNT...]\n", stderr);
        code = 2;
    }
    return fflush(stdout) == 0 ? code : 1;
}
