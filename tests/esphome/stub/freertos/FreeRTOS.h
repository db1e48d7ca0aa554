#pragma once
#include <cstdint>
using BaseType_t = int;
using UBaseType_t = unsigned;
