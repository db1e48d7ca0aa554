/* Reads JSON where it lies, one token after the other, without allocating.
 *
 * Each function passes over blanks and then over what it reads. One that finds something else
 * returns false; the cursor may then be anywhere, and the payload is given up, except after
 * cursor_token and cursor_null, which leave it where it was. `\u0000` is refused.
 */
#ifndef TAGOUT_ESPHOME_CURSOR_H
#define TAGOUT_ESPHOME_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CURSOR_DEPTH_MAX 7 /* below the payload's own object: C3's 8 in all */

struct cursor {
    const char *at;
    const char *end;
};

struct cursor_value {
    double value;
    bool is_integer; /* no sign, point or exponent, and it fits `integer` */
    uint64_t integer;
};

bool cursor_token(struct cursor *in, char character);
bool cursor_null(struct cursor *in);
bool cursor_bool(struct cursor *in, bool *ret);
bool cursor_number(struct cursor *in, struct cursor_value *ret);

/* With its NUL in `size` bytes; `data` may be NULL to pass over the string. */
bool cursor_string(struct cursor *in, char *data, size_t size);

/* Passes over a value of any kind. */
bool cursor_skip(struct cursor *in);

bool cursor_at_end(struct cursor *in);

#ifdef __cplusplus
}
#endif

#endif
