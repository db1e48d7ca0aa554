/* How the list of blocked cards is kept, twice like states, and how it takes effect (C6, C9.4).
 * For the controller's files alone. What is in the list is blocks.h's.
 */
#ifndef TAGOUT_DAEMON_BLOCK_KEEPING_H
#define TAGOUT_DAEMON_BLOCK_KEEPING_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/daemon/blocks.h"
#include "controller/support/time.h"
#include "controller/support/version.h"
#include "persistence/store.h"

struct block_answer; /* a request's answer that waits for a save, see request_block.c */
struct controller;
struct origin;

struct block_keeping {
    struct blocks blocks;
    struct version known; /* what the start found on the broker */
    struct version sent;
    struct version saved;
    bool loaded; /* Redis has told what it kept */
    bool save_in_flight;
    struct mono_time pause_until;
    struct mono_time refused_logged;
    struct block_answer *answers;
};

void block_keeping_free(struct controller *controller);
/* Whether Redis has that version. */
bool block_keeping_has_kept(const struct controller *controller, struct version version);
void block_keeping_publish(struct controller *controller);
void block_keeping_adopt_epoch(struct controller *controller);
/* The list is another one: publishes and saves it, and ends the sessions of cards that are blocked
 * now; returns how many. */
size_t block_keeping_on_change(struct controller *controller, const struct origin *origin);
/* Two keys' hashes can't stand in one list: what another key made is given up for the accounts. */
void block_keeping_make_comparable(struct controller *controller);
/* What Redis kept may be gone. */
void block_keeping_save_again(struct controller *controller);
/* Before the controller's key is replaced by this one. */
void block_keeping_change_key(struct controller *controller, const struct card_key *key);
/* After a reload, or when the key has become known. */
void block_keeping_settle(struct controller *controller);
void block_keeping_on_retained(struct controller *controller, const char *payload, size_t length);
void block_keeping_on_loaded(struct controller *controller, bool ok, const char *text);
void block_keeping_on_saved(
    struct controller *controller, enum store_saved result, const char *reason);
void block_keeping_tick(struct controller *controller);
struct mono_time block_keeping_deadline(const struct controller *controller);

#endif
