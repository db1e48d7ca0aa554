#include "devices/sim/teller.h"

#include <stdarg.h>
#include <string.h>

#include "controller/support/json.h"

#define LINE_SIZE 2048
#define NAME_COLUMNS 16

static const char *const codes[] = {
    [TONE_PLAIN] = "0", [TONE_GOOD] = "32", [TONE_BAD] = "31",
    [TONE_WARN] = "33", [TONE_DIM] = "2",   [TONE_LOUD] = "1",
};

static double seconds(const struct teller *teller)
{
    return (double)(teller->now_ms - teller->start_ms) / 1000;
}

static void put(struct teller *teller, const struct text *line)
{
    fwrite(line->data, 1, line->length, teller->out);
    fputc('\n', teller->out);
    teller->told = true;
}

static void add_toned(struct text *line, const struct teller *teller, enum tone tone, const char *s)
{
    if (teller->colour && tone != TONE_PLAIN) {
        text_addf(line, "\033[%sm%s\033[0m", codes[tone], s);
    } else {
        text_add(line, s);
    }
}

static void begin_line(struct text *line, const struct teller *teller, const char *machine)
{
    text_addf(line, "%8.2f  %-*s  ", seconds(teller), NAME_COLUMNS, machine);
}

static struct json_out
begin_json(struct text *line, const struct teller *teller, const char *machine, const char *what)
{
    struct json_out out = json_out(line);

    json_out_open(&out, NULL, '{');
    json_out_number(&out, "at", seconds(teller), 3);
    if (machine != NULL) {
        json_out_string(&out, "machine", machine);
    }
    json_out_string(&out, "what", what);
    return out;
}

static void
say(struct teller *teller, const char *machine, const char *what, enum tone tone, const char *words)
{
    TEXT_LOCAL(line, LINE_SIZE);

    if (teller->json) {
        struct json_out out = begin_json(&line, teller, machine, what);
        json_out_string(&out, "text", words);
        json_out_close(&out, '}');
    } else {
        begin_line(&line, teller, machine);
        add_toned(&line, teller, tone, words);
    }
    put(teller, &line);
}

void teller_say(
    struct teller *teller, const char *machine, const char *what, enum tone tone,
    const char *format, ...)
{
    char words[LINE_SIZE / 2];
    va_list arguments;

    if (teller->quiet) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    say(teller, machine, what, tone, words);
}

void teller_switch(struct teller *teller, const char *machine, const char *what, bool on)
{
    char words[64];
    TEXT_LOCAL(line, LINE_SIZE);

    if (teller->quiet) {
        return;
    }
    if (teller->json) {
        struct json_out out = begin_json(&line, teller, machine, what);
        json_out_bool(&out, "on", on);
        json_out_close(&out, '}');
    } else {
        (void)snprintf(words, sizeof words, "%s %s", what, on ? "ON" : "off");
        for (char *at = words; *at != '\0'; at++) {
            *at = *at == '_' ? ' ' : *at;
        }
        begin_line(&line, teller, machine);
        add_toned(&line, teller, on ? TONE_GOOD : TONE_PLAIN, words);
    }
    put(teller, &line);
}

void teller_display(
    struct teller *teller, const char *machine, const char *line1, const char *line2,
    const char *light, enum tone tone)
{
    TEXT_LOCAL(line, LINE_SIZE);

    if (teller->quiet) {
        return;
    }
    if (teller->json) {
        struct json_out out = begin_json(&line, teller, machine, "display");
        json_out_open(&out, "lines", '[');
        json_out_string(&out, NULL, line1);
        json_out_string(&out, NULL, line2);
        json_out_close(&out, ']');
        json_out_string(&out, "led", light);
        json_out_close(&out, '}');
    } else {
        begin_line(&line, teller, machine);
        text_addf(&line, "[%-16s|%-16s] ", line1, line2);
        add_toned(&line, teller, tone, light);
    }
    put(teller, &line);
}

void teller_print(struct teller *teller, const char *text)
{
    TEXT_LOCAL(line, LINE_SIZE);

    if (teller->json) {
        struct json_out out = begin_json(&line, teller, NULL, "print");
        json_out_string(&out, "text", text);
        json_out_close(&out, '}');
    } else {
        add_toned(&line, teller, TONE_LOUD, text);
    }
    put(teller, &line);
}

void teller_fail(struct teller *teller, const char *format, ...)
{
    char words[LINE_SIZE / 2];
    va_list arguments;
    TEXT_LOCAL(line, LINE_SIZE);

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    if (teller->json) {
        struct json_out out = begin_json(&line, teller, NULL, "failed");
        json_out_string(&out, "text", words);
        json_out_close(&out, '}');
        put(teller, &line);
    } else {
        teller_flush(teller);
        add_toned(&line, teller, TONE_BAD, words);
        fprintf(stderr, "%s\n", line.data);
    }
}

bool teller_flush(struct teller *teller)
{
    if (teller->told) {
        teller->told = false;
        return fflush(teller->out) == 0 && !ferror(teller->out);
    }
    return true;
}
