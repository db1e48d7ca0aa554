#pragma once
namespace esphome
{
struct Application {
    void reboot()
    {
        this->reboots++;
    }
    int reboots{0};
};
extern Application App;
} // namespace esphome
