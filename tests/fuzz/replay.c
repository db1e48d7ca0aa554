/* Runs a fuzz target over the files that are named, and over those in directories that are named:
 * the corpus as an ordinary test, for any compiler.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 65536

/* A buffer of exactly the input's size, so that a read behind it is seen. */
static int replay_file(const char *path)
{
    static uint8_t input[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    uint8_t *exact;
    size_t size;

    if (file == NULL) {
        perror(path);
        return -1;
    }
    size = fread(input, 1, sizeof input, file);
    (void)fclose(file);
    exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) {
        perror(path);
        return -1;
    }
    memcpy(exact, input, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static int replay_directory(DIR *directory, const char *path)
{
    const struct dirent *entry;
    int count = 0;

    while ((entry = readdir(directory)) != NULL) {
        char file[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (replay_file(file) < 0) {
            return -1;
        }
        count++;
    }
    return count;
}

int main(int argc, char *argv[])
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        int count = directory != NULL ? replay_directory(directory, argv[i]) : replay_file(argv[i]);

        if (directory != NULL) {
            (void)closedir(directory);
        }
        if (count < 0) {
            return 1;
        }
        total += count;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}
