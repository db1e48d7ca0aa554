/* Words for a display of two lines of 16 characters that knows nothing but ASCII. */
#ifndef TAGOUT_DEVICES_DEVICE_TEXT_H
#define TAGOUT_DEVICES_DEVICE_TEXT_H

#ifdef __cplusplus
extern "C" {
#endif

#define DEVICE_LCD_LINES 2
#define DEVICE_LCD_COLUMNS 16

/* Writes UTF-8 text, its lines separated by \n, as printable ASCII: Latin letters lose their
 * accents, anything else becomes a question mark, what does not fit is cut. */
void device_text_fold(char lines[DEVICE_LCD_LINES][DEVICE_LCD_COLUMNS + 1], const char *text);

#ifdef __cplusplus
}
#endif

#endif
