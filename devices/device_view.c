/* What people see: the display's two lines and the two lights. */
#include <string.h>

#include "devices/device_inside.h"

static bool is_starting(const struct device *device)
{
    return device->relays[0].start_ms != DEVICE_NEVER || device->relays[1].start_ms != DEVICE_NEVER;
}

static uint64_t start_ms(const struct device *device)
{
    uint64_t first = device->relays[0].start_ms;
    uint64_t second = device->relays[1].start_ms;

    return first < second ? first : second;
}

/* The card that is in was told of, and no answer has come. */
static bool is_checking(const struct device *device)
{
    return device->reader == DEVICE_READER_CARD && device->answered_seq < device->card_seq;
}

static bool is_late(const struct device_config *config, const struct device *device)
{
    return device->now_ms - device->card_ms > config->on_window_ms;
}

static void show_start(const struct device *device, struct device_outputs *outputs)
{
    uint64_t seconds = (start_ms(device) - device->now_ms + 999) / 1000;
    char text[] = "STARTS in 000 s\nSTAND CLEAR";
    char *digits = text + strlen("STARTS in ");
    int i;

    if (seconds > 999) {
        seconds = 999;
    }
    for (i = 2; i >= 0; i--) {
        digits[i] = (char)('0' + seconds % 10);
        seconds /= 10;
    }
    i = digits[0] != '0' ? 0 : digits[1] != '0' ? 1 : 2;
    memmove(digits, digits + i, strlen(digits + i) + 1);
    device_text_fold(outputs->lcd, text);
}

/* The words of the device itself, or NULL when the controller's stand. */
static const char *own_words(const struct device_config *config, const struct device *device)
{
    bool gone = device_link_gone(device);

    if (!device->running) {
        return "Restarting...";
    }
    if (device->keep.press && !device->press_heard) {
        return gone ? "OOPS: power off\nNo server" : "OOPS: power off\nTelling staff...";
    }
    if (device->emergency && gone) {
        return "EMERGENCY\nCARD IN USE";
    }
    if (device->again || device_emergency_again(device)) {
        return "Card out, then\nin again";
    }
    if (gone) {
        return "No server\nAsk a manager";
    }
    if (is_checking(device)) {
        return is_late(config, device) ? "No answer: card\nout and in again" : "Checking card...";
    }
    return device->has_applied ? NULL : "Connecting...";
}

static void set_led(struct device_led *led, float red, float green, float blue, bool blink)
{
    led->rgb[0] = red;
    led->rgb[1] = green;
    led->rgb[2] = blue;
    led->brightness = 0.5f;
    led->blink = blink;
}

static void light(const struct device *device, struct device_outputs *outputs)
{
    struct device_led *led = &outputs->status_led;

    outputs->oops_led = device->keep.press || device->shown_oops;
    outputs->oops_led_blink = device->keep.press && !device->press_heard;
    *led = device->shown_led;
    if (outputs->oops_led_blink) {
        set_led(led, 1.0f, 0.0f, 0.0f, true);
    } else if (is_starting(device)) {
        set_led(led, 1.0f, 0.5f, 0.0f, true);
        led->brightness = 1.0f;
    } else if (device->emergency) {
        set_led(led, 0.0f, 1.0f, 0.0f, false);
    } else if (device_link_gone(device)) {
        set_led(led, 0.0f, 0.0f, 1.0f, true);
    } else if (device->again) {
        set_led(led, 1.0f, 0.5f, 0.0f, false);
    }
}

void device_view(
    const struct device_config *config, const struct device *device, struct device_outputs *outputs)
{
    const char *words = own_words(config, device);

    light(device, outputs);
    if (device->running && is_starting(device)) {
        show_start(device, outputs);
    } else if (words) {
        device_text_fold(outputs->lcd, words);
    } else {
        memcpy(outputs->lcd, device->shown, sizeof outputs->lcd);
    }
}

uint64_t device_view_deadline(const struct device_config *config, const struct device *device)
{
    if (is_starting(device)) {
        /* The countdown's next whole second. */
        return device->now_ms + (start_ms(device) - device->now_ms - 1) % 1000 + 1;
    }
    if (is_checking(device) && !is_late(config, device)) {
        return device->card_ms + config->on_window_ms + 1;
    }
    return DEVICE_NEVER;
}
