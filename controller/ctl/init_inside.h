/* The inside of init.c and init_files.c. For nobody else. */
#ifndef TAGOUT_CTL_INIT_INSIDE_H
#define TAGOUT_CTL_INIT_INSIDE_H

#include "controller/ctl/init.h"
#include "controller/ctl/password.h"

#define INIT_WATCHER "svc.watcher"
#define INIT_PASSWORDS "mosquitto/tagout.passwords"
#define INIT_ACCESS "mosquitto/tagout.acl"
#define INIT_BROKER "mosquitto/tagout.conf"
#define INIT_REDIS "redis/tagout.conf"
#define INIT_CONTROLLER_SECRETS "tagoutd.environment"
#define INIT_WATCHER_SECRETS "tagout-watcher.environment"

struct init {
    const struct init_wish *wish;
    char account[INIT_NAME_SIZE]; /* the controller's */
    char controller_password[PASSWORD_SIZE];
    char watcher_password[PASSWORD_SIZE];
    char admin_password[PASSWORD_SIZE];
    char redis_password[PASSWORD_SIZE];
    char redis_hash[PASSWORD_SHA256_SIZE];
    char card_key[PASSWORD_KEY_SIZE];
    struct text content; /* of the file that is being made */
    struct text *why;
};

/* A file's path in the directory. */
MUST_USE enum status
init_place(const struct init *init, const char *name, char ret_path[FILES_PATH_SIZE]);

/* Each writes what it is called after. */
MUST_USE enum status init_write_ini(struct init *init);
MUST_USE enum status init_write_broker(struct init *init);
MUST_USE enum status init_write_redis(struct init *init);
MUST_USE enum status init_write_secrets(struct init *init);
MUST_USE enum status init_write_roster(struct init *init); /* unless it is there */

#endif
