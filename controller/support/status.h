/* What a call that can fail returns. It cannot be dropped by mistake, and it has a text.
 *
 * A function that returns a status leaves its `ret_` outputs untouched unless it returns
 * STATUS_OK. Where the reader needs a place and a reason (configuration, payloads), the function
 * takes a `struct text *why` as well and puts one line without a newline there.
 */
#ifndef TAGOUT_SUPPORT_STATUS_H
#define TAGOUT_SUPPORT_STATUS_H

#define STATUS_LIST(X)                                                                             \
    X(STATUS_OK, "ok")                                                                             \
    X(STATUS_NO_MEMORY, "out of memory")                                                           \
    X(STATUS_INVALID, "invalid")                                                                   \
    X(STATUS_TOO_LONG, "too long")                                                                 \
    X(STATUS_NOT_FOUND, "not found")                                                               \
    X(STATUS_FULL, "full")                                                                         \
    X(STATUS_BUSY, "busy")                                                                         \
    X(STATUS_DISCONNECTED, "not connected")                                                        \
    X(STATUS_IO, "input/output error")

#define STATUS_ENUM(name, text) name,
enum status {
    STATUS_LIST(STATUS_ENUM)
};
#undef STATUS_ENUM

#define MUST_USE __attribute__((warn_unused_result))

/* A constant text in lower case, for the end of a message. */
const char *status_text(enum status status);

#endif
