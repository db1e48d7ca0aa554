#include "persistence/redis_format.h"

#include <stdlib.h>
#include <string.h>

#include "controller/support/text.h"

#define HEAD_BYTES (1 + TEXT_DIGITS_MAX + 2) /* `*` or `$`, a number, CR LF */

static char *add_head(char *at, char kind, size_t number)
{
    *at++ = kind;
    at += text_digits(at, number);
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static size_t length_of(const char *const words[], const size_t lengths[], size_t index)
{
    return lengths != NULL ? lengths[index] : strlen(words[index]);
}

enum status redis_format(
    struct redis_format *format, const char *const words[], const size_t lengths[], size_t count)
{
    size_t room = HEAD_BYTES + 1;
    char *at;

    for (size_t i = 0; i < count; i++) {
        room += HEAD_BYTES + length_of(words, lengths, i) + 2;
    }
    if (room > format->room) {
        char *bytes = realloc(format->bytes, room);
        if (bytes == NULL) {
            return STATUS_NO_MEMORY;
        }
        format->bytes = bytes;
        format->room = room;
    }
    at = add_head(format->bytes, '*', count);
    for (size_t i = 0; i < count; i++) {
        size_t length = length_of(words, lengths, i);
        at = add_head(at, '$', length);
        memcpy(at, words[i], length);
        at += length;
        *at++ = '\r';
        *at++ = '\n';
    }
    *at = '\0';
    format->length = (size_t)(at - format->bytes);
    return STATUS_OK;
}

void redis_format_free(struct redis_format *format)
{
    free(format->bytes);
    *format = (struct redis_format){0};
}
