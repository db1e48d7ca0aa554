/* tagout-scenario: plays scenario files against the real controller, on a fake broker, store and
 * clock. */
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/scenario/log.h"
#include "tests/scenario/play.h"
#include "tests/scenario/torture.h"

static const char usage[] =
    "Usage: tagout-scenario [--torture] [-v] FILE...\n"
    "\n"
    "Plays each scenario in the files and says whether all came as expected.\n"
    "\n"
    "  --torture  plays each again and again, with every call of every port failing once, and\n"
    "             sees to it that no relay goes on for it\n"
    "  -v         show the controller's log also where all is well\n";

struct totals {
    unsigned passed;
    unsigned failed;
    unsigned faulted_runs;
};

static bool play_once(const struct scenario *scenario, const char *folder, bool verbose)
{
    struct run run = {.expects = true};
    char failure[4096];
    bool good = play(scenario, folder, &run, failure, NULL, NULL);

    printf("%s  %s\n", good ? "ok  " : "FAIL", scenario->title);
    if (!good) {
        printf("      %s\n", failure);
    }
    if (!good || verbose) {
        scenario_log_show(stdout);
    }
    return good;
}

static void
play_file(const char *file, const char *folder, bool tortures, bool verbose, struct totals *totals)
{
    struct script script;
    TEXT_LOCAL(why, 512);

    if (script_read(file, &script, &why) != STATUS_OK) {
        printf("FAIL  %s\n", why.data);
        totals->failed++;
        return;
    }
    for (size_t i = 0; i < script.scenario_count; i++) {
        bool good = tortures ? torture(&script.scenarios[i], folder, &totals->faulted_runs)
                             : play_once(&script.scenarios[i], folder, verbose);
        totals->passed += good;
        totals->failed += !good;
    }
    script_free(&script);
}

static void remove_folder(const char *folder)
{
    static const char *const files[] = {"tagout.ini", "machines.json", "users.json"};
    struct shop shop = {0};
    char path[600];

    text_copy(shop.folder, sizeof shop.folder, folder);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        shop_path(&shop, files[i], path);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static bool make_folder(char folder[512])
{
    const char *scratch = getenv("TMPDIR");
    struct text path = text_over(folder, 512);

    text_addf(&path, "%s/tagout-XXXXXX", scratch != NULL ? scratch : P_tmpdir);
    return mkdtemp(folder) != NULL;
}

int main(int count, char *values[])
{
    struct totals totals = {0};
    bool tortures = false;
    bool verbose = false;
    char folder[512];
    int first = 1;

    for (; first < count && values[first][0] == '-'; first++) {
        if (strcmp(values[first], "--torture") == 0) {
            tortures = true;
        } else if (strcmp(values[first], "-v") == 0) {
            verbose = true;
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (first == count) {
        fputs(usage, stderr);
        return 2;
    }
    umask(077); /* a configuration with a secret that everyone can read is refused */
    if (sodium_init() < 0 || !make_folder(folder)) {
        fputs("tagout-scenario: no randomness, or no folder for its files\n", stderr);
        return 1;
    }
    for (int i = first; i < count; i++) {
        play_file(values[i], folder, tortures, verbose, &totals);
    }
    remove_folder(folder);
    if (tortures) {
        printf("note: %u runs with one fault each\n", totals.faulted_runs);
    }
    printf("%u passed, %u failed\n", totals.passed, totals.failed);
    return totals.failed == 0 ? 0 : 1;
}
