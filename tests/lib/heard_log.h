/* In the place of controller/support/log.c: nothing is written, each line goes to the program that
 * is tested. */
#ifndef TAGOUT_TESTS_HEARD_LOG_H
#define TAGOUT_TESTS_HEARD_LOG_H

#include <stdarg.h>

#include "controller/support/log.h"

/* The program's own. */
void heard_log(enum log_level level, const char *format, va_list values)
    __attribute__((format(printf, 2, 0)));

#endif
