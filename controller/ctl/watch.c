/* watch: the board, live. On a terminal a picture that is updated in place, elsewhere a line for
 * each change. The broker may come and go meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/screen.h"
#include "controller/ctl/view.h"
#include "controller/support/clock.h"

#define FRAME_MS 50     /* changes that come together are drawn together */
#define SETTLE_MS 500   /* what the broker has kept comes within */
#define REFRESH_MS 1000 /* times move on though nothing happens */

static enum status listen_to_all(struct ctl *ctl)
{
    static const enum topic_id topics[] = {
        TOPIC_CONTROLLER_STATUS, TOPIC_SERVICE, TOPIC_LINK, TOPIC_STATE, TOPIC_EVENT};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < sizeof topics / sizeof topics[0]; i++) {
        status = client_listen(ctl->client, topics[i], NULL);
    }
    return status;
}

/* ---- on a terminal ---- */

struct picture {
    struct ctl *ctl;
    struct screen screen;
    struct mono_time ready_at; /* {0}: the broker does not hear us yet */
};

/* Whether what is not on the board is not there. */
static bool is_settled(struct picture *picture, struct mono_time now)
{
    if (!client_is_ready(picture->ctl->client)) {
        picture->ready_at = (struct mono_time){0};
    } else if (picture->ready_at.ms == 0) {
        picture->ready_at = now;
    }
    return picture->ready_at.ms != 0 && now.ms - picture->ready_at.ms >= SETTLE_MS;
}

static bool draw(struct picture *picture)
{
    struct ctl *ctl = picture->ctl;
    struct frame frame = {
        .board = &ctl->board,
        .trouble = client_trouble(ctl->client),
        .refused = client_is_refused(ctl->client),
        .connecting = !is_settled(picture, clock_now().mono),
        .coloured = ctl->out_coloured,
        .now = clock_now().wall,
    };
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    bool there = true;

    if (out == NULL) {
        return true;
    }
    screen_size(&frame.width, &frame.height);
    frame.width -= frame.width > 1; /* in the last column terminals differ */
    enum status status = view_frame(&frame, out);
    if (fclose(out) == 0 && status == STATUS_OK) {
        while (length > 0 && bytes[length - 1] == '\n') {
            bytes[--length] = '\0'; /* a newline in the last line would scroll */
        }
        there = screen_show(&picture->screen, bytes);
    }
    free(bytes);
    return there;
}

static int watch_terminal(struct ctl *ctl)
{
    struct picture picture = {.ctl = ctl};
    struct screen *screen = &picture.screen;
    struct mono_time next = {0};
    bool going = true;

    if (screen_open(screen) != STATUS_OK) {
        ctl_complain("the terminal cannot be used");
        return CTL_REFUSED;
    }
    client_start(ctl->client);
    screen_take(screen);
    while (going) {
        struct mono_time now = clock_now().mono;

        if (now.ms >= next.ms) {
            going = draw(&picture);
            next.ms = now.ms + REFRESH_MS;
        }
        if (client_turn(ctl->client, screen->fd, next)) {
            enum screen_event event = screen_read(screen);
            going = going && event != SCREEN_QUIT;
            next.ms = event == SCREEN_RESIZED ? 0 : next.ms;
        } else if (next.ms > now.ms + FRAME_MS) {
            next.ms = clock_now().mono.ms + FRAME_MS;
        }
    }
    screen_close(screen);
    return CTL_DONE;
}

/* ---- in a pipe ---- */

struct lines {
    struct ctl *ctl;
    char *said; /* what was not well when it was last said */
};

static void add_now(struct text *out)
{
    time_t seconds = (time_t)(clock_now().wall.ms / 1000);
    struct tm local = {0};

    localtime_r(&seconds, &local);
    text_addf(
        out, "%04d-%02d-%02d %02d:%02d:%02d", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
        local.tm_hour, local.tm_min, local.tm_sec);
}

static void put_line(const char *who, const char *what)
{
    TEXT_LOCAL(now, 32);

    add_now(&now);
    printf("%s  %s: %s\n", now.data, who, what);
}

/* Whether it is news; then it is remembered. */
static bool is_news(char **said, const char *text)
{
    if (*said != NULL && strcmp(*said, text) == 0) {
        return false;
    }
    free(*said);
    *said = strdup(text);
    return true;
}

static void say_machine(struct board_machine *machine)
{
    TEXT_LOCAL(line, 4096);
    TEXT_LOCAL(notes, 1024);

    if (machine->is_unreadable) {
        text_add(&line, "its state cannot be read");
    } else if (machine->has_state) {
        words_state(&line, &machine->copy.state, (struct wall_time){0});
        text_add(&line, "; relay ");
        words_relay(&line, &machine->copy.state);
        words_notes(&notes, &machine->copy.state, machine->link);
        text_addf(&line, "%s%s", notes.length > 0 ? "; " : "", notes.data);
    } else {
        text_add(&line, "no longer configured");
    }
    if (is_news(&machine->said, line.data)) {
        put_line(machine->name, line.data);
    }
}

static void say_not_well(struct lines *lines)
{
    const struct board *board = &lines->ctl->board;
    TEXT_LOCAL(text, 4096);

    if (client_is_ready(lines->ctl->client)) {
        board_not_well(board, &text);
    } else if (client_is_refused(lines->ctl->client)) {
        text_add(&text, "The broker does not let us in: ");
        words_escape(&text, client_trouble(lines->ctl->client));
        text_add(&text, "\n");
    } else if (client_trouble(lines->ctl->client)[0] != '\0') {
        text_add(&text, "The broker is out of reach: " BOARD_MEANWHILE ".\n");
    } else {
        return; /* connecting */
    }
    if (!is_news(&lines->said, text.data)) {
        return;
    }
    if (text.length == 0) {
        put_line("tagout", "all is well");
    }
    for (char *at = text.data; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        at[length] = '\0';
        put_line("tagout", at);
        at += length + 1;
    }
}

static void say_json(const struct topic_match *topic, const char *payload, size_t length)
{
    struct json *document = NULL;
    char *data = NULL;
    TEXT_LOCAL(head, 512);
    TEXT_LOCAL(why, 128);
    struct json_out out = json_out(&head);

    json_out_open(&out, NULL, '{');
    json_out_string(
        &out, "kind",
        topic->id == TOPIC_STATE     ? "state"
        : topic->id == TOPIC_EVENT   ? "event"
        : topic->id == TOPIC_LINK    ? "link"
        : topic->id == TOPIC_SERVICE ? "service"
                                     : "controller");
    json_out_string(
        &out,
        topic->id == TOPIC_CONTROLLER_STATUS ? "controller"
        : topic->id == TOPIC_SERVICE         ? "service"
                                             : "machine",
        topic->first);
    if (topic->id == TOPIC_LINK) {
        TEXT_LOCAL(link, 16);
        text_add_bytes(&link, payload, length);
        json_out_string(&out, "data", link.data);
        printf("%s}\n", head.data);
    } else if (length == 0) {
        printf("%s,\"data\":null}\n", head.data);
    } else if (json_parse(payload, length, &document, &why) == STATUS_OK) {
        data = board_json(document);
        printf("%s,\"data\":%s}\n", head.data, data == NULL ? "null" : data);
    }
    free(data);
    json_free(document);
}

static void
on_line(void *context, const struct topic_match *topic, const char *payload, size_t length)
{
    struct lines *lines = context;
    struct board *board = &lines->ctl->board;
    enum board_change change = board_take(board, topic, payload, length);

    if (lines->ctl->arguments->json) {
        if (change != BOARD_SAME) {
            say_json(topic, payload, length);
        }
    } else if (change == BOARD_EVENT) {
        put_line(board_event(board, 0)->machine, board_event(board, 0)->text);
    } else if (change == BOARD_MACHINE) {
        say_machine(board_find(board, topic->first));
    }
}

static int watch_pipe(struct ctl *ctl)
{
    struct lines lines = {.ctl = ctl};
    struct mono_time look = {.ms = clock_now().mono.ms + REFRESH_MS};

    client_set_handler(ctl->client, on_line, &lines);
    client_start(ctl->client);
    do {
        client_turn(ctl->client, -1, look);
        if (clock_now().mono.ms >= look.ms) {
            if (!ctl->arguments->json) {
                say_not_well(&lines);
            }
            look.ms = clock_now().mono.ms + REFRESH_MS;
        }
    } while (fflush(stdout) == 0); /* until nobody reads any more */
    free(lines.said);
    return CTL_DONE;
}

int ctl_watch(struct ctl *ctl)
{
    if (listen_to_all(ctl) != STATUS_OK) {
        ctl_complain("out of memory");
        return CTL_REFUSED;
    }
    return ctl->out_is_terminal && !ctl->arguments->json ? watch_terminal(ctl) : watch_pipe(ctl);
}
