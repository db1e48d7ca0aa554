/* The Lua that Redis runs for us: what must be tested and written in one step. */
#ifndef TAGOUT_PERSISTENCE_REDIS_SCRIPTS_H
#define TAGOUT_PERSISTENCE_REDIS_SCRIPTS_H

/* C9.1. KEYS: the machine's hash, `<p>:epoch`. ARGV: epoch, rev, then field, value, ... Answers
 * "OK", "EPOCH n" or "VERSION n m" with what is stored. */
extern const char redis_save_script[];

/* C12. KEYS: `<p>:lease`, `<p>:epoch`. ARGV: "take", "renew" or "release", token, id, duration in
 * ms, the epoch that it goes with; to take also Unix time in seconds, the highest epoch heard, "1"
 * to take over what is under the same id. Answers "OURS epoch", "OTHER epoch remaining_ms id" or
 * "FREE epoch". */
extern const char redis_lease_script[];

#endif
