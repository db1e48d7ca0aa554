#include "controller/ctl/status_pages.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/support/version.h"

#define PAGES_MAX 1000
#define TRIES_MAX 3

struct status_pages {
    struct answer_copy items[PAGES_MAX];
    size_t count;
};

static int ask(struct ctl *ctl, const char *after, struct answer_copy *ret_answer)
{
    struct question question;

    question_begin(&question, ctl->client, "status");
    if (after[0] != '\0') {
        json_out_string(&question.out, "after", after);
    }
    return ctl_ask(ctl, &question, CTL_ANSWER_MS, ret_answer);
}

/* 0 for all pages of a controller that tells none. */
static uint64_t epoch_of(const struct status_pages *pages, size_t page)
{
    return json_get_integer(pages->items[page].data, "epoch", VERSION_EPOCH_MAX);
}

static int ask_all(struct ctl *ctl, struct status_pages *pages)
{
    const char *after = "";
    int code;

    do {
        struct answer_copy *page = &pages->items[pages->count];
        code = ask(ctl, after, page);
        if (code == CTL_DONE) {
            pages->count++;
            after = ctl_data_string(page, "next");
        }
    } while (code == CTL_DONE && after[0] != '\0' && pages->count < PAGES_MAX);
    return code;
}

static void clear(struct status_pages *pages)
{
    for (size_t i = 0; i < pages->count; i++) {
        answer_copy_free(&pages->items[i]);
    }
    pages->count = 0;
}

/* What is wrong with them; nothing when they are one controller's, and all of them. */
static void add_gap(struct text *out, const struct status_pages *pages)
{
    const struct json *last = pages->items[pages->count - 1].data;
    const struct json *state = NULL;
    size_t page = 0;
    size_t told = 0;

    for (size_t i = 0; i < pages->count; i++) {
        if (epoch_of(pages, i) != epoch_of(pages, 0)) {
            text_add(out, "another controller took the lead while it was asked");
            return;
        }
    }
    while ((state = status_pages_next(pages, "machines", state, &page)) != NULL) {
        told++;
    }
    if (json_get(last, "count") != NULL && told != ctl_data_count(last, "count")) {
        text_addf(
            out, "the controller told of %zu of its %lu machines", told,
            ctl_data_count(last, "count"));
    }
}

static bool are_all(const struct status_pages *pages)
{
    TEXT_LOCAL(gap, 128);

    add_gap(&gap, pages);
    return gap.length == 0;
}

int status_pages_ask(struct ctl *ctl, struct status_pages **ret_pages)
{
    struct status_pages *pages = calloc(1, sizeof *pages);
    int code = CTL_REFUSED;

    if (pages == NULL) {
        ctl_complain("out of memory");
        return code;
    }
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        clear(pages);
        code = ask_all(ctl, pages);
        if (code != CTL_DONE || are_all(pages)) {
            break;
        }
    }
    if (code != CTL_DONE) {
        status_pages_free(pages);
        return code;
    }
    *ret_pages = pages;
    return CTL_DONE;
}

void status_pages_free(struct status_pages *pages)
{
    if (pages != NULL) {
        clear(pages);
    }
    free(pages);
}

bool status_pages_are_all(const struct status_pages *pages)
{
    TEXT_LOCAL(gap, 128);

    add_gap(&gap, pages);
    if (gap.length > 0) {
        ctl_complain("%s: please ask again", gap.data);
    }
    return gap.length == 0;
}

static const struct json *first_of(const struct status_pages *pages, size_t page, const char *key)
{
    const struct json *list = json_get(pages->items[page].data, key);
    return list == NULL ? NULL : json_first(list);
}

const struct json *status_pages_next(
    const struct status_pages *pages, const char *key, const struct json *item, size_t *page)
{
    const struct json *next;

    if (item == NULL) {
        *page = 0;
        next = first_of(pages, 0, key);
    } else {
        next = json_next(item);
    }
    while (next == NULL && *page + 1 < pages->count) {
        next = first_of(pages, ++*page, key);
    }
    return next;
}

void status_pages_print(const struct status_pages *pages, const char *key)
{
    const struct json *item = NULL;
    const char *comma = "";
    size_t page = 0;

    printf("\"%s\":[", key);
    while ((item = status_pages_next(pages, key, item, &page)) != NULL) {
        char *text = board_json(item);
        printf("%s%s", comma, text == NULL ? "null" : text);
        comma = ",";
        free(text);
    }
    putchar(']');
}
