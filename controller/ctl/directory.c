/* The directory that the verbs work in that ask nobody. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/ctl/ctl.h"
#include "controller/ctl/ini_file.h"
#include "controller/setup/authority.h"

static void add_place(const struct ctl_arguments *arguments, struct text *place)
{
    const char *slash = arguments->file == NULL ? NULL : strrchr(arguments->file, '/');

    if (arguments->directory != NULL) {
        text_add(place, arguments->directory);
    } else if (arguments->file == NULL) {
        text_add(place, ini_directory());
    } else if (slash == NULL) {
        text_add(place, ".");
    } else {
        text_add_bytes(place, arguments->file, (size_t)(slash - arguments->file));
        text_add(place, slash == arguments->file ? "/" : "");
    }
}

int ctl_directory(const struct ctl *ctl, char ret_directory[CTL_PLACE_SIZE])
{
    char here[CTL_PLACE_SIZE] = "";
    struct text directory = text_over(ret_directory, CTL_PLACE_SIZE);
    char *real;
    TEXT_LOCAL(place, CTL_PLACE_SIZE);

    add_place(ctl->arguments, &place);
    real = realpath(place.data, NULL);
    if (real != NULL || place.data[0] == '/') {
        text_add(&directory, real == NULL ? place.data : real);
    } else if (getcwd(here, sizeof here) != NULL) {
        text_addf(&directory, "%s/%s", here, place.data);
    }
    free(real);
    if (place.cut || directory.cut || directory.length == 0 || strcmp(directory.data, "/") == 0) {
        ctl_complain("\"%s\" is no directory for a configuration", place.data);
        return CTL_USAGE;
    }
    return CTL_DONE;
}

int ctl_check_hosts(const struct ctl *ctl)
{
    for (size_t i = 0; i < ctl->arguments->host_count; i++) {
        if (!authority_is_host(ctl->arguments->hosts[i])) {
            ctl_complain(
                "--host: \"%s\" is neither a name nor an address", ctl->arguments->hosts[i]);
            return CTL_USAGE;
        }
    }
    return CTL_DONE;
}
