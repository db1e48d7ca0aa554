#pragma once
int esp_task_wdt_add(void *task);
int esp_task_wdt_reset();
