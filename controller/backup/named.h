/* The files that a configuration names, which belong to it wherever they are. */
#ifndef TAGOUT_BACKUP_NAMED_H
#define TAGOUT_BACKUP_NAMED_H

#include <stddef.h>

#include "controller/config/settings.h"

#define BACKUP_NAMED_MAX 8

/* Borrowed from the settings, each once; how many. */
size_t backup_named(const struct settings *settings, const char *ret_paths[BACKUP_NAMED_MAX]);

#endif
