#include "controller/watcher/certificate_reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "controller/support/certificate.h"
#include "controller/support/log.h"

#define STACK_BYTES ((size_t)256 * 1024)
#define REASON_SIZE 512

/* Whoever lets go of it last frees it: the thread, or the one that asked. */
struct certificate_reading {
    atomic_int holders;
    atomic_bool done;
    struct certificates certificates; /* files, and what was found */
    char reasons[CERTIFICATES_MAX][REASON_SIZE];
};

static void let_go(struct certificate_reading *reading)
{
    if (atomic_fetch_sub(&reading->holders, 1) == 1) {
        free(reading);
    }
}

static void *run(void *argument)
{
    struct certificate_reading *reading = argument;

    for (size_t i = 0; i < reading->certificates.count; i++) {
        struct watched_certificate *item = &reading->certificates.items[i];
        struct certificate certificate;
        struct text why = text_over(reading->reasons[i], REASON_SIZE);

        item->ends.ms =
            certificate_read(item->file, &certificate, &why) == STATUS_OK ? certificate.ends.ms : 0;
    }
    atomic_store(&reading->done, true);
    let_go(reading);
    return NULL;
}

enum status certificate_reading_start(
    const struct certificates *certificates, struct certificate_reading **ret_reading)
{
    struct certificate_reading *reading = calloc(1, sizeof *reading);
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    if (reading == NULL) {
        return STATUS_NO_MEMORY;
    }
    reading->certificates = *certificates;
    atomic_store(&reading->holders, 2);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    error = pthread_create(&thread, &attributes, run, reading);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        free(reading);
        return STATUS_NO_MEMORY;
    }
    *ret_reading = reading;
    return STATUS_OK;
}

bool certificate_reading_take(
    struct certificate_reading *reading, struct certificates *certificates)
{
    if (!atomic_load(&reading->done)) {
        return false;
    }
    for (size_t i = 0; i < certificates->count; i++) {
        if (reading->certificates.items[i].ends.ms != 0) {
            certificates_found(&certificates->items[i], reading->certificates.items[i].ends);
        } else {
            log_warning("certificate: %s", reading->reasons[i]);
        }
    }
    return true;
}

void certificate_reading_free(struct certificate_reading *reading)
{
    if (reading != NULL) {
        let_go(reading);
    }
}
