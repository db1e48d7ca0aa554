/* The declared shop as files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/support/json.h"
#include "tests/scenario/shop.h"

#define BYTES_MAX 65536

void shop_path(const struct shop *shop, const char *file, char path[600])
{
    struct text text = text_over(path, 600);

    text_addf(&text, "%s/%s", shop->folder, file);
}

/* Torture starts the controller ten thousand times, on the same few files. */
static bool holds_already(const char *path, const char *bytes)
{
    char there[BYTES_MAX];
    FILE *file = fopen(path, "r");
    size_t length;

    if (file == NULL) {
        return false;
    }
    length = fread(there, 1, sizeof there - 1, file);
    there[length] = '\0';
    (void)fclose(file);
    return strcmp(there, bytes) == 0;
}

static void write_file(const struct shop *shop, const char *name, const char *bytes)
{
    char path[600];
    FILE *file;

    shop_path(shop, name, path);
    if (holds_already(path, bytes)) {
        return;
    }
    file = fopen(path, "w");
    if (file == NULL || fputs(bytes, file) < 0 || fclose(file) != 0) {
        fprintf(stderr, "tagout-scenario: cannot write %s\n", path);
        abort();
    }
}

static void print_list(struct json_out *out, const char *key, const struct shop_list *list)
{
    json_out_open(out, key, '[');
    for (size_t i = 0; i < list->count; i++) {
        json_out_string(out, NULL, list->items[i]);
    }
    json_out_close(out, ']');
}

static void print_relay(struct json_out *out, const struct shop_relay *relay)
{
    print_list(out, "authorizations_or", &relay->needs);
    json_out_bool(out, "unauthorized_warn_only", relay->warns_only);
    json_out_bool(out, "always_enabled", relay->always_on);
    if (relay->alias != NULL) {
        json_out_string(out, "alias", relay->alias);
    }
}

static void print_machines(const struct shop *shop, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '{');
    for (size_t i = 0; i < shop->machine_count; i++) {
        const struct shop_machine *machine = &shop->machines[i];
        json_out_open(&out, machine->name, '{');
        print_relay(&out, &machine->relay);
        if (machine->idle_amps != NULL) {
            json_out_number(&out, "idle_amps", strtod(machine->idle_amps, NULL), 3);
        }
        if (machine->has_second) {
            json_out_open(&out, "second_relay", '{');
            print_relay(&out, &machine->second);
            json_out_close(&out, '}');
        }
        json_out_close(&out, '}');
    }
    json_out_close(&out, '}');
}

static void print_users(const struct shop *shop, struct text *text)
{
    struct json_out out = json_out(text);

    json_out_open(&out, NULL, '[');
    for (size_t i = 0; i < shop->user_count; i++) {
        const struct shop_user *user = &shop->users[i];
        json_out_open(&out, NULL, '{');
        print_list(&out, "fob_codes", &user->cards);
        json_out_string(&out, "account_id", user->account);
        json_out_string(&out, "full_name", user->name);
        json_out_string(&out, "first_name", user->name);
        json_out_string(&out, "last_name", "");
        json_out_string(&out, "preferred_name", user->name);
        json_out_string(&out, "email", "");
        json_out_string(&out, "expiration_ymd", "");
        print_list(&out, "authorizations", &user->has);
        json_out_bool(&out, "oops_override", user->may_override);
        json_out_close(&out, '}');
    }
    json_out_close(&out, ']');
}

static void print_settings(const struct shop *shop, struct text *text)
{
    text_addf(
        text, "[controller]\nid = a\nprefix = tagout\nmachines = machines.json\n"
              "users = users.json\n");
    for (size_t i = 0; i < shop->setting_count; i++) {
        char *const *words = shop->settings[i]->words;
        text_addf(text, "[%s]\n%s = %s\n", words[1], words[2], words[3]);
    }
}

void shop_write(const struct shop *shop)
{
    char bytes[BYTES_MAX];
    struct text text = text_over(bytes, sizeof bytes);

    print_settings(shop, &text);
    write_file(shop, "tagout.ini", bytes);
    text_clear(&text);
    print_machines(shop, &text);
    write_file(shop, "machines.json", shop->machines_file != NULL ? shop->machines_file : bytes);
    text_clear(&text);
    print_users(shop, &text);
    write_file(shop, "users.json", shop->users_file != NULL ? shop->users_file : bytes);
}
