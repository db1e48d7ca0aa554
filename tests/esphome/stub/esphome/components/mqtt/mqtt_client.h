#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <esphome/core/component.h>

namespace esphome::mqtt
{
using mqtt_callback_t = std::function<void(const std::string &, const std::string &)>;

struct Sent {
    std::string topic;
    std::string payload;
    int qos;
    bool retain;
    int mark;
};

class MQTTClientComponent : public Component
{
  public:
    void subscribe(const std::string &topic, mqtt_callback_t callback, uint8_t qos = 0)
    {
        (void)qos;
        this->callbacks[topic] = callback;
    }
    bool publish(const char *topic, const char *payload, size_t length, uint8_t qos, bool retain)
    {
        if (this->connected) {
            this->sent.push_back(
                {topic, std::string(payload, length), qos, retain, this->mark ? this->mark() : 0});
        }
        return this->connected;
    }
    bool is_connected()
    {
        return this->connected;
    }
    void enable()
    {
        this->enabled = true;
    }

    bool connected{false};
    bool enabled{false};
    std::function<int()> mark; // what a test wants to know of the moment in which it was sent
    std::vector<Sent> sent;
    std::map<std::string, mqtt_callback_t> callbacks;
};
} // namespace esphome::mqtt
