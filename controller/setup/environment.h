/* Files of secrets that the services are started with, systemd's EnvironmentFile: NAME=value a
 * line, with or without quotes around the value; blank lines and those that begin with # or ; count
 * for nothing.
 */
#ifndef TAGOUT_SETUP_ENVIRONMENT_H
#define TAGOUT_SETUP_ENVIRONMENT_H

#include "controller/support/status.h"
#include "controller/support/text.h"

/* Takes what begins with TAGOUT_ into this process's environment, where it does not stand already.
 * A file that is not there is no error. */
MUST_USE enum status environment_load(const char *path, struct text *why);

/* Those of the controller in a configuration's directory, tagoutd.environment before environment,
 * as its unit has it. Its credentials (controller/config/credentials.h) are in the directory's
 * neighbour "credstore", which beside /etc/tagout is systemd's: what is loaded next takes them from
 * there, as far as this user may read it and nothing else was named. */
MUST_USE enum status environment_load_all(const char *directory, struct text *why);

#endif
