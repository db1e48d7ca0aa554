#include "tests/esphome/box_bench.h"

#include <cstdarg>
#include <cstdio>

#include <esp_system.h>
#include <esp_task_wdt.h>
#include <esp_timer.h>
#include <esphome/core/application.h>
#include <esphome/core/helpers.h>
#include <esphome/core/log.h>
#include <freertos/task.h>

namespace bench
{
std::string logged;
int64_t clock_us = 5000000;
} // namespace bench

int64_t esp_timer_get_time()
{
    return bench::clock_us;
}

esp_reset_reason_t esp_reset_reason()
{
    return ESP_RST_POWERON;
}

int esp_task_wdt_add(void *)
{
    return 0;
}

int esp_task_wdt_reset()
{
    return 0;
}

void vTaskDelay(uint32_t)
{
}

// The bench turns the task itself.
BaseType_t xTaskCreatePinnedToCore(
    void (*)(void *), const char *, uint32_t, void *, UBaseType_t, void **, BaseType_t)
{
    return 1;
}

namespace esphome
{
Flash flash;
static ESPPreferences preferences;
ESPPreferences *global_preferences = &preferences;
Application App;

bool ESPPreferences::sync()
{
    for (const auto &[key, bytes] : flash.pending) {
        flash.written[key] = bytes;
    }
    flash.pending.clear();
    flash.syncs++;
    return true;
}

uint32_t random_uint32()
{
    static uint32_t state = 12345;

    state = state * 1664525 + 1013904223;
    return state;
}

void log(const char *tag, const char *format, ...)
{
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bench::logged += std::string(tag) + ": " + line + "\n";
}
} // namespace esphome

namespace bench
{

Bench::Bench(Options wanted) : options(wanted)
{
    logged.clear();
    esphome::flash = {};
    esphome::App.reboots = 0;
    this->build();
}

void Bench::build()
{
    this->mqtt = {};
    this->mqtt.mark = [] { return esphome::flash.syncs; };
    this->ota.password = "right";
    this->box = std::make_unique<esphome::tagout::Box>();
    this->box->set_machine("tagout", "saw");
    this->box->set_mqtt(&this->mqtt);
    this->box->set_fw("tagout-esp test");
    this->box->set_relay_pin(0, &this->relay);
    if (this->options.second_relay) {
        this->box->set_relay_pin(1, &this->second_relay);
    }
    if (this->options.contact) {
        this->box->set_contact_pin(0, &this->contact);
    }
    this->box->set_button_pin(&this->button);
    this->box->set_button_led_pin(&this->button_led);
    if (this->options.kind == SLOT_LINE) {
        this->box->set_card_present_pin(&this->line);
    }
    this->box->set_reader(
        this->options.kind, this->options.kind == SLOT_HELD ? &this->reader : nullptr);
    this->box->set_display(&this->display);
    this->box->set_status_light(&this->light);
    this->box->set_current(&this->amps);
    this->box->set_updates(&this->ota, "right");
    this->box->set_emergency_salt("salt");
    this->box->add_emergency_card("salt0000000911");
    this->box->setup();
}

// A box that has restarted is no more.
void Bench::run(uint64_t ms)
{
    int reboots = esphome::App.reboots;

    for (uint64_t i = 0; i < ms && esphome::App.reboots == reboots; i++) {
        clock_us += 1000;
        this->box->watch(static_cast<uint32_t>(clock_us / 1000));
        if (i % 10 == 9 || i + 1 == ms) {
            this->box->loop();
        }
    }
}

void Bench::run_without_loop(uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        clock_us += 1000;
        this->box->watch(static_cast<uint32_t>(clock_us / 1000));
    }
}

void Bench::power_cut()
{
    esphome::flash.pending.clear();
    this->relay = {};
    this->second_relay = {};
    this->build();
}

void Bench::connect()
{
    this->run(4000); // the random delay before the first attempt
    this->mqtt.connected = this->mqtt.enabled;
    this->run(20);
    this->command(this->answer(false));
    this->run(2000);
    this->command(this->answer(false));
    this->run(20);
}

void Bench::card_in(const std::string &number)
{
    this->line.level = true;
    this->run(30);
    this->box->card(number);
    this->run(20);
}

void Bench::card_out()
{
    this->line.level = false;
    this->box->card_removed();
    this->run(30);
}

static std::string field(const std::string &payload, const std::string &name)
{
    size_t at = payload.find("\"" + name + "\":");

    if (at == std::string::npos) {
        return "null";
    }
    at += name.size() + 3;
    return payload.substr(at, payload.find_first_of(",}", at) - at);
}

std::string Bench::answer(bool on, const std::string &more) const
{
    static unsigned rev = 0;
    const std::string report = this->last("report");
    std::string payload = "{" + more;

    for (const char *key : {"second_relay", "oops_led", "lockout"}) {
        if (more.find(key) == std::string::npos) {
            payload += "\"" + std::string(key) + "\":false,";
        }
    }
    for (const char *key : {"needs_card", "second_needs_card"}) {
        if (more.find("\"" + std::string(key)) == std::string::npos) {
            payload += "\"" + std::string(key) + "\":true,";
        }
    }
    payload += std::string("\"relay\":") + (on ? "true" : "false") +
               ",\"display\":\"Welcome,\\nAda\",\"status_led_rgb\":[0,1,0],"
               "\"status_led_brightness\":0.5,\"epoch\":1,\"rev\":" +
               std::to_string(++rev) + ",\"boot_id\":" + field(report, "boot_id") +
               ",\"seq\":" + field(report, "seq") + "}";
    return payload;
}

void Bench::receive(const std::string &what, const std::string &payload)
{
    const std::string topic = "tagout/machine/saw/" + what;

    this->mqtt.callbacks.at(topic)(topic, payload);
}

void Bench::command(const std::string &payload)
{
    this->receive("command", payload);
}

void Bench::session()
{
    this->connect();
    this->card_in("1234567");
    this->command(this->answer(true));
    this->run(20);
}

std::string Bench::last(const std::string &what) const
{
    for (auto sent = this->mqtt.sent.rbegin(); sent != this->mqtt.sent.rend(); ++sent) {
        if (sent->topic == "tagout/machine/saw/" + what) {
            return sent->payload;
        }
    }
    return "";
}

size_t Bench::count(const std::string &what) const
{
    size_t count = 0;

    for (const auto &sent : this->mqtt.sent) {
        count += sent.topic == "tagout/machine/saw/" + what;
    }
    return count;
}

bool Bench::retained(const std::string &what) const
{
    for (const auto &sent : this->mqtt.sent) {
        if (sent.topic == "tagout/machine/saw/" + what) {
            return sent.retain && sent.qos == 1;
        }
    }
    return false;
}

bool Bench::reports(const std::string &part) const
{
    return this->last("report").find(part) != std::string::npos;
}

} // namespace bench
