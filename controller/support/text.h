/* Text in fixed buffers: appending that cannot overflow, and the few facts about UTF-8 and ASCII
 * that the wire asks for.
 */
#ifndef TAGOUT_SUPPORT_TEXT_H
#define TAGOUT_SUPPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string under construction in somebody else's buffer. Always NUL-terminated; what does not fit
 * is cut at a whole UTF-8 character and remembered in `cut`. */
struct text {
    char *data;
    size_t size; /* of the buffer, in bytes */
    size_t length;
    bool cut;
};

/* For a local error line: `TEXT_LOCAL(why, 256);` declares a buffer and a text over it. */
#define TEXT_LOCAL(name, bytes)                                                                    \
    char name##_buffer[bytes];                                                                     \
    struct text name = text_over(name##_buffer, sizeof name##_buffer)

struct text text_over(char *buffer, size_t size);
void text_clear(struct text *text);
void text_add(struct text *text, const char *string);
/* In decimal. What is printed for each report goes this way: printf takes twenty times as long. */
void text_add_integer(struct text *text, int64_t number);
/* 1500 is 1.5: a number of thousandths as a decimal, without zeros at its end. */
void text_add_thousandths(struct text *text, uint64_t thousandths);
/* The digits alone, without a NUL; returns how many. */
#define TEXT_DIGITS_MAX 20
size_t text_digits(char ret_digits[TEXT_DIGITS_MAX], uint64_t number);
void text_add_bytes(struct text *text, const char *bytes, size_t length);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a regular noun behind that number ends with: "s", or for 1 nothing. */
const char *text_plural(uint64_t count);

/* Copies a string into an array, cut at a whole UTF-8 character if it must be. */
void text_copy(char *target, size_t size, const char *source);

/* Whether `length` bytes are well-formed UTF-8 (no overlong forms, no surrogates). */
bool utf8_is_valid(const char *bytes, size_t length);

/* How many of them are well-formed, up to the first character that is not. */
size_t utf8_valid_length(const char *bytes, size_t length);

/* Characters (code points) in a valid UTF-8 string. */
size_t utf8_length(const char *string);

/* Bytes that the first `characters` characters of a valid UTF-8 string take. */
size_t utf8_offset(const char *string, size_t characters);

/* Whether the string has a control character (below 0x20, 0x7f, or U+0080 to U+009F). */
bool text_has_control(const char *string);

/* Only printable ASCII (0x20 to 0x7e). */
bool text_is_printable_ascii(const char *string);

/* Comparison and ordering without regard to ASCII case. */
int text_compare_nocase(const char *a, const char *b);

/* 1 to `max` characters of [a-z0-9_-]: the shape of prefixes, machine names, controller ids. */
bool text_is_name(const char *string, size_t max);

#endif
