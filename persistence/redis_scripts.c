#include "persistence/redis_scripts.h"

/* Lua's numbers are doubles: epochs (2^40) and revs (2^32) are exact in them. What somebody
 * damaged counts as 0, so that it can neither block saves nor start epochs for ever. */
#define WHOLE                                                                                      \
    "local function whole(text, limit)\n"                                                          \
    "  local number = tonumber(text or '0')\n"                                                     \
    "  if not number or not (number >= 0 and number <= limit)\n"                                   \
    "      or number ~= math.floor(number) then\n"                                                 \
    "    return 0\n"                                                                               \
    "  end\n"                                                                                      \
    "  return number\n"                                                                            \
    "end\n"                                                                                        \
    "local epoch_max, rev_max = 1099511627776, 4294967295\n"

const char redis_save_script[] =
    WHOLE "local epoch, rev = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
          "local leading = whole(redis.call('GET', KEYS[2]), epoch_max)\n"
          "if epoch < leading then\n"
          "  return string.format('EPOCH %.0f', leading)\n"
          "end\n"
          "local kept = redis.call('HMGET', KEYS[1], 'epoch', 'rev')\n"
          "local kept_epoch, kept_rev = whole(kept[1], epoch_max), whole(kept[2], rev_max)\n"
          "if epoch < kept_epoch or (epoch == kept_epoch and rev < kept_rev) then\n"
          "  return string.format('VERSION %.0f %.0f', kept_epoch, kept_rev)\n"
          "end\n"
          "redis.call('HSET', KEYS[1], unpack(ARGV, 3))\n"
          "return 'OK'\n";

const char redis_epoch_script[] =
    WHOLE "local stored = whole(redis.call('GET', KEYS[1]), epoch_max - 1)\n"
          "local epoch = math.max(stored, tonumber(ARGV[1]), tonumber(ARGV[2])) + 1\n"
          "local text = string.format('%.0f', epoch)\n"
          "redis.call('SET', KEYS[1], text)\n"
          "return text\n";
