#pragma once
#include <string>

#include <esphome/core/component.h>

namespace esphome
{
class ESPHomeOTAComponent : public Component
{
  public:
    void set_auth_password(const std::string &word)
    {
        this->password = word;
    }
    std::string password;
};
} // namespace esphome
