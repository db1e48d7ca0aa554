// No hash at all: the text itself.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
namespace esphome::sha256
{
class SHA256
{
  public:
    void init()
    {
        this->text_.clear();
    }
    void add(const uint8_t *data, size_t length)
    {
        this->text_.append(reinterpret_cast<const char *>(data), length);
    }
    void calculate()
    {
    }
    bool equals_hex(const char *expected)
    {
        return this->text_ == expected;
    }

  private:
    std::string text_;
};
} // namespace esphome::sha256
