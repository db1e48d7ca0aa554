#include "controller/support/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "controller/support/exposition.h"

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1000000;
}

static void print_memory(struct text *out)
{
    char line[128];
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL) {
        return;
    }
    if (fgets(line, sizeof line, file) != NULL) {
        char *rest = line;
        double mapped_pages = (double)strtoul(line, &rest, 10);

        exposition_gauge(
            out, "process_virtual_memory_bytes", "Memory that is mapped",
            mapped_pages * page_bytes);
        exposition_gauge(
            out, "process_resident_memory_bytes", "Memory that is in RAM",
            (double)strtoul(rest, NULL, 10) * page_bytes);
    }
    (void)fclose(file);
}

static void print_descriptors(struct text *out)
{
    double open_fds = -3; /* two entries that are none, and the folder's own */
    DIR *folder = opendir("/proc/self/fd");

    if (folder != NULL) {
        while (readdir(folder) != NULL) {
            open_fds++;
        }
        closedir(folder);
        exposition_gauge(out, "process_open_fds", "Descriptors that are open", open_fds);
    }
}

/* Not by getrlimit: a unit that may not change limits may not ask for them either. */
static void print_limit(struct text *out)
{
    static const char start[] = "Max open files";
    char line[256];
    FILE *file = fopen("/proc/self/limits", "re");

    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, start, sizeof start - 1) == 0) {
            exposition_gauge(
                out, "process_max_fds", "Descriptors that may be open",
                (double)strtoul(line + sizeof start - 1, NULL, 10));
        }
    }
    (void)fclose(file);
}

void process_metrics_print(struct wall_time started, struct text *out)
{
    const char *const version[] = {"version", TAGOUT_VERSION, NULL};
    struct rusage usage;

    exposition_family(out, EXPOSITION_GAUGE, "tagout_build_info", "1; which build this is");
    exposition_sample(out, "tagout_build_info", version, 1);
    exposition_moment(
        out, "process_start_time_seconds", "When the process started, in Unix seconds", started);
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        exposition_counter(
            out, "process_cpu_seconds_total", "Processor time used, of user and system",
            seconds(usage.ru_utime) + seconds(usage.ru_stime));
    }
    print_memory(out);
    print_descriptors(out);
    print_limit(out);
}
