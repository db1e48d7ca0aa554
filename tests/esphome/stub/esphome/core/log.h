#pragma once
#include <cstdarg>
namespace esphome
{
void log(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
}
#define ESP_LOGE(tag, ...) esphome::log(tag, __VA_ARGS__)
#define ESP_LOGW(tag, ...) esphome::log(tag, __VA_ARGS__)
#define ESP_LOGI(tag, ...) esphome::log(tag, __VA_ARGS__)
#define ESP_LOGCONFIG(tag, ...) esphome::log(tag, __VA_ARGS__)
