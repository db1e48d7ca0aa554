#include "controller/support/json_scan.h"

#include <stdbool.h>
#include <string.h>

#include "controller/support/json.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define NUMBER_LENGTH_MAX 63 /* cJSON's buffer: it would read the rest as something else */

/* Where the scan stands. The first problem ends it: `problem` is the reason, `at` the place. */
struct scan {
    const char *bytes;
    size_t length;
    size_t at;
    int depth;
    const char *problem;
};

static bool scan_value(struct scan *scan);

static bool fail(struct scan *scan, size_t at, const char *problem)
{
    scan->at = at;
    scan->problem = problem;
    return false;
}

/* The byte at the scan's place, -1 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->length ? (unsigned char)scan->bytes[scan->at] : -1;
}

static bool take(struct scan *scan, char byte)
{
    if (peek(scan) != byte) {
        return false;
    }
    scan->at++;
    return true;
}

static void skip_space(struct scan *scan)
{
    int byte = peek(scan);

    while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
        scan->at++;
        byte = peek(scan);
    }
}

static bool unexpected(struct scan *scan, const char *wanted)
{
    return fail(scan, scan->at, peek(scan) == -1 ? "not JSON: it ends too early" : wanted);
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static bool scan_digits(struct scan *scan)
{
    if (!is_digit(peek(scan))) {
        return unexpected(scan, "not JSON: a digit is missing");
    }
    while (is_digit(peek(scan))) {
        scan->at++;
    }
    return true;
}

static bool scan_number(struct scan *scan)
{
    size_t start = scan->at;

    (void)take(scan, '-');
    if (take(scan, '0')) {
        if (is_digit(peek(scan))) {
            return fail(scan, start, "not JSON: a number has a leading zero");
        }
    } else if (!scan_digits(scan)) {
        return false;
    }
    if (take(scan, '.') && !scan_digits(scan)) {
        return false;
    }
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+')) {
            (void)take(scan, '-');
        }
        if (!scan_digits(scan)) {
            return false;
        }
    }
    if (scan->at - start > NUMBER_LENGTH_MAX) {
        return fail(scan, start, "a number has over 63 characters");
    }
    return true;
}

static int hex_digit(int byte)
{
    if (is_digit(byte)) {
        return byte - '0';
    } else if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    } else if (byte >= 'A' && byte <= 'F') {
        return byte - 'A' + 10;
    }
    return -1;
}

/* The four digits behind `\u`. */
static bool scan_unit(struct scan *scan, unsigned *ret_unit)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(scan));
        if (digit < 0) {
            return unexpected(scan, "not JSON: a \\u escape lacks a hexadecimal digit");
        }
        unit = unit * 16 + (unsigned)digit;
        scan->at++;
    }
    *ret_unit = unit;
    return true;
}

static bool scan_unicode_escape(struct scan *scan, size_t start)
{
    unsigned unit = 0;
    unsigned low = 0;

    if (!scan_unit(scan, &unit)) {
        return false;
    }
    if (unit == 0) {
        return fail(scan, start, "\\u0000 in a string");
    }
    if (unit < 0xd800 || unit > 0xdfff) {
        return true;
    }
    if (unit <= 0xdbff && take(scan, '\\') && take(scan, 'u')) {
        if (!scan_unit(scan, &low)) {
            return false;
        }
        if (low >= 0xdc00 && low <= 0xdfff) {
            return true;
        }
    }
    return fail(scan, start, "half of a surrogate pair in a string");
}

static bool scan_escape(struct scan *scan)
{
    size_t start = scan->at - 1;
    int byte = peek(scan);

    if (byte == -1) {
        return unexpected(scan, NULL);
    }
    if (strchr("\"\\/bfnrtu", byte) == NULL || byte == '\0') {
        return fail(scan, start, "not JSON: an unknown escape");
    }
    scan->at++;
    return byte != 'u' || scan_unicode_escape(scan, start);
}

/* The rest of a string whose first quote is taken. UTF-8 was checked before. */
static bool scan_string(struct scan *scan)
{
    for (;;) {
        int byte = peek(scan);
        if (byte == -1) {
            return unexpected(scan, NULL);
        }
        if (byte < 0x20) {
            return fail(scan, scan->at, "not JSON: a control character in a string");
        }
        scan->at++;
        if (byte == '"') {
            return true;
        }
        if (byte == '\\' && !scan_escape(scan)) {
            return false;
        }
    }
}

static bool scan_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);

    if (scan->length - scan->at < length || memcmp(scan->bytes + scan->at, word, length) != 0) {
        return fail(scan, scan->at, "not JSON: no value");
    }
    scan->at += length;
    return true;
}

static bool scan_member(struct scan *scan)
{
    if (!take(scan, '"')) {
        return unexpected(scan, "not JSON: no key");
    }
    if (!scan_string(scan)) {
        return false;
    }
    skip_space(scan);
    if (!take(scan, ':')) {
        return unexpected(scan, "not JSON: no colon after a key");
    }
    return scan_value(scan);
}

/* The rest of an array or object whose bracket is taken. */
static bool scan_container(struct scan *scan, char close)
{
    if (++scan->depth > JSON_DEPTH_MAX) {
        return fail(scan, scan->at - 1, "nested over 8 deep");
    }
    skip_space(scan);
    if (!take(scan, close)) {
        do {
            skip_space(scan);
            if (!(close == '}' ? scan_member(scan) : scan_value(scan))) {
                return false;
            }
            skip_space(scan);
        } while (take(scan, ','));
        if (!take(scan, close)) {
            return unexpected(
                scan, close == '}' ? "not JSON: neither a comma nor a } after a member"
                                   : "not JSON: neither a comma nor a ] after an element");
        }
    }
    scan->depth--;
    return true;
}

static bool scan_value(struct scan *scan)
{
    skip_space(scan);
    switch (peek(scan)) {
    case '{':
        scan->at++;
        return scan_container(scan, '}');
    case '[':
        scan->at++;
        return scan_container(scan, ']');
    case '"':
        scan->at++;
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        if (peek(scan) == '-' || is_digit(peek(scan))) {
            return scan_number(scan);
        }
        return unexpected(scan, "not JSON: no value");
    }
}

/* " at byte 17", and " (line 3)" behind it when that is not the first line. */
static void add_place(struct text *why, const char *bytes, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset; i++) {
        line += bytes[i] == '\n';
    }
    text_addf(why, " at byte %zu", offset);
    if (line > 1) {
        text_addf(why, " (line %zu)", line);
    }
}

enum status json_scan(const char *bytes, size_t length, struct text *why)
{
    struct scan scan = {.bytes = bytes, .length = length};
    size_t valid = utf8_valid_length(bytes, length);

    _Static_assert(JSON_DEPTH_MAX == 8, "the text in scan_container says 8");
    if (length >= 3 && memcmp(bytes, BYTE_ORDER_MARK, 3) == 0) {
        (void)fail(&scan, 0, "not JSON: a byte order mark; save it as UTF-8 without one");
    } else if (valid < length) {
        (void)fail(&scan, valid, "not JSON: invalid UTF-8");
    } else if (scan_value(&scan)) {
        skip_space(&scan);
        if (scan.at < length) {
            (void)fail(&scan, scan.at, "not JSON: more bytes after the value");
        }
    }
    if (scan.problem == NULL) {
        return STATUS_OK;
    }
    text_add(why, scan.problem);
    add_place(why, bytes, scan.at);
    return STATUS_INVALID;
}
