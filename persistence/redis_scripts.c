#include "persistence/redis_scripts.h"

/* Lua's numbers are doubles: epochs (2^40) and revs (2^32) are exact in them. What somebody
 * damaged counts as 0, so that it can neither block saves nor start epochs for ever; an epoch to
 * go on from is believed up to VERSION_EPOCH_HEARD_MAX. */
#define WHOLE                                                                                      \
    "local function whole(text, limit)\n"                                                          \
    "  local number = tonumber(text or '0')\n"                                                     \
    "  if not number or not (number >= 0 and number <= limit)\n"                                   \
    "      or number ~= math.floor(number) then\n"                                                 \
    "    return 0\n"                                                                               \
    "  end\n"                                                                                      \
    "  return number\n"                                                                            \
    "end\n"                                                                                        \
    "local epoch_max, rev_max, heard_max = 1099511627776, 4294967295, 549755813888\n"

const char redis_save_script[] =
    WHOLE "local epoch, rev = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
          "local leading = whole(redis.call('GET', KEYS[2]), heard_max)\n"
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

/* The lease is one string, "token id". One that never runs out, or that somebody damaged, is
 * nobody's: it would keep all controllers out for ever. When it runs out Redis knows by the wall
 * clock: put back by an hour, it would keep them out for that hour, so nobody's lease is longer
 * than one's own. */
const char redis_lease_script[] =
    WHOLE "local verb, token, id = ARGV[1], ARGV[2], ARGV[3]\n"
          "local stored = whole(redis.call('GET', KEYS[2]), heard_max)\n"
          "local held_token, held_id\n"
          "if redis.call('PTTL', KEYS[1]) >= 0 then\n"
          "  local held = redis.call('GET', KEYS[1]) or ''\n"
          "  held_token, held_id = held:match('^(%S+) (%S+)$')\n"
          "end\n"
          "local is_other = held_token and held_token ~= token\n"
          "    and not (verb == 'take' and ARGV[8] == '1' and held_id == id)\n"
          "if is_other then\n"
          "  local remaining, longest = redis.call('PTTL', KEYS[1]), tonumber(ARGV[4])\n"
          "  if remaining > longest then\n"
          "    redis.call('SET', KEYS[1], held_token .. ' ' .. held_id, 'PX', ARGV[4])\n"
          "    remaining = longest\n"
          "  end\n"
          "  return string.format('OTHER %.0f %.0f %s', stored, remaining, held_id)\n"
          "end\n"
          "if verb == 'take' then\n"
          "  stored = math.max(stored, tonumber(ARGV[6]), tonumber(ARGV[7])) + 1\n"
          "  redis.call('SET', KEYS[1], token .. ' ' .. id, 'PX', ARGV[4])\n"
          "  redis.call('SET', KEYS[2], string.format('%.0f', stored))\n"
          "elseif not held_token\n"
          "    and (verb == 'release' or stored == 0 or stored ~= tonumber(ARGV[5])) then\n"
          "  return string.format('FREE %.0f', stored)\n"
          "elseif verb == 'renew' then\n"
          "  redis.call('SET', KEYS[1], token .. ' ' .. id, 'PX', ARGV[4])\n"
          "else\n"
          "  redis.call('DEL', KEYS[1])\n"
          "end\n"
          "return string.format('OURS %.0f', stored)\n";
