/* A directory of a test's own, made under $TMPDIR, entered, and removed at the end. */
#ifndef TAGOUT_TESTS_SCRATCH_H
#define TAGOUT_TESTS_SCRATCH_H

#include <stddef.h>

/* Group setup and teardown for cmocka. */
int scratch_enter(void **state);
int scratch_leave(void **state);

/* Writes a file into it (or anywhere, with an absolute path). */
void scratch_write(const char *name, const char *bytes, size_t length);
void scratch_write_text(const char *name, const char *text);

/* The whole file, NUL-terminated, to be freed. A relative path counts from where the test was
 * started: the top of the tree. */
char *scratch_read_tree(const char *path);

/* Such a path as an absolute one, in a static buffer. */
const char *scratch_tree_path(const char *path);

#endif
