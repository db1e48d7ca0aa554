#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "controller/support/mqtt.h"

#define PAHO_NAME "MQTTAsync_" /* how the names of its threads begin */
#define PAUSE_MS 1
#define PAUSES_MAX 1000

static bool is_pahos(const char *thread)
{
    char name[32] = "";
    FILE *file;
    TEXT_LOCAL(path, 64);

    text_addf(&path, "/proc/self/task/%.20s/comm", thread);
    file = fopen(path.data, "re");
    if (file == NULL) {
        return false; /* it has ended just now */
    }
    if (fgets(name, sizeof name, file) == NULL) {
        name[0] = '\0';
    }
    fclose(file);
    return strncmp(name, PAHO_NAME, strlen(PAHO_NAME)) == 0;
}

static bool is_any_left(void)
{
    bool left = false;
    const struct dirent *entry;
    DIR *threads = opendir("/proc/self/task");

    while (threads != NULL && !left && (entry = readdir(threads)) != NULL) {
        left = entry->d_name[0] != '.' && is_pahos(entry->d_name);
    }
    if (threads != NULL) {
        closedir(threads);
    }
    return left;
}

void mqtt_finish(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    for (int i = 0; i < PAUSES_MAX && is_any_left(); i++) {
        nanosleep(&pause, NULL);
    }
}
