/* The fields of a stored record, one row each: what record.c writes and record_read.c reads. */
#ifndef TAGOUT_PERSISTENCE_RECORD_TABLE_H
#define TAGOUT_PERSISTENCE_RECORD_TABLE_H

#include <stddef.h>

#include "persistence/record.h"

enum record_kind {
    KIND_FORMAT,
    KIND_MACHINE,
    KIND_TEXT,  /* UTF-8 */
    KIND_TOKEN, /* printable ASCII without quotes and backslashes */
    KIND_BOOL,
    KIND_U32,
    KIND_EPOCH,
    KIND_SECONDS, /* a double */
    KIND_WALL,    /* Unix seconds with three decimals; 0 for never */
    KIND_MODE,
    KIND_SECOND,
    KIND_HEALTH,
    KIND_FAULTS,
    /* Follow from the mode. Written for people; read to notice a record that somebody edited. */
    KIND_RELAY,
    KIND_OVERRIDE,
    KIND_EMERGENCY,
    KIND_CONFIRMED, /* written for people only: it is not true for long */
};

/* What is lost with a field that can't be read. */
enum record_weight {
    WEIGHT_READ,    /* nothing but the field */
    WEIGHT_DECIDES, /* the session */
    WEIGHT_CARD,    /* the session and the card */
    WEIGHT_BOOT,    /* the session and the boot */
    WEIGHT_VERSION, /* the version: then the record is older than any other copy */
    WEIGHT_SWITCHED,
    WEIGHT_FLAG, /* it counts as set */
};

struct record_row {
    const char *name;
    size_t name_length;
    enum record_kind kind;
    enum record_weight weight;
    size_t offset; /* in struct record */
    size_t size;   /* of a string, with the NUL */
};

#define RECORD_ROWS 40

extern const struct record_row record_rows[RECORD_ROWS];

#endif
