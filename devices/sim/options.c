#include "devices/sim/options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/sim/options_inside.h"

#define EXIT_USAGE 2 /* C1 */
#define SECONDS_MAX 3600.0

static const char usage[] =
    "Usage: tagout-sim [OPTION...] [NAME...]\n"
    "\n"
    "Simulated machines: each follows the device's rules exactly, with a connection, client id\n"
    "and last will of its own. tagout-sim(1) has the scenario's language.\n"
    "\n"
    "Machines:\n"
    "      --machines FILE     all of a machines.json, or those of it that are NAMEd\n"
    "      --count N           N of them, called sim-1, sim-2, ...\n"
    "      --name-prefix P     P-1, P-2, ... instead\n"
    "      --users FILE        cards: those of a users.json\n"
    "      --card NUMBER       a card; may be repeated\n"
    "Broker:\n"
    "  -b, --broker URL        mqtt://127.0.0.1:1883\n"
    "      --prefix P          first level of every topic: tagout\n"
    "      --username NAME     with TAGOUT_MQTT_PASSWORD in the environment\n"
    "      --ca-file FILE      whom to trust, for mqtts://\n"
    "      --account A         whose requests a scenario sends: local\n"
    "      --really            talk to a broker that is not on this host\n"
    "      --take-over         take names whose machine is online\n"
    "What happens:\n"
    "      --life RATE         random visits, RATE per machine and hour\n"
    "      --seed N            the same visits and delays again\n"
    "      --scenario FILE     play it, then stop; 1 as exit status if an expectation failed\n"
    "      --do LINE           a line of a scenario; may be repeated\n"
    "      --control FILE      take lines while running from FILE, - for standard input\n"
    "      --stay              stay when scenario or control have ended\n"
    "      --pace X            a scenario's waits last X times as long\n"
    "The device, in seconds:\n"
    "      --heartbeat S (10)  --on-window S (5)  --start-delay S (10)  --confirm-out S (1.5)\n"
    "      --reconnect S (3, at most, at random)  --boot S (1)\n"
    "Output:\n"
    "      --json              JSON lines\n"
    "      --colour WHEN       auto, always or never\n"
    "  -q, --quiet             only what a scenario prints, and failures\n"
    "  -V, --version           print the version and exit\n"
    "  -h, --help              print this and exit\n"
    "\n"
    "Ctrl-C says goodbye for every machine.\n";

enum option_id {
    OPTION_MACHINES = 256,
    OPTION_COUNT,
    OPTION_NAME_PREFIX,
    OPTION_USERS,
    OPTION_CARD,
    OPTION_PREFIX,
    OPTION_USERNAME,
    OPTION_CA_FILE,
    OPTION_ACCOUNT,
    OPTION_REALLY,
    OPTION_TAKE_OVER,
    OPTION_LIFE,
    OPTION_SEED,
    OPTION_SCENARIO,
    OPTION_DO,
    OPTION_CONTROL,
    OPTION_STAY,
    OPTION_PACE,
    OPTION_HEARTBEAT,
    OPTION_ON_WINDOW,
    OPTION_START_DELAY,
    OPTION_CONFIRM_OUT,
    OPTION_RECONNECT,
    OPTION_BOOT,
    OPTION_JSON,
    OPTION_COLOUR,
};

static const struct option table[] = {
    {"broker", required_argument, NULL, 'b'},
    {"quiet", no_argument, NULL, 'q'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {"machines", required_argument, NULL, OPTION_MACHINES},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"name-prefix", required_argument, NULL, OPTION_NAME_PREFIX},
    {"users", required_argument, NULL, OPTION_USERS},
    {"card", required_argument, NULL, OPTION_CARD},
    {"prefix", required_argument, NULL, OPTION_PREFIX},
    {"username", required_argument, NULL, OPTION_USERNAME},
    {"ca-file", required_argument, NULL, OPTION_CA_FILE},
    {"account", required_argument, NULL, OPTION_ACCOUNT},
    {"really", no_argument, NULL, OPTION_REALLY},
    {"take-over", no_argument, NULL, OPTION_TAKE_OVER},
    {"life", required_argument, NULL, OPTION_LIFE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"scenario", required_argument, NULL, OPTION_SCENARIO},
    {"do", required_argument, NULL, OPTION_DO},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"stay", no_argument, NULL, OPTION_STAY},
    {"pace", required_argument, NULL, OPTION_PACE},
    {"heartbeat", required_argument, NULL, OPTION_HEARTBEAT},
    {"on-window", required_argument, NULL, OPTION_ON_WINDOW},
    {"start-delay", required_argument, NULL, OPTION_START_DELAY},
    {"confirm-out", required_argument, NULL, OPTION_CONFIRM_OUT},
    {"reconnect", required_argument, NULL, OPTION_RECONNECT},
    {"boot", required_argument, NULL, OPTION_BOOT},
    {"json", no_argument, NULL, OPTION_JSON},
    {"colour", required_argument, NULL, OPTION_COLOUR},
    {NULL, 0, NULL, 0},
};

static double number_of(struct options_reading *reading, const char *what, double max)
{
    char *end;
    double number = strtod(optarg, &end);

    if (end == optarg || *end != '\0' || !isfinite(number) || number < 0 || number > max) {
        options_complain(reading, "--%s %s: not a number from 0 to %.10g", what, optarg, max);
        return 0;
    }
    return number;
}

static uint32_t milliseconds_of(struct options_reading *reading, const char *what)
{
    return (uint32_t)(number_of(reading, what, SECONDS_MAX) * 1000 + 0.5);
}

static void take_colour(struct options_reading *reading)
{
    struct options *options = reading->options;

    if (strcmp(optarg, "always") == 0) {
        options->colour = true;
    } else if (strcmp(optarg, "never") == 0) {
        options->colour = false;
    } else if (strcmp(optarg, "auto") != 0) {
        options_complain(reading, "--colour %s: it is auto, always or never", optarg);
    }
}

static void take_card(struct options_reading *reading)
{
    TEXT_LOCAL(why, 128);

    if (cards_add(&reading->options->cards, optarg, &why) != STATUS_OK) {
        options_complain(reading, "--card: %s", why.data);
    }
}

static void take_line(struct options_reading *reading)
{
    struct options *options = reading->options;

    if (options->line_count >= OPTIONS_LINES_MAX) {
        options_complain(reading, "--do: at most %d of them", OPTIONS_LINES_MAX);
    } else {
        options->lines[options->line_count++] = optarg;
    }
}

static void take_time(struct options_reading *reading, int id)
{
    struct options *options = reading->options;
    struct device_config *config = &options->config;

    if (id == OPTION_HEARTBEAT) {
        config->heartbeat_ms = milliseconds_of(reading, "heartbeat");
    } else if (id == OPTION_ON_WINDOW) {
        config->on_window_ms = milliseconds_of(reading, "on-window");
    } else if (id == OPTION_START_DELAY) {
        config->start_delay_ms = milliseconds_of(reading, "start-delay");
        config->start_delay_random_ms = config->start_delay_ms / 2;
    } else if (id == OPTION_CONFIRM_OUT) {
        config->confirm_out_ms = milliseconds_of(reading, "confirm-out");
        config->card_present_line = config->confirm_out_ms == 0;
    } else if (id == OPTION_RECONNECT) {
        config->reconnect_random_ms = milliseconds_of(reading, "reconnect");
    } else {
        options->boot_ms = milliseconds_of(reading, "boot");
    }
}

static void take_what_happens(struct options_reading *reading, int id)
{
    struct options *options = reading->options;

    switch (id) {
    case OPTION_LIFE:
        options->life = number_of(reading, "life", 100000);
        break;
    case OPTION_SEED:
        options->seed = (uint32_t)number_of(reading, "seed", UINT32_MAX);
        options->has_seed = true;
        break;
    case OPTION_SCENARIO:
        options->scenario = optarg;
        break;
    case OPTION_DO:
        take_line(reading);
        break;
    case OPTION_CONTROL:
        options->control = optarg;
        break;
    case OPTION_STAY:
        options->stay = true;
        break;
    case OPTION_PACE:
        options->pace = number_of(reading, "pace", 1000);
        break;
    default:
        take_time(reading, id);
        break;
    }
}

static void take_broker(struct options_reading *reading, int id)
{
    struct options *options = reading->options;

    switch (id) {
    case 'b':
        options->url = optarg;
        break;
    case OPTION_PREFIX:
        options->prefix = optarg;
        break;
    case OPTION_USERNAME:
        options->username = optarg;
        break;
    case OPTION_CA_FILE:
        options->ca_file = optarg;
        break;
    case OPTION_ACCOUNT:
        options->account = optarg;
        break;
    case OPTION_REALLY:
        options->really = true;
        break;
    case OPTION_TAKE_OVER:
        options->take_over = true;
        break;
    default:
        take_what_happens(reading, id);
        break;
    }
}

static void take(struct options_reading *reading, int id)
{
    switch (id) {
    case OPTION_MACHINES:
        reading->machines = optarg;
        break;
    case OPTION_COUNT:
        reading->count = (size_t)number_of(reading, "count", OPTIONS_MACHINES_MAX);
        break;
    case OPTION_NAME_PREFIX:
        reading->name_prefix = optarg;
        break;
    case OPTION_USERS:
        reading->users = optarg;
        break;
    case OPTION_CARD:
        take_card(reading);
        break;
    case OPTION_JSON:
        reading->options->json = true;
        break;
    case OPTION_COLOUR:
        take_colour(reading);
        break;
    case 'q':
        reading->options->quiet = true;
        break;
    default:
        take_broker(reading, id);
        break;
    }
}

static void set_defaults(struct options *options)
{
    *options = (struct options){
        .url = "mqtt://127.0.0.1:1883",
        .prefix = "tagout",
        .account = "local",
        .password = getenv("TAGOUT_MQTT_PASSWORD"),
        .pace = 1,
        .boot_ms = 1000,
        .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
    };
    device_config_default(&options->config);
}

int options_read(int count, char *values[], struct options *ret_options)
{
    struct options_reading reading = {.options = ret_options, .name_prefix = "sim"};
    TEXT_LOCAL(why, 512);
    int id;

    set_defaults(ret_options);
    while ((id = getopt_long(count, values, "b:qVh", table, NULL)) != -1) {
        if (id == 'h') {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (id == 'V') {
            printf("tagout-sim %s\n", TAGOUT_VERSION);
            return EXIT_SUCCESS;
        }
        if (id == '?') {
            reading.wrong = true;
        } else {
            take(&reading, id);
        }
    }
    if (!reading.wrong && reading.users != NULL &&
        cards_load(&ret_options->cards, reading.users, &why) != STATUS_OK) {
        options_complain(&reading, "%s", why.data);
    }
    if (!reading.wrong) {
        options_check_broker(&reading);
        options_take_machines(&reading, values + optind, count - optind);
    }
    if (reading.wrong) {
        fputs("Try 'tagout-sim --help'.\n", stderr);
        return EXIT_USAGE;
    }
    return -1;
}

void options_free(struct options *options)
{
    for (size_t i = 0; i < options->machine_count; i++) {
        free(options->machines[i].trained);
    }
    free(options->machines);
    cards_free(&options->cards);
}
