// The card reader, the display and the lights.
#include <cstring>
#include <string>

#include <esphome/components/sha256/sha256.h>

#include "box.h"

namespace esphome::tagout
{

static constexpr uint64_t BLINK_MS = 500;
// Noise of the machine garbles a display now and then: it is written again even if nothing changed.
static constexpr uint64_t LCD_AGAIN_MS = 10000;
static constexpr uint64_t READING_AGAIN_MS = 250;
static constexpr size_t CARD_DIGITS = 10; // as the controller pads a number (C3)

void Box::card(const std::string &number)
{
    slot_tag(&this->slot_, number.c_str(), now_ms());
}

void Box::card_removed()
{
    slot_removed(&this->slot_);
}

bool Box::is_emergency_card_(const char *number) const
{
    std::string text = this->salt_;
    size_t length = strlen(number);
    sha256::SHA256 hash;
    bool found = false;

    if (this->emergency_cards_.empty()) {
        return false;
    }
    text.append(length < CARD_DIGITS ? CARD_DIGITS - length : 0, '0');
    text.append(number);
    hash.init();
    hash.add(reinterpret_cast<const uint8_t *>(text.data()), text.size());
    hash.calculate();
    for (const auto &card : this->emergency_cards_) {
        found = hash.equals_hex(card.c_str()) || found;
    }
    return found;
}

// Told when it changes, and now and then: after a boot, or when the reader came back, the device
// wants to hear once more what is so.
void Box::read_card_(uint64_t now_ms)
{
    bool ok = this->reader_ == nullptr ||
              !(this->reader_->is_failed() || this->reader_->status_has_warning());
    slot_reading reading = slot_read(&this->slot_, now_ms);
    device_event event{};

    if (ok != this->reader_ok_) {
        this->reader_ok_ = ok;
        this->step_(ok ? DEVICE_EVENT_READER_BACK : DEVICE_EVENT_READER_LOST);
    }
    if (!ok && this->slot_.kind != SLOT_LINE) {
        return;
    }
    if (reading == this->told_reading_ && strcmp(this->slot_.card, this->told_card_) == 0 &&
        now_ms - this->told_ms_ < READING_AGAIN_MS) {
        return;
    }
    if (reading == SLOT_CARD && strcmp(this->slot_.card, this->told_card_) != 0) {
        this->told_emergency_ = this->is_emergency_card_(this->slot_.card);
    }
    memcpy(this->told_card_, this->slot_.card, sizeof this->told_card_);
    this->told_reading_ = reading;
    this->told_ms_ = now_ms;
    if (reading == SLOT_UNKNOWN) {
        return;
    }
    event.type = reading == SLOT_CARD ? DEVICE_EVENT_CARD_IN : DEVICE_EVENT_CARD_OUT;
    if (reading == SLOT_CARD) {
        event.card.card = this->told_card_;
        event.card.emergency = this->told_emergency_;
    }
    this->step_(event);
}

void Box::show_(uint64_t now_ms)
{
    bool bright = now_ms / BLINK_MS % 2 == 0;
    bool lit = this->led_.brightness > 0 && (bright || !this->led_.blink);
    float light[4] = {
        this->led_.rgb[0], this->led_.rgb[1], this->led_.rgb[2],
        lit ? this->led_.brightness : 0.0F};

    if (this->button_led_pin_ != nullptr) {
        this->button_led_pin_->digital_write(
            this->button_led_ && (bright || !this->button_led_blinks_));
    }
    if (this->light_ != nullptr && memcmp(light, this->lit_, sizeof light) != 0) {
        bool on = light[3] > 0 && light[0] + light[1] + light[2] > 0;
        auto call = this->light_->make_call();

        memcpy(this->lit_, light, sizeof light);
        call.set_state(on);
        if (on) {
            call.set_rgb(light[0], light[1], light[2]);
            call.set_brightness(light[3]);
        }
        call.set_transition_length(0);
        call.set_save(false);
        call.perform();
    }
    if (this->display_ != nullptr && this->display_->is_ready() &&
        (this->lcd_changed_ || now_ms - this->lcd_ms_ >= LCD_AGAIN_MS)) {
        this->lcd_changed_ = false;
        this->lcd_ms_ = now_ms;
        this->display_->update();
    }
}

} // namespace esphome::tagout
