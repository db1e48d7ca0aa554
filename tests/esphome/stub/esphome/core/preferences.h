#pragma once
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

namespace esphome
{
// Written by sync(), as ESPHome does it: what is only saved is lost with the power.
struct Flash {
    std::map<uint32_t, std::vector<uint8_t>> pending;
    std::map<uint32_t, std::vector<uint8_t>> written;
    int syncs{0};
};
extern Flash flash;

class ESPPreferenceObject
{
  public:
    explicit ESPPreferenceObject(uint32_t type = 0) : type_(type)
    {
    }
    template <typename T> bool save(const T *source)
    {
        const auto *bytes = reinterpret_cast<const uint8_t *>(source);

        flash.pending[this->type_] = std::vector<uint8_t>(bytes, bytes + sizeof(T));
        return true;
    }
    template <typename T> bool load(T *destination)
    {
        auto found = flash.written.find(this->type_);

        if (found == flash.written.end() || found->second.size() != sizeof(T)) {
            return false;
        }
        memcpy(destination, found->second.data(), sizeof(T));
        return true;
    }

  private:
    uint32_t type_;
};

class ESPPreferences
{
  public:
    template <typename T> ESPPreferenceObject make_preference(uint32_t type, bool in_flash)
    {
        (void)in_flash;
        return ESPPreferenceObject(type);
    }
    bool sync();
};
extern ESPPreferences *global_preferences;
} // namespace esphome
