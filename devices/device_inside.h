/* What the files of the device share among themselves. */
#ifndef TAGOUT_DEVICES_DEVICE_INSIDE_H
#define TAGOUT_DEVICES_DEVICE_INSIDE_H

#include "devices/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* No command of this boot that told anything new for 30 s (C7.7). */
bool device_link_gone(const struct device *device);

/* The number that the next new report will have. */
uint32_t device_next_seq(const struct device *device);

/* 0 to below `limit`; 0 for 0. */
uint32_t device_random(struct device *device, uint32_t limit);

/* Reader and Oops button. */
void device_input_boot(struct device *device, const struct device_boot *boot);
void device_input_time(struct device *device);
void device_card_in(
    const struct device_config *config, struct device *device, const struct device_card *card);
void device_card_out(const struct device_config *config, struct device *device);
void device_reader_lost(const struct device_config *config, struct device *device);
void device_reader_back(struct device *device);
void device_button(struct device *device, bool down);

/* A leader that has not heard of the press that was let go, for who had shown it died before
 * anybody else knew (C12): it is told anew. */
void device_press_again(struct device *device);

/* Lets go of an Oops press that the controller has shown to know of (C7.3). */
void device_release_press(struct device *device);

/* Relays. */
void device_cut(struct device *device, int relay);
void device_card_left(struct device *device);
void device_relays_time(struct device *device);
void device_take_command(
    const struct device_config *config, struct device *device, const struct device_command *command,
    struct device_outputs *outputs);

/* Opens an emergency session where one may be (C7.8). */
void device_try_emergency(const struct device_config *config, struct device *device);

/* An emergency card is in, may work, and has to be put in anew. */
bool device_emergency_again(const struct device *device);

/* No relay is on that has lost what it needs. */
void device_enforce(struct device *device);

/* Display and lights. */
void device_view(
    const struct device_config *config, const struct device *device,
    struct device_outputs *outputs);

/* When the display changes by itself. */
uint64_t device_view_deadline(const struct device_config *config, const struct device *device);

#ifdef __cplusplus
}
#endif

#endif
