#include "controller/ctl/status_pages.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGES_MAX 1000

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

int status_pages_ask(struct ctl *ctl, struct status_pages **ret_pages)
{
    struct status_pages *pages = calloc(1, sizeof *pages);
    const char *after = "";
    int code;

    if (pages == NULL) {
        ctl_complain("out of memory");
        return CTL_REFUSED;
    }
    do {
        struct answer_copy *page = &pages->items[pages->count];
        code = ask(ctl, after, page);
        if (code == CTL_DONE) {
            pages->count++;
            after = ctl_data_string(page, "next");
        }
    } while (code == CTL_DONE && after[0] != '\0' && pages->count < PAGES_MAX);
    if (code != CTL_DONE) {
        status_pages_free(pages);
        return code;
    }
    *ret_pages = pages;
    return CTL_DONE;
}

void status_pages_free(struct status_pages *pages)
{
    for (size_t i = 0; pages != NULL && i < pages->count; i++) {
        answer_copy_free(&pages->items[i]);
    }
    free(pages);
}

bool status_pages_are_all(const struct status_pages *pages)
{
    const struct json *data = pages->items[pages->count - 1].data;
    const struct json *state = NULL;
    size_t page = 0;
    size_t told = 0;

    while ((state = status_pages_next(pages, "machines", state, &page)) != NULL) {
        told++;
    }
    if (json_get(data, "count") == NULL || told == ctl_data_count(data, "count")) {
        return true;
    }
    ctl_complain(
        "the controller told of %zu of its %lu machines: please ask again", told,
        ctl_data_count(data, "count"));
    return false;
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
