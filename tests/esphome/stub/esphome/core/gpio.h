#pragma once
namespace esphome
{
class GPIOPin
{
  public:
    virtual ~GPIOPin() = default;
    virtual void setup() = 0;
    virtual bool digital_read() = 0;
    virtual void digital_write(bool value) = 0;
};
} // namespace esphome
