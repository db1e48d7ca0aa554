#pragma once
#include <cstdint>
namespace esphome
{
uint32_t random_uint32();
}
