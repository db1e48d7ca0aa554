#include "controller/support/card.h"

#include <string.h>

void card_pad(char padded[CARD_SIZE], const char *card)
{
    size_t length = strnlen(card, CARD_LENGTH_MAX);
    size_t zeros = length > 0 && length < CARD_PADDED_LENGTH ? CARD_PADDED_LENGTH - length : 0;

    memset(padded, '0', zeros);
    memcpy(padded + zeros, card, length);
    padded[zeros + length] = '\0';
}
