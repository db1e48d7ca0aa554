#include "devices/esphome/cursor.h"

#include <string.h>

#define EXPONENT_MAX 30

static void skip_blanks(struct cursor *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) {
        in->at++;
    }
}

static bool accept(struct cursor *in, char character)
{
    if (in->at < in->end && *in->at == character) {
        in->at++;
        return true;
    }
    return false;
}

bool cursor_token(struct cursor *in, char character)
{
    skip_blanks(in);
    return accept(in, character);
}

static bool accept_word(struct cursor *in, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) {
        return false;
    }
    in->at += length;
    return true;
}

static bool read_hex4(struct cursor *in, uint32_t *ret_code)
{
    uint32_t code = 0;
    int i;

    for (i = 0; i < 4; i++) {
        char digit = in->at < in->end ? *in->at++ : '\0';

        code <<= 4;
        if (digit >= '0' && digit <= '9') {
            code |= (uint32_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            code |= (uint32_t)(digit - 'a' + 10);
        } else if (digit >= 'A' && digit <= 'F') {
            code |= (uint32_t)(digit - 'A' + 10);
        } else {
            return false;
        }
    }
    *ret_code = code;
    return true;
}

/* A string that is put together byte by byte; too long a one fails at its end. */
struct word {
    char *data; /* NULL: to be skipped */
    size_t size;
    size_t length;
    bool too_long;
};

static void add_byte(struct word *word, uint32_t byte)
{
    if (!word->data) {
        return;
    }
    if (word->length + 1 >= word->size) {
        word->too_long = true;
        return;
    }
    word->data[word->length++] = (char)byte;
}

static void add_utf8(struct word *word, uint32_t code)
{
    if (code < 0x80) {
        add_byte(word, code);
    } else if (code < 0x800) {
        add_byte(word, 0xC0 | code >> 6);
        add_byte(word, 0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        add_byte(word, 0xE0 | code >> 12);
        add_byte(word, 0x80 | (code >> 6 & 0x3F));
        add_byte(word, 0x80 | (code & 0x3F));
    } else {
        add_byte(word, 0xF0 | code >> 18);
        add_byte(word, 0x80 | (code >> 12 & 0x3F));
        add_byte(word, 0x80 | (code >> 6 & 0x3F));
        add_byte(word, 0x80 | (code & 0x3F));
    }
}

static bool read_unicode(struct cursor *in, struct word *word)
{
    uint32_t code = 0;
    uint32_t low = 0;

    if (!read_hex4(in, &code) || code == 0 || (code >= 0xDC00 && code < 0xE000)) {
        return false;
    }
    if (code >= 0xD800 && code < 0xDC00) {
        if (!accept_word(in, "\\u") || !read_hex4(in, &low) || low < 0xDC00 || low >= 0xE000) {
            return false;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    add_utf8(word, code);
    return true;
}

static bool read_escape(struct cursor *in, struct word *word)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (in->at >= in->end || *in->at == '\0') {
        return false;
    }
    if (accept(in, 'u')) {
        return read_unicode(in, word);
    }
    name = strchr(names, *in->at++);
    if (!name) {
        return false;
    }
    add_byte(word, (unsigned char)values[name - names]);
    return true;
}

/* `data` may be NULL to skip the string. */
bool cursor_string(struct cursor *in, char *data, size_t size)
{
    struct word word;

    memset(&word, 0, sizeof word);
    word.data = data;
    word.size = size;
    if (!cursor_token(in, '"')) {
        return false;
    }
    while (in->at < in->end) {
        unsigned char byte = (unsigned char)*in->at++;

        if (byte == '"') {
            if (data) {
                data[word.length] = '\0';
            }
            return !word.too_long;
        }
        if (byte < 0x20 || (byte == '\\' && !read_escape(in, &word))) {
            return false;
        }
        if (byte != '\\') {
            add_byte(&word, byte);
        }
    }
    return false;
}

static bool is_digit(const struct cursor *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static void read_digits(struct cursor *in, struct cursor_value *number)
{
    while (is_digit(in)) {
        uint64_t digit = (uint64_t)(*in->at++ - '0');

        number->value = number->value * 10 + (double)digit;
        if (number->integer > (UINT64_MAX - digit) / 10) {
            number->is_integer = false;
        } else {
            number->integer = number->integer * 10 + digit;
        }
    }
}

static bool read_fraction(struct cursor *in, struct cursor_value *number)
{
    double unit = 1;

    if (!accept(in, '.')) {
        return true;
    }
    number->is_integer = false;
    if (!is_digit(in)) {
        return false;
    }
    while (is_digit(in)) {
        unit /= 10;
        number->value += unit * (*in->at++ - '0');
    }
    return true;
}

static bool read_exponent(struct cursor *in, struct cursor_value *number)
{
    struct cursor_value power = {0, true, 0};
    bool negative;
    uint64_t i;

    if (!accept(in, 'e') && !accept(in, 'E')) {
        return true;
    }
    number->is_integer = false;
    negative = accept(in, '-');
    if (!negative) {
        (void)accept(in, '+');
    }
    if (!is_digit(in)) {
        return false;
    }
    read_digits(in, &power);
    if (!power.is_integer || power.integer > EXPONENT_MAX) {
        return false;
    }
    for (i = 0; i < power.integer; i++) {
        number->value = negative ? number->value / 10 : number->value * 10;
    }
    return true;
}

bool cursor_number(struct cursor *in, struct cursor_value *ret)
{
    struct cursor_value number = {0, true, 0};
    bool negative;

    skip_blanks(in);
    negative = accept(in, '-');
    if (!is_digit(in)) {
        return false;
    }
    if (accept(in, '0')) {
        if (is_digit(in)) {
            return false;
        }
    } else {
        read_digits(in, &number);
    }
    if (!read_fraction(in, &number) || !read_exponent(in, &number)) {
        return false;
    }
    if (negative) {
        number.is_integer = false;
        number.value = -number.value;
    }
    *ret = number;
    return true;
}

bool cursor_bool(struct cursor *in, bool *ret)
{
    skip_blanks(in);
    if (accept_word(in, "true")) {
        *ret = true;
        return true;
    }
    *ret = false;
    return accept_word(in, "false");
}

bool cursor_null(struct cursor *in)
{
    skip_blanks(in);
    return accept_word(in, "null");
}

/* A value that nobody here knows. It is walked by hand, as the stack is small: what is open is one
 * bit a level. */
static bool skip_scalar(struct cursor *in)
{
    struct cursor_value number;
    bool truth;

    skip_blanks(in);
    if (in->at < in->end && *in->at == '"') {
        return cursor_string(in, NULL, 0);
    }
    return cursor_null(in) || cursor_bool(in, &truth) || cursor_number(in, &number);
}

static bool skip_key(struct cursor *in)
{
    return cursor_string(in, NULL, 0) && cursor_token(in, ':');
}

/* Walked without recursion, as the stack is small. */
bool cursor_skip(struct cursor *in)
{
    bool is_object[CURSOR_DEPTH_MAX];
    int depth = 0;

    do {
        bool object = cursor_token(in, '{');

        if (object || cursor_token(in, '[')) {
            if (depth >= CURSOR_DEPTH_MAX) {
                return false;
            }
            is_object[depth++] = object;
            if (!cursor_token(in, object ? '}' : ']')) {
                if (object && !skip_key(in)) {
                    return false;
                }
                continue;
            }
            depth--;
        } else if (!skip_scalar(in)) {
            return false;
        }
        while (depth > 0 && !cursor_token(in, ',')) {
            if (!cursor_token(in, is_object[depth - 1] ? '}' : ']')) {
                return false;
            }
            depth--;
        }
        if (depth > 0 && is_object[depth - 1] && !skip_key(in)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

bool cursor_at_end(struct cursor *in)
{
    skip_blanks(in);
    return in->at == in->end;
}
