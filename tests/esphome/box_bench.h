// A box on a bench: fake pins, a fake broker, a clock that is turned by hand, and flash that keeps
// what was synced. The watching task and the main loop are turned separately, so that a loop that
// hangs is one that is not turned.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "devices/esphome/components/tagout/box.h"

namespace bench
{

struct Pin : esphome::GPIOPin {
    void setup() override
    {
        this->set_up = true;
    }
    bool digital_read() override
    {
        return this->level;
    }
    void digital_write(bool value) override
    {
        this->level = value;
        this->went_high = this->went_high || value;
        this->low_before_set_up = this->low_before_set_up || (!this->set_up && !value);
    }
    bool level{false};
    bool set_up{false};
    bool went_high{false};
    bool low_before_set_up{false};
};

struct Display : esphome::PollingComponent {
    void update() override
    {
        this->updates++;
    }
    int updates{0};
};

struct Options {
    slot_kind kind{SLOT_LINE};
    bool second_relay{false};
    bool contact{false};
};

class Bench
{
  public:
    explicit Bench(Options options = {});

    // Turns the task each millisecond and the loop each ten.
    void run(uint64_t ms);
    void run_without_loop(uint64_t ms);

    void power_cut(); // a new box with the same flash
    void connect();
    void card_in(const std::string &number);
    void card_out();
    // An answer to the last report; its version is above all before. `more` goes in front of it.
    std::string answer(bool on, const std::string &more = "") const;
    void command(const std::string &payload);
    void receive(const std::string &what, const std::string &payload);
    // Booted, connected, answered and empty, then a card put in and its "on" obeyed.
    void session();

    std::string last(const std::string &what) const; // payload; "" if there is none
    size_t count(const std::string &what) const;
    bool retained(const std::string &what) const;
    bool reports(const std::string &part) const; // whether the last report contains it
    void forget()
    {
        this->mqtt.sent.clear();
    }

    Options options;
    Pin relay, second_relay, button, button_led, line, contact;
    Display display;
    esphome::Component reader;
    esphome::light::LightState light;
    esphome::sensor::Sensor amps{0.25F};
    esphome::ESPHomeOTAComponent ota;
    esphome::mqtt::MQTTClientComponent mqtt;
    std::unique_ptr<esphome::tagout::Box> box;

  private:
    void build();
};

// What the box logged, all of it.
extern std::string logged;
extern int64_t clock_us;

} // namespace bench
