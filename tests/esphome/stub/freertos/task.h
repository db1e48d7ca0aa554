#pragma once
#include <freertos/FreeRTOS.h>
void vTaskDelay(uint32_t ticks);
BaseType_t xTaskCreatePinnedToCore(
    void (*task)(void *), const char *name, uint32_t stack, void *argument, UBaseType_t priority,
    void **handle, BaseType_t core);
