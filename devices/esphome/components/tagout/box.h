// The firmware's ESPHome half: connects devices/device.h to pins, readers, display and MQTT.
//
// Whatever can be decided without ESPHome is decided elsewhere (devices/device.c,
// devices/esphome/*.c). Everything here runs in ESPHome's main loop, except watch().
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <esphome/components/esphome/ota/ota_esphome.h>
#include <esphome/components/light/light_state.h>
#include <esphome/components/mqtt/mqtt_client.h>
#include <esphome/components/sensor/sensor.h>
#include <esphome/core/component.h>
#include <esphome/core/gpio.h>
#include <esphome/core/preferences.h>

#include "devices/device.h"
#include "devices/esphome/guard.h"
#include "devices/esphome/memory.h"
#include "devices/esphome/slot.h"
#include "devices/esphome/wire.h"

namespace esphome::tagout
{

class Box : public Component
{
  public:
    // Called by the generated code, before setup().
    void set_machine(const char *prefix, const char *machine);
    void set_mqtt(mqtt::MQTTClientComponent *mqtt)
    {
        this->mqtt_ = mqtt;
    }
    void set_fw(const char *fw)
    {
        this->extra_.fw = fw;
    }
    void set_relay_pin(int relay, GPIOPin *pin)
    {
        this->relay_pins_[relay] = pin;
    }
    void set_contact_pin(int relay, GPIOPin *pin)
    {
        this->contact_pins_[relay] = pin;
    }
    void set_button_pin(GPIOPin *pin)
    {
        this->button_pin_ = pin;
    }
    void set_button_led_pin(GPIOPin *pin)
    {
        this->button_led_pin_ = pin;
    }
    void set_card_present_pin(GPIOPin *pin)
    {
        this->card_pin_ = pin;
    }
    void set_reader(slot_kind kind, Component *reader);
    void set_display(PollingComponent *display)
    {
        this->display_ = display;
    }
    void set_status_light(light::LightState *light)
    {
        this->light_ = light;
    }
    void set_wifi_signal(sensor::Sensor *sensor)
    {
        this->wifi_signal_ = sensor;
    }
    void set_temperature(sensor::Sensor *sensor)
    {
        this->temperature_ = sensor;
    }
    void set_current(sensor::Sensor *sensor)
    {
        this->current_ = sensor;
    }
    void set_updates(ESPHomeOTAComponent *ota, const char *password);
    void set_emergency_salt(const char *salt)
    {
        this->salt_ = salt;
    }
    void add_emergency_card(const char *hash)
    {
        this->emergency_cards_.emplace_back(hash);
    }

    // Called from the YAML files.
    void card(const std::string &number);
    void card_removed();
    void update_begins();
    void update_failed();
    const char *lcd(int line) const
    {
        return this->lcd_[line];
    }

    void setup() override;
    void loop() override;
    void dump_config() override;
    float get_setup_priority() const override;

    // Since the boot; never wraps.
    static uint64_t now_ms();

    // One look of the watching task at the button and the card-present line.
    void watch(uint32_t now_ms);

  protected:
    // The broker's messages.
    void take_command_(const std::string &payload);
    void take_probe_(const std::string &payload);
    void take_restart_(const std::string &payload);
    bool publish_(const char *what, const char *payload, size_t length, uint8_t qos, bool retain);

    // What each turn of the loop does.
    void hear_();
    void read_card_(uint64_t now_ms);
    void read_contacts_(uint64_t now_ms);
    void follow_link_(uint64_t now_ms);
    void show_(uint64_t now_ms);
    void lock_updates_();

    void set_up_pins_();
    void load_();
    void step_(const device_event &event);
    void step_(device_event_type type);
    void boot_();
    void put_relays_(const bool relays[DEVICE_RELAYS]);
    void write_relays_();
    void save_();
    void perform_(const device_outputs &outputs);
    void send_report_(const device_report &report);
    void log_refusals_(const device_outputs &outputs, bool command);
    bool is_emergency_card_(const char *number) const;
    bool is_idle_() const;

    device_config config_{};
    device device_{};
    slot slot_{};
    memory memory_{};
    ESPPreferenceObject preference_;
    wire_extra extra_{};
    wire_command command_{};

    // Shared with the watching task, as the relays' pins are.
    std::mutex mutex_;
    guard guard_{};
    bool put_[DEVICE_RELAYS]{}; // what the device wanted last

    mqtt::MQTTClientComponent *mqtt_{nullptr};
    std::string topic_; // up to the machine's name, with the last slash
    bool want_connection_{false};
    bool connected_{false};
    uint64_t connected_ms_{0};
    uint64_t deadline_ms_{0};
    uint64_t reboot_ms_{0}; // 0: none is due
    uint32_t restart_id_{0};

    GPIOPin *relay_pins_[DEVICE_RELAYS]{};
    GPIOPin *contact_pins_[DEVICE_RELAYS]{};
    GPIOPin *button_pin_{nullptr};
    GPIOPin *button_led_pin_{nullptr};
    GPIOPin *card_pin_{nullptr};
    guard_line contacts_[DEVICE_RELAYS]{};
    bool contacts_told_[DEVICE_RELAYS]{};

    Component *reader_{nullptr};
    bool reader_ok_{true};
    slot_reading told_reading_{SLOT_UNKNOWN};
    char told_card_[DEVICE_CARD_SIZE]{};
    bool told_emergency_{false};
    uint64_t told_ms_{0};

    PollingComponent *display_{nullptr};
    char lcd_[DEVICE_LCD_LINES][DEVICE_LCD_COLUMNS + 1]{};
    bool lcd_changed_{true};
    uint64_t lcd_ms_{0};
    bool button_led_{false};
    bool button_led_blinks_{false};
    light::LightState *light_{nullptr};
    device_led led_{};
    float lit_[4]{-1, -1, -1, -1};

    sensor::Sensor *wifi_signal_{nullptr};
    sensor::Sensor *temperature_{nullptr};
    sensor::Sensor *current_{nullptr};

    ESPHomeOTAComponent *ota_{nullptr};
    std::string password_;
    bool updates_open_{true};
    const char *salt_{""};
    std::vector<std::string> emergency_cards_;
};

} // namespace esphome::tagout
