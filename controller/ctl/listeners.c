#include "controller/ctl/listeners.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/file.h"
#include "controller/support/text.h"

#define CONFIGURATION_BYTES_MAX 1000000
#define PATH_SIZE 1024
#define BLANKS " \t\r"
#define WORD_SIZE 64

static const struct listeners shipped = {
    .services = {.plain = 1883, .tls = 8883},
    .people = {.plain = 1884, .tls = 8884},
};

/* The listener that is being read. */
struct listener {
    uint16_t port; /* 0: none yet */
    bool is_services;
    bool has_tls;
};

static void add_listener(const struct listener *listener, struct listeners *listeners)
{
    struct listener_ports *ports =
        listener->is_services ? &listeners->services : &listeners->people;
    uint16_t *port = listener->has_tls ? &ports->tls : &ports->plain;

    *port = *port == 0 ? listener->port : *port; /* of several the first */
}

/* The next word of a line; "" at its end. */
static const char *take_word(const char *at, char ret_word[WORD_SIZE])
{
    struct text word = text_over(ret_word, WORD_SIZE);
    size_t length;

    at += strspn(at, BLANKS);
    length = strcspn(at, BLANKS "\n");
    text_add_bytes(&word, at, length);
    return at + length;
}

/* 0 for what is none, such as a socket's path behind a 0. */
static uint16_t port_of(const char *word)
{
    char *end;
    long port = strtol(word, &end, 10);

    return *end == '\0' && port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void take_line(const char *line, struct listener *listener, struct listeners *listeners)
{
    char key[WORD_SIZE];
    char value[WORD_SIZE];

    (void)take_word(take_word(line, key), value);
    if (strcmp(key, "listener") == 0) {
        add_listener(listener, listeners);
        *listener = (struct listener){.port = port_of(value)};
    } else if (strcmp(key, "use_username_as_clientid") == 0) {
        listener->is_services = strcmp(value, "true") == 0;
    } else if (strcmp(key, "certfile") == 0) {
        listener->has_tls = true;
    }
}

void listeners_parse(const char *text, struct listeners *ret_listeners)
{
    static const struct listeners none;
    struct listeners listeners = none;
    struct listener listener = {.port = 0};

    while (*text != '\0') {
        take_line(text, &listener, &listeners);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    add_listener(&listener, &listeners);
    if (memcmp(&listeners, &none, sizeof none) == 0) {
        listeners = shipped;
    }
    *ret_listeners = listeners;
}

void listeners_read(const char *password_file, struct listeners *ret_listeners)
{
    static const char *const names[] = {"tagout.conf", "conf.d/tagout.conf"};
    const char *slash = strrchr(password_file, '/');
    int folder = slash == NULL ? 0 : (int)(slash - password_file) + 1;
    char *text = NULL;
    size_t length;

    for (size_t i = 0; text == NULL && i < sizeof names / sizeof names[0]; i++) {
        TEXT_LOCAL(path, PATH_SIZE);
        TEXT_LOCAL(ignored, 2 * PATH_SIZE);

        text_addf(&path, "%.*s%s", folder, password_file, names[i]);
        if (path.cut ||
            file_read(path.data, CONFIGURATION_BYTES_MAX, &text, &length, &ignored) != STATUS_OK) {
            text = NULL;
        }
    }
    listeners_parse(text == NULL ? "" : text, ret_listeners);
    free(text);
}
