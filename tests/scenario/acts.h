/* What can happen in a scenario, beside what devices tell (device.h).
 *
 *   machine …, user …, setting …              see shop.h; also later, for the next reload
 *   machine table-saw leaves                  user Ada leaves
 *   file users.json is '…'                    files are as declared / are slow / are read
 *   start                                     waits until the controller is ready
 *   controller starts / begins to start / is killed / is killed and starts again / stops
 *   SIGHUP                                    wall clock jumps [back] 1 h
 *   broker is lost / is back / restarts empty / forgets everything / grants nothing
 *   broker is copied / is restored from the copy
 *   [retained] message TOPIC 'PAYLOAD'        Home Assistant sets lockout table-saw ON
 *   Redis goes down [after the saves] / is back / freezes / thaws / is wiped
 *   Redis refuses [to save] / accepts / saves again
 *   Redis holds table-saw lockout on by Bob rev +5      another controller's record
 *   another controller takes over
 *   request …                                 see request_acts.c
 *   after 10 s                                also ms, min, h
 *   at once … done                            what is between arrives in one turn
 */
#ifndef TAGOUT_SCENARIO_ACTS_H
#define TAGOUT_SCENARIO_ACTS_H

#include "tests/scenario/world.h"

/* False when the words are none of these. */
bool act_declare(struct world *world, struct words *words);
bool act_controller(struct world *world, struct words *words);
bool act_broker(struct world *world, struct words *words);
bool act_redis(struct world *world, struct words *words);
bool act_request(struct world *world, struct words *words);

#endif
