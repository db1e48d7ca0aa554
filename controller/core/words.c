/* Enums and their words on the wire. */
#include <string.h>

#include "controller/core/effect.h"
#include "controller/core/machine.h"

#define WORD(name, word) [name] = word,
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const char *const mode_words[] = {CORE_MODE_LIST(WORD)};
static const char *const second_words[] = {CORE_SECOND_LIST(WORD)};
static const char *const observed_words[] = {CORE_OBSERVED_LIST(WORD)};
static const char *const health_words[] = {CORE_HEALTH_LIST(WORD)};
static const char *const fault_words[] = {CORE_FAULT_LIST(WORD)};
static const char *const notice_words[] = {CORE_NOTICE_LIST(WORD)};
static const char *const source_words[] = {CORE_SOURCE_LIST(WORD)};
static const char *const reason_words[] = {CORE_REASON_LIST(WORD)};
static const char *const rule_words[] = {CORE_RULE_LIST(WORD)};
static const char *const restart_words[] = {CORE_RESTART_LIST(WORD)};

/* A value that is none of its enum has no word; it must not reach beyond the table. */
static const char *word_at(const char *const words[], size_t count, size_t index)
{
    return index < count ? words[index] : NULL;
}

/* `count` when it is none of them. A NULL in the table is found by NULL. */
static size_t find_word(const char *const words[], size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (word == NULL ? words[i] == NULL : words[i] != NULL && strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return count;
}

const char *core_mode_text(enum core_mode mode)
{
    return word_at(mode_words, COUNT_OF(mode_words), (size_t)mode);
}

bool core_mode_parse(const char *word, enum core_mode *ret_mode)
{
    size_t found = find_word(mode_words, COUNT_OF(mode_words), word);

    if (found == COUNT_OF(mode_words)) {
        return false;
    }
    *ret_mode = (enum core_mode)found;
    return true;
}

const char *core_second_text(enum core_second second)
{
    return word_at(second_words, COUNT_OF(second_words), (size_t)second);
}

bool core_second_parse(const char *word, enum core_second *ret_second)
{
    size_t found = find_word(second_words, COUNT_OF(second_words), word);

    if (found == COUNT_OF(second_words)) {
        return false;
    }
    *ret_second = (enum core_second)found;
    return true;
}

const char *core_observed_text(enum core_observed observed)
{
    return word_at(observed_words, COUNT_OF(observed_words), (size_t)observed);
}

const char *core_health_text(enum core_health health)
{
    return word_at(health_words, COUNT_OF(health_words), (size_t)health);
}

bool core_health_parse(const char *word, enum core_health *ret_health)
{
    size_t found = find_word(health_words, COUNT_OF(health_words), word);

    if (found == COUNT_OF(health_words)) {
        return false;
    }
    *ret_health = (enum core_health)found;
    return true;
}

const char *core_fault_text(enum core_fault_index fault)
{
    return word_at(fault_words, COUNT_OF(fault_words), (size_t)fault);
}

bool core_fault_parse(const char *word, enum core_fault_index *ret_fault)
{
    size_t found = find_word(fault_words, COUNT_OF(fault_words), word);

    if (found == COUNT_OF(fault_words)) {
        return false;
    }
    *ret_fault = (enum core_fault_index)found;
    return true;
}

const char *core_notice_text(enum core_notice_type type)
{
    return word_at(notice_words, COUNT_OF(notice_words), (size_t)type);
}

const char *core_source_text(enum core_source source)
{
    return word_at(source_words, COUNT_OF(source_words), (size_t)source);
}

const char *core_reason_text(enum core_reason reason)
{
    return word_at(reason_words, COUNT_OF(reason_words), (size_t)reason);
}

const char *core_rule_text(enum core_rule rule)
{
    return word_at(rule_words, COUNT_OF(rule_words), (size_t)rule);
}

const char *core_restart_text(enum core_restart restart)
{
    return word_at(restart_words, COUNT_OF(restart_words), (size_t)restart);
}
