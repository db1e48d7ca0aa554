/* A fuzz target: libFuzzer calls it with bytes that it varies, replay.c with the files of a corpus.
 * The sanitizers find what is broken; the targets add what has to be true of whatever they accept.
 */
#ifndef TAGOUT_TESTS_FUZZ_H
#define TAGOUT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
