#pragma once
namespace esphome::sensor
{
struct Sensor {
    float state;
};
} // namespace esphome::sensor
