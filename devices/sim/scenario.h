/* A scenario's lines: what happens to which machine, when, and what is expected of it.
 *
 *     # A member in, and out again.
 *     table-saw card in Rosa
 *     expect table-saw relay on within 1 s
 *     after 3 s table-saw card out
 *     expect table-saw display "Please Insert" within 3 s
 *
 * Parsing alone; play.h carries out. The whole grammar is in tagout-sim(1).
 */
#ifndef TAGOUT_SIM_SCENARIO_H
#define TAGOUT_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/support/status.h"
#include "controller/support/text.h"

#define SCENARIO_LINE_MAX 1000
#define SCENARIO_WORD_SIZE 512
#define SCENARIO_EXPECT_MS 5000 /* an expectation without `within` or `for` */
#define SCENARIO_ROAM_MS 300    /* how long the link is lost in a `roam` */
#define SCENARIO_FLAP_MS 10000  /* a `flap` without `for` */
#define SCENARIO_LATEST_MS 86400000

enum scenario_when {
    SCENARIO_THEN,  /* when the line before is done */
    SCENARIO_AT,    /* since the scenario's start */
    SCENARIO_AFTER, /* since the line before was done */
};

enum scenario_kind {
    SCENARIO_NOTHING, /* an empty line, a comment */
    SCENARIO_ACT,
    SCENARIO_WAIT,
    SCENARIO_PRINT,
    SCENARIO_EXPECT,
    SCENARIO_REQUEST, /* C6, as an operator's tool would send it */
    SCENARIO_STOP,
};

/* What may stand behind an action's words. */
enum scenario_argument {
    ARGUMENT_NONE,
    ARGUMENT_WORD,
    ARGUMENT_WORD_OPTIONAL,
    ARGUMENT_TWO_WORDS,
    ARGUMENT_NUMBER,
    ARGUMENT_FOR, /* optional: for D */
};

#define ACTION_LIST(X)                                                                             \
    X(ACTION_CARD_IN, "card in", ARGUMENT_WORD)                                                    \
    X(ACTION_CARD_OUT, "card out", ARGUMENT_NONE)                                                  \
    X(ACTION_OOPS_PRESS, "oops press", ARGUMENT_NONE)                                              \
    X(ACTION_OOPS_RELEASE, "oops release", ARGUMENT_NONE)                                          \
    X(ACTION_OOPS_TAP, "oops tap", ARGUMENT_NONE)                                                  \
    X(ACTION_POWER_CUT, "power cut", ARGUMENT_NONE)                                                \
    X(ACTION_POWER_ON, "power on", ARGUMENT_NONE)                                                  \
    X(ACTION_DIE, "die", ARGUMENT_NONE)                                                            \
    X(ACTION_SWITCH_OFF, "switch off", ARGUMENT_NONE)                                              \
    X(ACTION_RESTART_FORCE, "restart force", ARGUMENT_NONE)                                        \
    X(ACTION_RESTART, "restart", ARGUMENT_NONE)                                                    \
    X(ACTION_HANG_PONGS, "hang with pongs", ARGUMENT_NONE)                                         \
    X(ACTION_HANG, "hang", ARGUMENT_NONE)                                                          \
    X(ACTION_RESUME, "resume", ARGUMENT_NONE)                                                      \
    X(ACTION_LINK_CUT, "link cut", ARGUMENT_NONE)                                                  \
    X(ACTION_LINK_BACK, "link back", ARGUMENT_NONE)                                                \
    X(ACTION_ROAM, "roam", ARGUMENT_NONE)                                                          \
    X(ACTION_FLAP, "flap", ARGUMENT_FOR)                                                           \
    X(ACTION_STICK_CLOSED, "stick closed", ARGUMENT_NONE)                                          \
    X(ACTION_STICK_OPEN, "stick open", ARGUMENT_NONE)                                              \
    X(ACTION_UNSTICK, "unstick", ARGUMENT_NONE)                                                    \
    X(ACTION_READER_LOST, "reader lost", ARGUMENT_NONE)                                            \
    X(ACTION_READER_BACK, "reader back", ARGUMENT_NONE)                                            \
    X(ACTION_AMPS, "amps", ARGUMENT_NUMBER)                                                        \
    X(ACTION_LIFE, "life", ARGUMENT_NUMBER)

/* Levels hold or do not hold now; from `refused` to `answer` they look back to the last action or
 * request, and `alert` to the last alert that was expected. */
#define EXPECTATION_LIST(X)                                                                        \
    X(EXPECT_RELAY_ON, "relay on", ARGUMENT_NONE)                                                  \
    X(EXPECT_RELAY_OFF, "relay off", ARGUMENT_NONE)                                                \
    X(EXPECT_SECOND_ON, "second relay on", ARGUMENT_NONE)                                          \
    X(EXPECT_SECOND_OFF, "second relay off", ARGUMENT_NONE)                                        \
    X(EXPECT_CONTACT_ON, "contact on", ARGUMENT_NONE)                                              \
    X(EXPECT_CONTACT_OFF, "contact off", ARGUMENT_NONE)                                            \
    X(EXPECT_OOPS_ON, "oops on", ARGUMENT_NONE)                                                    \
    X(EXPECT_OOPS_OFF, "oops off", ARGUMENT_NONE)                                                  \
    X(EXPECT_LINK_UP, "link up", ARGUMENT_NONE)                                                    \
    X(EXPECT_LINK_DOWN, "link down", ARGUMENT_NONE)                                                \
    X(EXPECT_DISPLAY, "display", ARGUMENT_WORD)                                                    \
    X(EXPECT_LED, "led", ARGUMENT_WORD)                                                            \
    X(EXPECT_STATE, "state", ARGUMENT_TWO_WORDS)                                                   \
    X(EXPECT_REFUSED, "refused", ARGUMENT_WORD_OPTIONAL)                                           \
    X(EXPECT_BOOT, "boot", ARGUMENT_NONE)                                                          \
    X(EXPECT_EVENT, "event", ARGUMENT_WORD)                                                        \
    X(EXPECT_ANSWER, "answer", ARGUMENT_TWO_WORDS) /* answer STATUS [TEXT]: of no machine */       \
    X(EXPECT_ALERT, "alert", ARGUMENT_TWO_WORDS)   /* alert KIND [TEXT]: of no machine */

#define SCENARIO_ENUM(id, words, argument) id,
enum scenario_action {
    ACTION_LIST(SCENARIO_ENUM) ACTION_COUNT
};
enum scenario_expectation {
    EXPECTATION_LIST(SCENARIO_ENUM) EXPECTATION_COUNT
};
#undef SCENARIO_ENUM

struct scenario_step {
    enum scenario_when when;
    int64_t when_ms;
    enum scenario_kind kind;
    char machines[SCENARIO_WORD_SIZE]; /* names separated by commas, or `*` */
    enum scenario_action action;
    enum scenario_expectation expectation;
    bool negated;                     /* expect M not ... */
    bool throughout;                  /* for D; else within D */
    char text[SCENARIO_LINE_MAX + 1]; /* who, what is printed or looked for, a request's body */
    char more[SCENARIO_WORD_SIZE];    /* state's value, a request's verb, a text in an answer */
    double number;
    int64_t duration_ms;
};

/* One line, with or without its newline. `why` says what is wrong with it. */
MUST_USE enum status
scenario_parse(const char *line, struct scenario_step *ret_step, struct text *why);

/* Whether the name is among a step's machines. */
bool scenario_names(const struct scenario_step *step, const char *machine);

#endif
