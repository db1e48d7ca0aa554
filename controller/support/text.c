#include "controller/support/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct text text_over(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){.data = buffer, .size = size};
}

void text_clear(struct text *text)
{
    text->data[0] = '\0';
    text->length = 0;
    text->cut = false;
}

#define FOLLOWING_MAX 3 /* bytes of a character behind its first; more of them are no UTF-8 */

static bool is_following(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The longest prefix of `length` bytes, at most `room`, that ends at a whole character. */
static size_t whole_characters(const char *bytes, size_t length, size_t room)
{
    size_t kept = room;

    if (length <= room) {
        return length;
    }
    while (kept > 0 && room - kept < FOLLOWING_MAX && is_following(bytes[kept])) {
        kept--;
    }
    return is_following(bytes[kept]) ? room : kept;
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    size_t room = text->size - 1 - text->length;
    size_t fits = whole_characters(bytes, length, room);

    if (text->cut) {
        return;
    }
    text->cut = fits < length;
    memcpy(text->data + text->length, bytes, fits);
    text->length += fits;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

size_t text_digits(char ret_digits[TEXT_DIGITS_MAX], uint64_t number)
{
    char backwards[TEXT_DIGITS_MAX];
    size_t count = 0;

    do {
        backwards[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < count; i++) {
        ret_digits[i] = backwards[count - 1 - i];
    }
    return count;
}

void text_add_integer(struct text *text, int64_t number)
{
    char digits[1 + TEXT_DIGITS_MAX];
    size_t sign = number < 0;
    uint64_t size = sign ? 0 - (uint64_t)number : (uint64_t)number;

    digits[0] = '-';
    text_add_bytes(text, digits + 1 - sign, sign + text_digits(digits + 1, size));
}

void text_add_thousandths(struct text *text, uint64_t thousandths)
{
    unsigned rest = (unsigned)(thousandths % 1000);
    const char decimals[] = {
        '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)};
    size_t length = rest == 0 ? 0 : sizeof decimals;

    while (length > 0 && decimals[length - 1] == '0') {
        length--;
    }
    text_add_integer(text, (int64_t)(thousandths / 1000));
    text_add_bytes(text, decimals, length);
}

void text_addf(struct text *text, const char *format, ...)
{
    size_t room = text->size - text->length;
    char *end = text->data + text->length;
    va_list arguments;
    int wanted;

    if (text->cut) {
        return;
    }
    va_start(arguments, format);
    wanted = vsnprintf(end, room, format, arguments);
    va_end(arguments);
    if (wanted < 0) {
        *end = '\0';
        text->cut = true;
    } else if ((size_t)wanted < room) {
        text->length += (size_t)wanted;
    } else {
        /* vsnprintf cut at a byte: take back the start of a character that lost its end. */
        size_t kept = room - 1;
        size_t start = kept;
        while (start > 0 && kept - start < FOLLOWING_MAX && is_following(end[start - 1])) {
            start--;
        }
        if (start > 0 && !utf8_is_valid(end + start - 1, kept - (start - 1))) {
            kept = start - 1;
        }
        end[kept] = '\0';
        text->length += kept;
        text->cut = true;
    }
}

const char *text_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void text_copy(char *target, size_t size, const char *source)
{
    struct text text = text_over(target, size);
    text_add(&text, source);
}

/* Length of the well-formed UTF-8 character at `at` (Unicode 15, table 3-7), 0 for none. */
static size_t character_length(const unsigned char *at, size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t length;

    if (at[0] < 0x80) {
        return 1;
    } else if (at[0] >= 0xc2 && at[0] <= 0xdf) {
        length = 2;
    } else if (at[0] >= 0xe0 && at[0] <= 0xef) {
        length = 3;
        low = at[0] == 0xe0 ? 0xa0 : low;
        high = at[0] == 0xed ? 0x9f : high;
    } else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
        length = 4;
        low = at[0] == 0xf0 ? 0x90 : low;
        high = at[0] == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (length > left || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

size_t utf8_valid_length(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t valid = 0;

    while (valid < length) {
        size_t step = character_length(at + valid, length - valid);
        if (step == 0) {
            break;
        }
        valid += step;
    }
    return valid;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
    return utf8_valid_length(bytes, length) == length;
}

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t utf8_length(const char *string)
{
    size_t count = 0;

    for (; *string != '\0'; string++) {
        count += starts_character(*string);
    }
    return count;
}

size_t utf8_offset(const char *string, size_t characters)
{
    size_t offset = 0;

    for (; string[offset] != '\0'; offset++) {
        if (starts_character(string[offset]) && characters-- == 0) {
            break;
        }
    }
    return offset;
}

bool text_has_control(const char *string)
{
    const unsigned char *at = (const unsigned char *)string;

    for (; *at != '\0'; at++) {
        /* U+0080 to U+009F are C2 80 to C2 9F. */
        if (*at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)) {
            return true;
        }
    }
    return false;
}

bool text_is_printable_ascii(const char *string)
{
    for (; *string != '\0'; string++) {
        if (*string < 0x20 || *string > 0x7e) {
            return false;
        }
    }
    return true;
}

static int fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : (unsigned char)byte;
}

int text_compare_nocase(const char *a, const char *b)
{
    while (*a != '\0' && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) - fold(*b);
}

bool text_is_name(const char *string, size_t max)
{
    size_t length = strspn(string, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return string[length] == '\0' && length >= 1 && length <= max;
}
