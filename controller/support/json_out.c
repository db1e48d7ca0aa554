#include <math.h>
#include <string.h>

#include "controller/support/json.h"

#define THOUSANDTHS_MAX 1e11 /* a double still tells thousandths apart */
#define NEAR 0.1

static void add_escape(struct text *text, unsigned char byte)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = byte == '\0' ? NULL : strchr(plain, byte);

    if (found != NULL) {
        text_addf(text, "\\%c", letters[found - plain]);
    } else if (byte < 0x20) {
        text_addf(text, "\\u%04x", byte);
    } else {
        /* Not UTF-8, which no string of ours should hold: the output stays valid JSON. */
        text_add(text, "\\ufffd");
    }
}

/* How many of the bytes stand for themselves in JSON. */
static size_t plain_length(const char *value)
{
    size_t length = 0;

    while ((unsigned char)value[length] >= 0x20 && (unsigned char)value[length] < 0x80 &&
           value[length] != '"' && value[length] != '\\') {
        length++;
    }
    return length;
}

/* The usual case, in one go: nothing to escape, and room for it with what goes around it. */
static bool add_plain(struct text *text, bool comma, const char *value, bool colon)
{
    size_t length = plain_length(value);
    char *at = text->data + text->length;

    if (value[length] != '\0' || text->cut || text->size - text->length < length + 5) {
        return false;
    }
    if (comma) {
        *at++ = ',';
    }
    *at++ = '"';
    memcpy(at, value, length);
    at += length;
    *at++ = '"';
    if (colon) {
        *at++ = ':';
    }
    *at = '\0';
    text->length = (size_t)(at - text->data);
    return true;
}

static void add_quoted(struct text *text, const char *value)
{
    size_t left = strlen(value);

    if (add_plain(text, false, value, false)) {
        return;
    }
    text_add(text, "\"");
    while (left > 0) {
        size_t run = 0;
        while (run < left && (unsigned char)value[run] >= 0x20 && value[run] != '"' &&
               value[run] != '\\') {
            run++;
        }
        run = utf8_valid_length(value, run);
        text_add_bytes(text, value, run);
        if (run < left) {
            add_escape(text, (unsigned char)value[run]);
            run++;
        }
        value += run;
        left -= run;
    }
    text_add(text, "\"");
}

static void start(struct json_out *out, const char *key)
{
    bool comma = !out->first;

    out->first = false;
    if (key != NULL && add_plain(out->text, comma, key, true)) {
        return;
    }
    if (comma) {
        text_add(out->text, ",");
    }
    if (key != NULL) {
        add_quoted(out->text, key);
        text_add(out->text, ":");
    }
}

struct json_out json_out(struct text *text)
{
    return (struct json_out){.text = text, .first = true};
}

void json_out_open(struct json_out *out, const char *key, char bracket)
{
    start(out, key);
    text_add_bytes(out->text, &bracket, 1);
    out->first = true;
}

void json_out_close(struct json_out *out, char bracket)
{
    text_add_bytes(out->text, &bracket, 1);
    out->first = false;
}

void json_out_string(struct json_out *out, const char *key, const char *value)
{
    if (value == NULL) {
        json_out_null(out, key);
        return;
    }
    start(out, key);
    add_quoted(out->text, value);
}

void json_out_bool(struct json_out *out, const char *key, bool value)
{
    json_out_raw(out, key, value ? "true" : "false");
}

void json_out_null(struct json_out *out, const char *key)
{
    json_out_raw(out, key, "null");
}

void json_out_integer(struct json_out *out, const char *key, int64_t value)
{
    start(out, key);
    text_add_integer(out->text, value);
}

/* So near to a whole number of thousandths that printf could round it to no other. */
static bool is_thousandths(double value, uint64_t *ret_thousandths)
{
    double scaled = value * 1000;

    if (!(value >= 0) || value > THOUSANDTHS_MAX || fabs(scaled - rint(scaled)) > NEAR) {
        return false;
    }
    *ret_thousandths = (uint64_t)rint(scaled);
    return true;
}

void json_out_number(struct json_out *out, const char *key, double value, int decimals)
{
    /* printf's decimal point is a dot, since no program of ours calls setlocale. */
    TEXT_LOCAL(digits, 64);
    uint64_t thousandths;

    if (!isfinite(value)) {
        json_out_null(out, key);
        return;
    }
    if (decimals == 3 && is_thousandths(value, &thousandths)) {
        start(out, key);
        text_add_thousandths(out->text, thousandths);
        return;
    }
    if (fabs(value) >= 1e15) {
        text_addf(&digits, "%.17g", value);
    } else {
        text_addf(&digits, "%.*f", decimals, value);
        if (strchr(digits.data, '.') != NULL) {
            while (digits.data[digits.length - 1] == '0') {
                digits.data[--digits.length] = '\0';
            }
            if (digits.data[digits.length - 1] == '.') {
                digits.data[--digits.length] = '\0';
            }
        }
    }
    json_out_raw(out, key, strcmp(digits.data, "-0") == 0 ? "0" : digits.data);
}

void json_out_wall(struct json_out *out, const char *key, struct wall_time time)
{
    if (time.ms <= 0) {
        json_out_null(out, key);
    } else {
        json_out_number(out, key, (double)time.ms / 1000.0, 3);
    }
}

void json_out_raw(struct json_out *out, const char *key, const char *json)
{
    start(out, key);
    text_add(out->text, json);
}
