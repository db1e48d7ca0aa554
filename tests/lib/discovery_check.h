/* Home Assistant's rules for a device discovery message, as closed tables: read in its sources
 * (schemas.py and the platforms' own of its mqtt integration, from 2024.12 on).
 *
 * It drops a component's unknown keys without a word, so that only a check of ours finds a
 * misspelt one.
 */
#ifndef TAGOUT_TESTS_DISCOVERY_CHECK_H
#define TAGOUT_TESTS_DISCOVERY_CHECK_H

#include "controller/support/json.h"

/* Fails the test, and names the place, when the message breaks a rule. The document is returned,
 * to be freed by json_free. */
struct json *discovery_check(const char *payload);

/* A component's string, "" where it has none. */
const char *discovery_string(const struct json *component, const char *key);

#endif
