#include "tests/scenario/torture.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/scenario/log.h"
#include "tests/scenario/play.h"

#define CALLS_MAX 5000
#define SHARED_STRIDE 4

static const char *const port_texts[FAULT_PORT_COUNT] = {
#define FAULT_TEXT(id, text) [id] = text,
    FAULT_PORT_LIST(FAULT_TEXT)
#undef FAULT_TEXT
};

static const char *const memory_texts[] = {
    [MEMORY_CALL_FAILS] = "the call fails",
    [MEMORY_REFUSED] = "the answer is an error",
    [MEMORY_ANSWER_LOST] = "the answer is lost",
    [MEMORY_REQUEST_LOST] = "the request is lost",
};

static bool is_of_store(enum fault_port port)
{
    return port >= FAULT_LOAD;
}

/* Scenarios of a file begin alike. What fails in there is tried on every way to go on only in
 * turns, or the same start would be tortured a hundred times. */
static bool
is_left_out(const struct scenario *scenario, const struct trace *sound, const struct fault *fault)
{
    return fault->nth <= sound->shared_calls[fault->port] &&
           (fault->nth + scenario->place) % SHARED_STRIDE != 0;
}

static bool torture_port(
    const struct scenario *scenario, const char *folder, const struct trace *sound,
    struct fault fault, unsigned *runs)
{
    struct run run = {.fault = fault, .sound = sound};

    for (unsigned nth = 1; nth < CALLS_MAX; nth++) {
        char failure[4096];
        bool good;
        run.fault.nth = nth;
        if (is_left_out(scenario, sound, &run.fault)) {
            continue;
        }
        good = play(scenario, folder, &run, failure, &fault, NULL);
        if (!good) {
            printf(
                "FAIL  %s\n      with %s no. %u failing%s%s:\n      %s\n", scenario->title,
                port_texts[fault.port], nth, is_of_store(fault.port) ? ", " : "",
                is_of_store(fault.port) ? memory_texts[fault.memory] : "", failure);
            scenario_log_show(stdout);
            return false;
        }
        if (!fault.struck) {
            return true;
        }
        ++*runs;
    }
    printf(
        "FAIL  %s\n      over %d calls of %s\n", scenario->title, CALLS_MAX,
        port_texts[fault.port]);
    return false;
}

bool torture(const struct scenario *scenario, const char *folder, unsigned *runs)
{
    struct trace *sound = scenario_memory(calloc(1, sizeof *sound));
    struct run without = {0};
    char failure[4096];
    bool good = play(scenario, folder, &without, failure, NULL, sound);

    if (!good) {
        printf("FAIL  %s\n      without any fault: %s\n", scenario->title, failure);
    }
    for (int port = 0; port < FAULT_PORT_COUNT && good; port++) {
        int kinds = is_of_store((enum fault_port)port) ? MEMORY_REQUEST_LOST + 1 : 1;
        for (int kind = 0; kind < kinds && good; kind++) {
            struct fault fault = {
                .port = (enum fault_port)port,
                .memory = (enum memory_fault)kind,
            };
            good = torture_port(scenario, folder, sound, fault, runs);
        }
    }
    free(sound);
    return good;
}
