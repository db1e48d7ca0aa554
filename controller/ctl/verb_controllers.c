/* status --controllers, handover: who leads, who stands by, and changing that. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/table.h"
#include "controller/support/clock.h"

#define RETAINED_MS 500 /* what the broker kept comes at once; this is for a slow link */

enum column {
    COLUMN_ID,
    COLUMN_ROLE,
    COLUMN_EPOCH,
    COLUMN_REDIS,
    COLUMN_SINCE,
    COLUMN_VERSION,
    COLUMN_CONFIG,
    COLUMN_COUNT,
};

static bool runs(const struct board_controller *controller)
{
    return strcmp(controller->status, "running") == 0;
}

/* NULL: none says so. */
static const struct board_controller *leader_of(const struct board *board)
{
    for (size_t i = 0; i < board->controller_count; i++) {
        if (runs(&board->controllers[i]) && board->controllers[i].leader) {
            return &board->controllers[i];
        }
    }
    return NULL;
}

/* What the others are compared with: the leader, or without one the first that runs. */
static const struct board_controller *measure_of(const struct board *board)
{
    const struct board_controller *measure = leader_of(board);

    for (size_t i = 0; i < board->controller_count && measure == NULL; i++) {
        measure = runs(&board->controllers[i]) ? &board->controllers[i] : NULL;
    }
    return measure;
}

static bool has_other_config(const struct board *board, const struct board_controller *controller)
{
    const struct board_controller *measure = measure_of(board);

    return runs(controller) && measure != NULL && strcmp(controller->config, measure->config) != 0;
}

static bool differs(const struct board *board)
{
    bool found = false;

    for (size_t i = 0; i < board->controller_count; i++) {
        found |= has_other_config(board, &board->controllers[i]);
    }
    return found;
}

static enum tone add_role(struct text *out, const struct board_controller *controller)
{
    if (!runs(controller)) {
        words_escape(out, controller->status[0] == '\0' ? "unknown" : controller->status);
        return strcmp(controller->status, "stopped") == 0 ? TONE_DIM : TONE_ALARM;
    }
    text_add(out, controller->leader ? "leads" : "stands by");
    return controller->leader ? TONE_ON : TONE_PLAIN;
}

/* A cell of a controller that runs; of another one it says what it said last, or nothing. */
static enum tone add_cell(
    struct text *out, const struct board *board, const struct board_controller *controller,
    enum column column)
{
    switch (column) {
    case COLUMN_ID:
        words_escape(out, controller->id);
        break;
    case COLUMN_ROLE:
        return add_role(out, controller);
    case COLUMN_EPOCH:
        if (controller->epoch > 0) {
            text_addf(out, "%" PRIu64, controller->epoch);
        }
        break;
    case COLUMN_REDIS:
        if (runs(controller)) {
            text_add(
                out, controller->redis_up                   ? "up"
                     : controller->redis_refuses[0] != '\0' ? "refuses"
                                                            : "out of reach");
            return controller->redis_up ? TONE_PLAIN : TONE_ALARM;
        }
        break;
    case COLUMN_SINCE:
        if (controller->since.ms > 0) {
            words_time(out, controller->since, clock_now().wall);
        }
        break;
    case COLUMN_VERSION:
        words_escape(out, controller->version);
        break;
    case COLUMN_CONFIG:
        if (has_other_config(board, controller)) {
            text_add(out, "DIFFERS");
            return TONE_ALARM;
        }
        text_add(out, runs(controller) ? "same" : "");
        break;
    case COLUMN_COUNT:
        break;
    }
    return TONE_PLAIN;
}

static enum status fill_table(struct table *table, const struct board *board)
{
    static const char *const headings[COLUMN_COUNT] = {"CONTROLLER", "ROLE",    "EPOCH", "REDIS",
                                                       "SINCE",      "VERSION", "CONFIG"};
    enum status status = table_add_row(table);

    for (enum column i = 0; status == STATUS_OK && i < COLUMN_COUNT; i++) {
        status = table_set(table, i, TONE_HEAD, headings[i]);
    }
    for (size_t n = 0; status == STATUS_OK && n < board->controller_count; n++) {
        status = table_add_row(table);
        for (enum column i = 0; status == STATUS_OK && i < COLUMN_COUNT; i++) {
            TEXT_LOCAL(cell, 512);
            enum tone tone = add_cell(&cell, board, &board->controllers[n], i);
            status = table_set(table, i, tone, cell.data);
        }
    }
    return status;
}

static int print_table(const struct ctl *ctl)
{
    const struct table_style style = {
        .width = ctl_width(ctl), .coloured = ctl->out_coloured, .fit = TABLE_WRAP};
    struct table table = {.columns = COLUMN_COUNT};
    enum status status = fill_table(&table, &ctl->board);

    if (status == STATUS_OK) {
        table_print(&table, &style, stdout);
    } else {
        ctl_complain("%s", status_text(status));
    }
    table_free(&table);
    return status == STATUS_OK ? CTL_DONE : CTL_REFUSED;
}

static int print_json(const struct board *board)
{
    size_t size = 64 + BOARD_CONTROLLERS_MAX * 1024;
    char *buffer = malloc(size);
    struct text text;
    struct json_out out;

    if (buffer == NULL) {
        ctl_complain("out of memory");
        return CTL_REFUSED;
    }
    text = text_over(buffer, size);
    out = json_out(&text);
    json_out_open(&out, NULL, '{');
    json_out_open(&out, "controllers", '[');
    for (size_t i = 0; i < board->controller_count; i++) {
        const struct board_controller *controller = &board->controllers[i];
        json_out_open(&out, NULL, '{');
        json_out_string(&out, "id", controller->id);
        json_out_string(&out, "status", controller->status);
        json_out_bool(&out, "leader", runs(controller) && controller->leader);
        json_out_integer(&out, "epoch", (int64_t)controller->epoch);
        json_out_string(&out, "redis", controller->redis_up ? "up" : "down");
        json_out_number(&out, "since", (double)controller->since.ms / 1000, 3);
        json_out_string(&out, "version", controller->version);
        json_out_string(&out, "config", controller->config);
        json_out_bool(&out, "config_differs", has_other_config(board, controller));
        json_out_close(&out, '}');
    }
    json_out_close(&out, ']');
    json_out_close(&out, '}');
    puts(text.data);
    free(buffer);
    return CTL_DONE;
}

static bool never(const void *context)
{
    (void)context;
    return false;
}

static void warn_of_config(const struct ctl *ctl)
{
    if (differs(&ctl->board)) {
        ctl_alarm(
            ctl, "The controllers have read different users or machines: give all of them the same "
                 "files, then reload.");
    }
}

int ctl_controllers(struct ctl *ctl)
{
    int code = ctl_connect(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    client_wait(ctl->client, never, NULL, RETAINED_MS);
    if (ctl->board.controller_count == 0) {
        ctl_no_controller(ctl);
        return CTL_REFUSED;
    }
    code = ctl->arguments->json ? print_json(&ctl->board) : print_table(ctl);
    if (code == CTL_DONE) {
        warn_of_config(ctl);
    }
    if (leader_of(&ctl->board) == NULL) {
        ctl_complain("nobody leads: " BOARD_MEANWHILE);
        return CTL_REFUSED;
    }
    return code;
}

int ctl_handover(struct ctl *ctl)
{
    struct answer_copy answer;
    struct question question;
    TEXT_LOCAL(leader, 512);
    int code = ctl_connect(ctl);

    if (code != CTL_DONE) {
        return code;
    }
    question_begin(&question, ctl->client, "handover");
    code = ctl_ask(ctl, &question, CTL_HANDOVER_MS, &answer);
    if (code != CTL_DONE) {
        return code;
    }
    words_escape(&leader, ctl_data_string(&answer, "leader"));
    if (ctl->arguments->json) {
        ctl_print_data(&answer);
    } else {
        printf("Controller %s leads now.\n", leader.data);
    }
    warn_of_config(ctl);
    answer_copy_free(&answer);
    return CTL_DONE;
}
