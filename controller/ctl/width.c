#include <locale.h>
#include <stdint.h>
#include <wchar.h>

#include "controller/ctl/table.h"

/* wcwidth asks the locale, which no program of ours sets: this one knows UTF-8 and nothing else. */
static locale_t wide_characters(void)
{
    static locale_t locale;

    if (locale == (locale_t)0) {
        locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    }
    return locale;
}

/* Columns of the character at `at`, which takes `*ret_length` bytes. */
static size_t character_width(const char *at, size_t *ret_length)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t length = utf8_offset(at, 1);
    uint32_t code = length == 1 ? byte[0] : byte[0] & (0x7fu >> length);
    int width;

    for (size_t i = 1; i < length; i++) {
        code = code << 6 | (byte[i] & 0x3f);
    }
    *ret_length = length;
    if (code < 0x7f) {
        return 1;
    }
    width = wcwidth((wchar_t)code);
    return width < 0 ? 1 : (size_t)width;
}

size_t table_fitting(const char *string, size_t width)
{
    locale_t wide = wide_characters();
    locale_t before = wide == (locale_t)0 ? (locale_t)0 : uselocale(wide);
    size_t bytes = 0;
    size_t used = 0;

    while (string[bytes] != '\0') {
        size_t length;
        used += character_width(string + bytes, &length);
        if (used > width) {
            break;
        }
        bytes += length;
    }
    if (before != (locale_t)0) {
        uselocale(before);
    }
    return bytes;
}

size_t table_width(const char *string)
{
    size_t width = 0;
    size_t bytes = 0;

    while (string[bytes] != '\0') {
        size_t step = table_fitting(string + bytes, 1);
        bool is_wide = step == 0;

        step = is_wide ? utf8_offset(string + bytes, 1) : step;
        bytes += step;
        width += is_wide ? 2 : 1;
    }
    return width;
}
