/* Memory that runs out at a moment of the test's choice. Only in programs that are linked with
 * --wrap for each function of failing_memory.c; what libraries ask for themselves never fails. */
#ifndef TAGOUT_TESTS_FAILING_MEMORY_H
#define TAGOUT_TESTS_FAILING_MEMORY_H

#include <stdbool.h>

/* The `nth` call from now on, of any thread, gets none; and so do all that follow, if `for_good`.
 */
void failing_memory_order(unsigned nth, bool for_good);

/* There is memory again. Whether any call got none since the order. */
bool failing_memory_end(void);

#endif
