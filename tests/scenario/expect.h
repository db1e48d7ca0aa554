/* What a scenario expects of its last act. A message answers to one expectation only; those of
 * one kind are taken in the order in which they were published.
 *
 *   expect table-saw relay on display "Welcome,|Ada" light green    a new command
 *   expect table-saw still relay on                                 the command that is retained
 *   expect state table-saw user Ada          the state that is retained; `cleared`: there is none
 *   expect event login user Ada              the next event; keys as in C8.2
 *   expect answer ok changed yes             the next answer; keys of its data, error, transaction
 *   expect save_timeout machine table-saw    the next message on fleet/save_timeout
 *   expect telemetry table-saw amps 3
 *   expect status redis up                   the controller's retained status
 *   expect stored table-saw oops yes         what Redis holds; `missing`: nothing
 *   expect ready / not ready
 *   expect counter bad_reports 1             since the controller started
 *   expect log "text" / no log "text"
 *   expect no state [table-saw]              also: command, event, answer, save_timeout, telemetry
 *   expect nothing                           no command, event, answer or save_timeout besides
 *                                            those that were expected
 */
#ifndef TAGOUT_SCENARIO_EXPECT_H
#define TAGOUT_SCENARIO_EXPECT_H

#include "tests/scenario/world.h"

void expect(struct world *world, struct words *words);

#endif
