// What devices/esphome/components/tagout uses of ESPHome, for a host: the names and signatures of
// ESPHome, and nothing behind them but what a test looks at.
#pragma once
#include <string>
#include <vector>

namespace esphome
{
namespace setup_priority
{
constexpr float BUS = 1000.0F;
}

class Component
{
  public:
    virtual ~Component() = default;
    virtual void setup()
    {
    }
    virtual void loop()
    {
    }
    virtual void dump_config()
    {
    }
    virtual float get_setup_priority() const
    {
        return 0;
    }
    bool is_failed() const
    {
        return failed;
    }
    bool is_ready() const
    {
        return true;
    }
    bool status_has_warning() const
    {
        return warning;
    }

    bool failed{false};
    bool warning{false};
};

class PollingComponent : public Component
{
  public:
    virtual void update() = 0;
};
} // namespace esphome
