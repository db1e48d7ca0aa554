// Boot, the loop, and what the device wants done.
#include "box.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include <esp_system.h>
#include <esp_task_wdt.h>
#include <esp_timer.h>
#include <esphome/core/application.h>
#include <esphome/core/helpers.h>
#include <esphome/core/log.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>

namespace esphome::tagout
{

static const char *const TAG = "tagout";

// Of what is kept in flash: what is there under this number after an update is still ours.
static constexpr uint32_t PREFERENCE = 0x7A60C0DE;

// Below the Wi-Fi's own tasks, above all else. The other core has the Wi-Fi.
static constexpr UBaseType_t WATCH_PRIORITY = 20;
static constexpr BaseType_t WATCH_CORE = 1;
static constexpr uint32_t WATCH_STACK = 3072;

// For the last words to leave: ESPHome sends them from a task that nobody can wait for.
static constexpr uint64_t LAST_WORDS_MS = 600;
static constexpr uint32_t CONTACT_MS = 50; // a contactor bounces

struct stored {
    uint32_t words[MEMORY_WORDS];
};

static const char *reset_reason()
{
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
        return "power on";
    case ESP_RST_EXT:
        return "reset pin";
    case ESP_RST_SW:
        return "software";
    case ESP_RST_PANIC:
        return "panic";
    case ESP_RST_INT_WDT:
        return "interrupt watchdog";
    case ESP_RST_TASK_WDT:
        return "task watchdog";
    case ESP_RST_WDT:
        return "watchdog";
    case ESP_RST_BROWNOUT:
        return "brown-out";
    default:
        return "other";
    }
}

// While flash is being written both cores stand still, this task with them; nothing else keeps it.
static void watch_forever(void *argument)
{
    auto *box = static_cast<Box *>(argument);

    esp_task_wdt_add(nullptr);
    for (;;) {
        box->watch(static_cast<uint32_t>(Box::now_ms()));
        esp_task_wdt_reset();
        vTaskDelay(1);
    }
}

uint64_t Box::now_ms()
{
    return static_cast<uint64_t>(esp_timer_get_time()) / 1000;
}

float Box::get_setup_priority() const
{
    return setup_priority::BUS + 100.0F; // before all others: the relays' pins are not to float
}

void Box::set_machine(const char *prefix, const char *machine)
{
    this->topic_ = std::string(prefix) + "/machine/" + machine + "/";
}

void Box::set_reader(slot_kind kind, Component *reader)
{
    slot_init(&this->slot_, kind);
    this->reader_ = reader;
}

void Box::set_updates(ESPHomeOTAComponent *ota, const char *password)
{
    this->ota_ = ota;
    this->password_ = password;
}

void Box::set_up_pins_()
{
    for (auto *pin : this->relay_pins_) {
        if (pin != nullptr) {
            pin->digital_write(false);
            pin->setup();
            pin->digital_write(false);
        }
    }
    for (auto *pin :
         {this->contact_pins_[0], this->contact_pins_[1], this->button_pin_, this->button_led_pin_,
          this->card_pin_}) {
        if (pin != nullptr) {
            pin->setup();
        }
    }
}

void Box::load_()
{
    stored stored{};

    this->preference_ = global_preferences->make_preference<struct stored>(PREFERENCE, true);
    this->preference_.load(&stored);
    memory_unpack(stored.words, &this->memory_);
}

void Box::setup()
{
    this->set_up_pins_();
    this->load_();
    device_config_default(&this->config_);
    this->config_.card_present_line = this->slot_.kind == SLOT_LINE;
    this->config_.confirm_out_ms = slot_confirm_ms(this->slot_.kind);
    this->config_.second_relay = this->relay_pins_[1] != nullptr;
    this->config_.contact = this->contact_pins_[0] != nullptr;
    this->extra_.reset_reason = reset_reason();
    guard_init(
        &this->guard_, this->card_pin_ != nullptr, this->button_pin_->digital_read(),
        this->card_pin_ != nullptr && this->card_pin_->digital_read(),
        static_cast<uint32_t>(now_ms()));
    this->boot_();
    xTaskCreatePinnedToCore(
        watch_forever, "tagout_watch", WATCH_STACK, this, WATCH_PRIORITY, nullptr, WATCH_CORE);
    this->mqtt_->subscribe(
        this->topic_ + "command",
        [this](const std::string &, const std::string &payload) { this->take_command_(payload); },
        1);
    this->mqtt_->subscribe(
        this->topic_ + "probe",
        [this](const std::string &, const std::string &payload) { this->take_probe_(payload); }, 0);
    this->mqtt_->subscribe(
        this->topic_ + "restart",
        [this](const std::string &, const std::string &payload) { this->take_restart_(payload); },
        1);
}

// A button that is down at the boot, and the card, come as news with the first turn of the loop.
void Box::boot_()
{
    char boot_id[9];
    device_event event{};

    snprintf(boot_id, sizeof boot_id, "%08" PRIx32, random_uint32());
    event.type = DEVICE_EVENT_BOOT;
    event.boot.boot_id = boot_id;
    event.boot.seed = random_uint32();
    event.boot.keep = this->memory_.keep;
    this->step_(event);
}

void Box::dump_config()
{
    ESP_LOGCONFIG(TAG, "Tagout: %s", this->topic_.c_str());
}

void Box::loop()
{
    uint64_t now_ms = Box::now_ms();

    if (this->reboot_ms_ != 0) {
        if (now_ms >= this->reboot_ms_) {
            App.reboot();
        }
        return;
    }
    this->hear_();
    this->read_card_(now_ms);
    this->read_contacts_(now_ms);
    this->follow_link_(now_ms);
    if (now_ms >= this->deadline_ms_) {
        this->step_(DEVICE_EVENT_TICK);
    }
    this->show_(now_ms);
    this->lock_updates_();
}

void Box::watch(uint32_t now_ms)
{
    bool button = this->button_pin_->digital_read();
    bool card = this->card_pin_ != nullptr && this->card_pin_->digital_read();
    std::lock_guard<std::mutex> lock(this->mutex_);

    guard_sample(&this->guard_, button, card, now_ms);
    this->write_relays_();
}

// With the lock held.
void Box::write_relays_()
{
    for (int i = 0; i < DEVICE_RELAYS; i++) {
        if (this->relay_pins_[i] != nullptr) {
            this->relay_pins_[i]->digital_write(this->guard_.relay[i]);
        }
    }
}

void Box::put_relays_(const bool relays[DEVICE_RELAYS])
{
    const bool needs_card[DEVICE_RELAYS] = {
        this->device_.relays[0].needs_card, this->device_.relays[1].needs_card};
    std::lock_guard<std::mutex> lock(this->mutex_);

    memcpy(this->put_, relays, sizeof this->put_);
    guard_put(&this->guard_, relays, needs_card);
    this->write_relays_();
}

// What the task saw, told to the device before anything else is. A second press while the device
// holds the first to be down is a press as well.
void Box::hear_()
{
    guard_news news;

    {
        std::lock_guard<std::mutex> lock(this->mutex_);
        news = guard_look(&this->guard_);
    }
    if (news.pressed) {
        if (this->device_.button_down) {
            this->step_(DEVICE_EVENT_BUTTON_UP);
        }
        this->step_(DEVICE_EVENT_BUTTON_DOWN);
    }
    if (!news.button_down && this->device_.button_down) {
        this->step_(DEVICE_EVENT_BUTTON_UP);
    }
    if (news.card_left) {
        this->step_(DEVICE_EVENT_CARD_OUT);
        this->told_reading_ = SLOT_EMPTY;
    }
    slot_line(&this->slot_, news.card_in, news.card_left);
    std::lock_guard<std::mutex> lock(this->mutex_);
    guard_told(&this->guard_, &news);
}

void Box::read_contacts_(uint64_t now_ms)
{
    bool changed = false;

    if (!this->config_.contact) {
        return;
    }
    for (int i = 0; i < DEVICE_RELAYS; i++) {
        bool closed = this->device_.relays[i].on; // as good as is known without a contact

        if (this->contact_pins_[i] != nullptr) {
            guard_line_follow(
                &this->contacts_[i], this->contact_pins_[i]->digital_read(),
                static_cast<uint32_t>(now_ms), CONTACT_MS);
            closed = this->contacts_[i].level;
        }
        changed = changed || closed != this->contacts_told_[i];
        this->contacts_told_[i] = closed;
    }
    if (changed) {
        device_event event{};

        event.type = DEVICE_EVENT_CONTACT;
        event.contact.relay = this->contacts_told_[0];
        event.contact.second_relay = this->contacts_told_[1];
        this->step_(event);
    }
}

void Box::step_(device_event_type type)
{
    device_event event{};

    event.type = type;
    this->step_(event);
}

void Box::step_(const device_event &event)
{
    device_outputs outputs;
    device_event timed = event;

    timed.now_ms = now_ms();
    device_step(&this->config_, &this->device_, &timed, &outputs);
    this->perform_(outputs);
    this->log_refusals_(outputs, event.type == DEVICE_EVENT_COMMAND);
}

void Box::save_()
{
    stored stored;

    memory_pack(&this->memory_, stored.words);
    // ESPHome would write it within a minute; a press must not be lost to a power cut.
    if (!this->preference_.save(&stored) || !global_preferences->sync()) {
        ESP_LOGE(TAG, "Could not write flash");
    }
}

// Cuts first, then what must be remembered, then what goes on, then messages.
void Box::perform_(const device_outputs &outputs)
{
    if (outputs.save) {
        const bool cut[DEVICE_RELAYS] = {
            outputs.relay[0] && this->put_[0], outputs.relay[1] && this->put_[1]};

        this->put_relays_(cut);
        this->memory_.keep = outputs.keep;
        this->save_();
    }
    this->put_relays_(outputs.relay);
    if (memcmp(this->lcd_, outputs.lcd, sizeof this->lcd_) != 0) {
        memcpy(this->lcd_, outputs.lcd, sizeof this->lcd_);
        this->lcd_changed_ = true;
    }
    this->button_led_ = outputs.oops_led;
    this->button_led_blinks_ = outputs.oops_led_blink;
    this->led_ = outputs.status_led;
    this->deadline_ms_ = outputs.next_deadline_ms;
    this->want_connection_ = this->want_connection_ || outputs.connect;
    if (outputs.send_report) {
        this->send_report_(outputs.report);
    }
    if (outputs.send_pong) {
        char payload[WIRE_PONG_SIZE];

        this->publish_(
            "pong", payload, wire_pong(outputs.pong_id, this->device_.boot_id, payload), 0, false);
    }
    if (outputs.link == DEVICE_LINK_OFFLINE) {
        this->publish_("link", "offline", strlen("offline"), 1, true);
    }
    if (outputs.reboot) {
        ESP_LOGW(TAG, "Restarts");
        if (this->restart_id_ != 0) {
            this->memory_.restart_id = this->restart_id_;
            this->save_();
        }
        this->reboot_ms_ = now_ms() + LAST_WORDS_MS;
    }
}

void Box::log_refusals_(const device_outputs &outputs, bool command)
{
    static const char *const names[] = {"the relay", "the second relay"};

    for (int i = 0; command && i < DEVICE_RELAYS; i++) {
        if (outputs.refused[i] != DEVICE_OBEYED && this->relay_pins_[i] != nullptr) {
            ESP_LOGI(
                TAG, "Refused to switch %s %s: %s", names[i], outputs.refused_on[i] ? "on" : "off",
                device_refusal_text(outputs.refused[i]));
        }
    }
    if (outputs.refused_restart != DEVICE_OBEYED) {
        ESP_LOGI(TAG, "Refused to restart: %s", device_refusal_text(outputs.refused_restart));
    }
}

} // namespace esphome::tagout
