/* record_read: whatever stands in Redis, what comes back is safe. Fields are lines `name value`; a
 * value's \1 is a line break. */
#include <string.h>

#include "controller/core/decide.h"
#include "persistence/record.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/fuzz.h"

#define FIELDS_MAX 60

/* A hash holds no field twice. */
static bool
is_new(const struct record_field fields[], size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name_length == length && memcmp(fields[i].name, name, length) == 0) {
            return false;
        }
    }
    return true;
}

static size_t split(char *bytes, size_t length, struct record_field fields[FIELDS_MAX])
{
    size_t count = 0;
    char *at = bytes;
    char *end = bytes + length;

    while (at < end && count < FIELDS_MAX) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        char *blank;
        stop = stop == NULL ? end : stop;
        blank = memchr(at, ' ', (size_t)(stop - at));
        if (blank != NULL && is_new(fields, count, at, (size_t)(blank - at))) {
            fields[count++] = (struct record_field){
                .name = at,
                .name_length = (size_t)(blank - at),
                .value = blank + 1,
                .value_length = (size_t)(stop - blank - 1),
            };
        }
        for (char *byte = at; byte < stop; byte++) {
            *byte = *byte == '\1' ? '\n' : *byte;
        }
        at = stop + 1;
    }
    return count;
}

static bool
is_said(const struct record_field fields[], size_t count, const char *name, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name_length == strlen(name) &&
            memcmp(fields[i].name, name, fields[i].name_length) == 0) {
            return fields[i].value_length == strlen(value) &&
                   memcmp(fields[i].value, value, fields[i].value_length) == 0;
        }
    }
    return false;
}

/* I1 to I3 of what was read, in a shop where the machine is not always enabled but if it says so.
 */
static void check_safe(const struct core_state *core)
{
    const struct core_config config = {.always_enabled = core->mode == CORE_ALWAYS_ON};

    FUZZ_CHECK(core_broken_invariant(&config, core) == 0);
    FUZZ_CHECK(!core->heard && core->version.epoch <= VERSION_EPOCH_MAX);
    FUZZ_CHECK(version_compare(core->switched, core->version) <= 0);
}

static void check_again(const struct record *record)
{
    struct record_fields fields;
    struct record_fields fields_again;
    struct record again;
    TEXT_LOCAL(why, 512);

    record_write(record, &fields);
    FUZZ_CHECK(record_read("saw", fields.fields, fields.count, &again, &why) == RECORD_GOOD);
    record_write(&again, &fields_again);
    FUZZ_CHECK(fields.count == fields_again.count && fields.bytes == fields_again.bytes);
    for (size_t i = 0; i < fields.count; i++) {
        FUZZ_CHECK(strcmp(fields.fields[i].value, fields_again.fields[i].value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    size_t length;
    char *bytes = bytes_until(&input, '\2', false, &length);
    struct record_field fields[FIELDS_MAX];
    size_t count = split(bytes, length, fields);
    struct record record;
    enum record_verdict verdict;
    TEXT_LOCAL(why, 4096);

    verdict = record_read("saw", fields, count, &record, &why);
    FUZZ_CHECK((verdict == RECORD_GOOD) == (why.length == 0));
    if (verdict != RECORD_REFUSED) {
        check_safe(&record.core);
        FUZZ_CHECK(record_settle(&record.core) == NULL);
        /* One that was set is never lost, and one that cannot be read counts as set. */
        FUZZ_CHECK(record.core.oopsed != is_said(fields, count, "oops", "false"));
        FUZZ_CHECK(record.core.locked_out != is_said(fields, count, "lockout", "false"));
        check_again(&record);
    }
    free(bytes);
    return 0;
}
