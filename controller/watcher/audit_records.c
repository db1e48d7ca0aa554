#include "controller/watcher/audit_records.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/audit_months.h"
#include "controller/support/text.h"

#define LINES_BYTES_MAX ((size_t)1 << 20)
#define NUMBER_BYTES 32 /* what the number adds to a line */

void records_init(struct records *records)
{
    *records = (struct records){.end = &records->first};
}

void records_move(struct records *to, struct records *from)
{
    if (from->first != NULL) {
        *to->end = from->first;
        to->end = from->end;
        to->bytes += from->bytes;
    }
    records_init(from);
}

void records_free(struct records *records)
{
    while (records->first != NULL) {
        struct record *next = records->first->next;
        free(records->first);
        records->first = next;
    }
    records_init(records);
}

bool records_add(
    struct records *records, int64_t number, struct wall_time seen, const char *object,
    size_t length)
{
    struct record *record = malloc(sizeof *record + length);

    if (record == NULL) {
        return false;
    }
    record->next = NULL;
    record->seen = seen;
    record->number = number;
    record->length = length;
    memcpy(record->object, object, length);
    *records->end = record;
    records->end = &record->next;
    records->bytes += sizeof *record + length;
    return true;
}

char *records_take_lines(
    struct records *records, int64_t base, struct wall_time *ret_seen, size_t *ret_length)
{
    int month = audit_month_of(records->first->seen).number;
    size_t size = 1;
    size_t count = 0;
    struct text text;
    char *bytes;

    for (const struct record *r = records->first;
         r != NULL && audit_month_of(r->seen).number == month && size < LINES_BYTES_MAX;
         r = r->next) {
        size += r->length + NUMBER_BYTES;
        count++;
    }
    bytes = malloc(size);
    if (bytes == NULL) {
        return NULL;
    }
    text = text_over(bytes, size);
    *ret_seen = records->first->seen;
    for (size_t i = 0; i < count; i++) {
        struct record *record = records->first;
        text_addf(&text, "{\"line\":%" PRId64, base + record->number);
        text_add(&text, record->length > 2 ? "," : "");
        text_add_bytes(&text, record->object + 1, record->length - 1);
        text_add(&text, "\n");
        records->first = record->next;
        records->bytes -= sizeof *record + record->length;
        free(record);
    }
    if (records->first == NULL) {
        records_init(records);
    }
    *ret_length = text.length;
    return bytes;
}
