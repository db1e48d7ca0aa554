#include "controller/support/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int arguments_parse(
    const char *program, const char *usage, int count, char *values[],
    struct arguments *ret_arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'C'},
        {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    struct arguments arguments = {0};
    int option;

    while ((option = getopt_long(count, values, "c:vVh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments.file = optarg;
            break;
        case 'C':
            arguments.check = true;
            break;
        case 'v':
            arguments.verbose = true;
            break;
        case 'V':
            printf("%s %s\n", program, TAGOUT_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fprintf(stderr, "Try '%s --help'.\n", program);
            return EXIT_USAGE;
        }
    }
    if (optind < count) {
        bool is_file = arguments.file == NULL && access(values[optind], F_OK) == 0;
        fprintf(
            stderr, "%s: unexpected argument '%s'%s%s%s\nTry '%s --help'.\n", program,
            values[optind], is_file ? "; did you mean -c " : "", is_file ? values[optind] : "",
            is_file ? "?" : "", program);
        return EXIT_USAGE;
    }
    *ret_arguments = arguments;
    return -1;
}

int arguments_exit_status(enum status status)
{
    return status == STATUS_NO_MEMORY || status == STATUS_BUSY ? EXIT_FAILURE : EXIT_USAGE;
}
