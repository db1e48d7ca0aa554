#include "tests/lib/scratch.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char tree[PATH_MAX] = "."; /* until scratch_enter knows better */
static char directory[PATH_MAX];

static void must(int good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

int scratch_enter(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    must(getcwd(tree, sizeof tree) != NULL, "getcwd");
    snprintf(directory, sizeof directory, "%s/tagout-test-XXXXXX", base == NULL ? "/tmp" : base);
    must(mkdtemp(directory) != NULL, "mkdtemp");
    must(chdir(directory) == 0, directory);
    return 0;
}

int scratch_leave(void **state)
{
    DIR *entries = opendir(directory);

    (void)state;
    must(entries != NULL, directory);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (entry->d_name[0] != '.') {
            must(remove(entry->d_name) == 0, entry->d_name);
        }
    }
    closedir(entries);
    must(chdir(tree) == 0, tree);
    must(rmdir(directory) == 0, directory);
    return 0;
}

void scratch_write(const char *name, const char *bytes, size_t length)
{
    FILE *file = fopen(name, "w");

    must(file != NULL, name);
    must(fwrite(bytes, 1, length, file) == length, name);
    must(fclose(file) == 0, name);
}

void scratch_write_text(const char *name, const char *text)
{
    scratch_write(name, text, strlen(text));
}

const char *scratch_tree_path(const char *path)
{
    static char absolute[2 * PATH_MAX];

    snprintf(absolute, sizeof absolute, "%s/%s", tree, path);
    return absolute;
}

char *scratch_read_tree(const char *path)
{
    FILE *file = fopen(scratch_tree_path(path), "r");
    char *bytes = NULL;
    size_t size = 0;

    must(file != NULL, path);
    must(getdelim(&bytes, &size, '\0', file) >= 0, path);
    must(fclose(file) == 0, path);
    return bytes;
}
