/* Card numbers. Readers strip leading zeros, files keep them or not: compared padded (C3). */
#ifndef TAGOUT_SUPPORT_CARD_H
#define TAGOUT_SUPPORT_CARD_H

#define CARD_LENGTH_MAX 64
#define CARD_SIZE (CARD_LENGTH_MAX + 1)
#define CARD_PADDED_LENGTH 10

/* Left-pads a card number with `0` to 10 characters; longer ones and "" are copied, and what is
 * longer than CARD_LENGTH_MAX is cut. */
void card_pad(char padded[CARD_SIZE], const char *card);

#endif
