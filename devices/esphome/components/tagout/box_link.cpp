// The broker and updates.
#include <cmath>
#include <cstdio>
#include <cstring>

#include <esphome/core/helpers.h>
#include <esphome/core/log.h>

#include "box.h"

namespace esphome::tagout
{

static const char *const TAG = "tagout.link";

static float reading(const sensor::Sensor *sensor)
{
    return sensor != nullptr ? sensor->state : NAN;
}

// As people read it: -50 dB and better is all, -100 dB is nothing.
static float percent(float signal_db)
{
    float percent = 2.0F * (signal_db + 100.0F);

    return percent < 0.0F ? 0.0F : percent > 100.0F ? 100.0F : percent;
}

bool Box::publish_(const char *what, const char *payload, size_t length, uint8_t qos, bool retain)
{
    std::string topic = this->topic_ + what;

    return length > 0 && this->mqtt_->publish(topic.c_str(), payload, length, qos, retain);
}

// One that is lost is sent again when it stays unanswered.
void Box::send_report_(const device_report &report)
{
    char payload[WIRE_REPORT_SIZE];

    this->extra_.wifi_signal_db = reading(this->wifi_signal_);
    this->extra_.wifi_signal_percent = percent(this->extra_.wifi_signal_db);
    this->extra_.internal_temperature_c = reading(this->temperature_);
    this->extra_.amps = reading(this->current_);
    this->publish_("report", payload, wire_report(&report, &this->extra_, payload), 1, false);
}

// The client is started by the first attempt that the device asks for, so that a shop that comes
// back from a power cut does not come all at once; from then on it reconnects by itself.
void Box::follow_link_(uint64_t now_ms)
{
    bool connected = this->mqtt_->is_connected();

    if (this->want_connection_ && this->mqtt_->is_ready()) {
        this->mqtt_->enable();
    }
    if (connected == this->connected_) {
        return;
    }
    this->connected_ = connected;
    this->connected_ms_ = now_ms;
    this->step_(connected ? DEVICE_EVENT_LINK_UP : DEVICE_EVENT_LINK_DOWN);
}

// What the button and the card did comes first, whatever was quicker.
void Box::take_command_(const std::string &payload)
{
    device_event event{};

    if (payload.empty()) {
        return; // C7.2
    }
    if (!wire_read_command(payload.data(), payload.size(), &this->command_)) {
        ESP_LOGW(TAG, "Ignored a command that is none");
        return;
    }
    this->hear_();
    event.type = DEVICE_EVENT_COMMAND;
    event.command = this->command_.command;
    this->step_(event);
}

void Box::take_probe_(const std::string &payload)
{
    device_event event{};
    bool force = false;

    event.type = DEVICE_EVENT_PROBE;
    if (wire_read_id(payload.data(), payload.size(), &event.probe_id, &force)) {
        this->step_(event);
    }
}

void Box::take_restart_(const std::string &payload)
{
    device_event event{};

    event.type = DEVICE_EVENT_RESTART;
    if (!wire_read_id(payload.data(), payload.size(), &event.restart.id, &event.restart.force)) {
        return;
    }
    if (memory_knows_restart(&this->memory_, event.restart.id, now_ms() - this->connected_ms_)) {
        ESP_LOGW(TAG, "Ignored a restart that was obeyed before: a retained message?");
        return;
    }
    this->restart_id_ = event.restart.id;
    this->step_(event);
    this->restart_id_ = 0;
}

bool Box::is_idle_() const
{
    return !this->device_.relays[0].on && !this->device_.relays[1].on &&
           this->device_.relays[0].start_ms == DEVICE_NEVER &&
           this->device_.reader != DEVICE_READER_CARD && !this->device_.button_down;
}

// ESPHome cannot refuse an update, but it asks for a password before it takes one: while the
// machine is in use nobody knows it.
void Box::lock_updates_()
{
    bool idle = this->is_idle_();
    char unknown[33];

    if (this->ota_ == nullptr || idle == this->updates_open_) {
        return;
    }
    this->updates_open_ = idle;
    for (size_t i = 0; i < 4; i++) {
        snprintf(
            unknown + 8 * i, sizeof unknown - 8 * i, "%08lx",
            static_cast<unsigned long>(random_uint32()));
    }
    this->ota_->set_auth_password(idle ? this->password_ : std::string(unknown));
}

// An update stops the loop until it is done: the box goes in good order, and no alarm is raised.
void Box::update_begins()
{
    this->publish_("link", "offline", strlen("offline"), 1, true);
    device_text_fold(this->lcd_, "Updating...\nNot in service");
    if (this->display_ != nullptr) {
        this->display_->update();
    }
    this->lcd_changed_ = true;
}

void Box::update_failed()
{
    this->publish_("link", "online", strlen("online"), 1, true);
    this->connected_ = false; // and so connected anew: all of the state is told again
    this->step_(DEVICE_EVENT_LINK_DOWN);
}

} // namespace esphome::tagout
