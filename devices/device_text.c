#include "devices/device_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CODE_INVALID 0xFFFFFFFFu

/* U+00C0 to U+017F, two columns each, blanks on the right. */
static const char LATIN_1_AND_A[] =
    "A A A A A A AEC E E E E I I I I D N O O O O O x O U U U U Y Thss"
    "a a a a a a aec e e e e i i i i d n o o o o o / o u u u u y thy "
    "A a A a A a C c C c C c C c D d D d E e E e E e E e E e G g G g "
    "G g G g H h H h I i I i I i I i I i IJijJ j K k k L l L l L l L "
    "l L l N n N n N n n N n O o O o O o OEoeR r R r R r S s S s S s "
    "S s T t T t T t U u U u U u U u U u U u W w Y y Y Z z Z z Z z s ";

/* U+1E00 to U+1EFF, one column each. */
static const char LATIN_ADDITIONAL[] =
    "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMm"
    "MmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVv"
    "WwWwWwWwWwXxXxYyZzZzZzhtwyasssSdAaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEe"
    "EeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYyLlVvYy";

struct folded {
    uint32_t code;
    char text[4];
};

/* What else turns up in names and in texts that a word processor has been at. */
static const struct folded OTHERS[] = {
    {0x00A0, " "}, {0x00AD, ""},   {0x00B4, "'"},  {0x0218, "S"},  {0x0219, "s"},   {0x021A, "T"},
    {0x021B, "t"}, {0x2010, "-"},  {0x2011, "-"},  {0x2013, "-"},  {0x2014, "-"},   {0x2018, "'"},
    {0x2019, "'"}, {0x201C, "\""}, {0x201D, "\""}, {0x201E, "\""}, {0x2026, "..."}, {0x202F, " "},
};

/* Decodes one character and moves on; CODE_INVALID for a byte that begins none. */
static uint32_t next_code(const char **text)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)*text;
    unsigned more = at[0] >= 0xF0 ? 3 : at[0] >= 0xE0 ? 2 : at[0] >= 0xC0 ? 1 : 0;
    uint32_t code = at[0];
    unsigned i;

    *text += 1;
    if (at[0] < 0x80) {
        return code;
    }
    if (more == 0 || at[0] > 0xF4) {
        return CODE_INVALID;
    }
    code &= 0x3Fu >> more;
    for (i = 1; i <= more; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return CODE_INVALID;
        }
        code = code << 6 | (at[i] & 0x3Fu);
    }
    if (code < least[more]) {
        return CODE_INVALID;
    }
    *text += more;
    return code;
}

/* Up to three ASCII characters for one. */
static void fold_code(char ret[4], uint32_t code)
{
    size_t i;

    memcpy(ret, "?", 2);
    if (code >= 0x20 && code <= 0x7E) {
        ret[0] = (char)code;
    } else if (code >= 0xC0 && code <= 0x17F) {
        memcpy(ret, &LATIN_1_AND_A[(code - 0xC0) * 2], 2);
        ret[ret[1] == ' ' ? 1 : 2] = '\0';
    } else if (code >= 0x1E00 && code <= 0x1EFF) {
        ret[0] = LATIN_ADDITIONAL[code - 0x1E00];
    } else if (code >= 0x300 && code <= 0x36F) {
        ret[0] = '\0'; /* an accent that stands apart from its letter */
    } else {
        for (i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
            if (OTHERS[i].code == code) {
                memcpy(ret, OTHERS[i].text, sizeof OTHERS[i].text);
            }
        }
    }
}

void device_text_fold(char lines[DEVICE_LCD_LINES][DEVICE_LCD_COLUMNS + 1], const char *text)
{
    size_t line = 0, column = 0;
    char folded[4];
    const char *from;

    memset(lines, 0, DEVICE_LCD_LINES * sizeof lines[0]);
    while (text && *text && line < DEVICE_LCD_LINES) {
        if (*text == '\n') {
            text++;
            line++;
            column = 0;
            continue;
        }
        fold_code(folded, next_code(&text));
        for (from = folded; *from && column < DEVICE_LCD_COLUMNS; from++) {
            lines[line][column++] = *from;
        }
    }
}
