#pragma once
#include <cstdint>
namespace esphome::light
{
class LightState;

class LightCall
{
  public:
    explicit LightCall(LightState *light) : light_(light)
    {
    }
    void set_state(bool on)
    {
        this->on_ = on;
    }
    void set_rgb(float red, float green, float blue)
    {
        this->rgb_[0] = red;
        this->rgb_[1] = green;
        this->rgb_[2] = blue;
    }
    void set_brightness(float brightness)
    {
        this->brightness_ = brightness;
    }
    void set_transition_length(uint32_t)
    {
    }
    void set_save(bool)
    {
    }
    void perform();

  private:
    LightState *light_;
    bool on_{false};
    float rgb_[3]{};
    float brightness_{0};
};

class LightState
{
  public:
    LightCall make_call()
    {
        return LightCall(this);
    }
    bool on{false};
    float rgb[3]{};
    float brightness{0};
    int calls{0};
};

inline void LightCall::perform()
{
    this->light_->on = this->on_;
    for (int i = 0; i < 3; i++) {
        this->light_->rgb[i] = this->rgb_[i];
    }
    this->light_->brightness = this->brightness_;
    this->light_->calls++;
}
} // namespace esphome::light
