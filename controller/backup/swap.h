/* A folder, or a file, that is made beside the place where it belongs, and put there by renaming:
 * what was there is put aside, and can be brought back.
 */
#ifndef TAGOUT_BACKUP_SWAP_H
#define TAGOUT_BACKUP_SWAP_H

#include <stdbool.h>

#include "controller/backup/bundle.h"
#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define SWAP_PATH_SIZE 1024

struct swap {
    char place[SWAP_PATH_SIZE];
    char fresh[SWAP_PATH_SIZE]; /* the new folder, or the one around the new file; "": not begun */
    char made[SWAP_PATH_SIZE];  /* what goes to the place */
    char aside[SWAP_PATH_SIZE]; /* "": nothing was there */
    int folder;                 /* of fresh */
    bool is_in;
};

/* Makes the new folder, empty. STATUS_BUSY: something is there, and `force` is not given. */
MUST_USE enum status swap_begin(
    struct swap *swap, const char *place, bool force, struct wall_time now, struct text *why);

/* The same for one file, which is to be unpacked under this name. */
#define SWAP_FILE "content"
MUST_USE enum status swap_begin_file(
    struct swap *swap, const char *place, bool force, struct wall_time now, struct text *why);

/* Writes an item's content as `name` in the new folder, "" for the folder itself: with its mode,
 * and as root with its owner, if that is known here. */
MUST_USE enum status swap_unpack(
    struct swap *swap, struct bundle_reader *bundle, const struct bundle_item *item,
    const char *name, struct text *why);

/* Everything is on the disk, and in its place. */
MUST_USE enum status swap_in(struct swap *swap, struct text *why);
/* As it was before swap_in. */
void swap_back(struct swap *swap);

/* Removes what is left beside the place. */
void swap_end(struct swap *swap);

#endif
