/* The observed traces, tests/traces/decisions.jsonl.gz, unpacked. */
#ifndef TAGOUT_TESTS_TRACES_H
#define TAGOUT_TESTS_TRACES_H

/* `path` is that file's. NUL-terminated, to be freed. */
char *traces_read(const char *path);

#endif
