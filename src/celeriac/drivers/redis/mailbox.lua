-- A mailbox: who may be answered is written down among the bindings of its exchange, as kombu does.
-- ARGV: "open" | "close" | "answer", bindings, permanent, deadlines, exchange; then
--   open:   binding, milliseconds that it is safe from being swept
--   close:  binding, list
--   answer: key, separator, prefix, milliseconds that a list lives, message
local what, bindings, permanent, deadlines, exchange = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

if what == 'open' then
  -- Those who died without taking leave are swept with the whole set, when nobody has renewed it.
  local ends = tonumber(redis.call('ZSCORE', deadlines, exchange) or now)
  if ends < now and redis.call('EXISTS', permanent) == 0 then
    redis.call('DEL', bindings)
  end
  redis.call('SADD', bindings, ARGV[6])
  redis.call('ZADD', deadlines, math.max(ends, now + tonumber(ARGV[7])), exchange)
  return 1
end

if what == 'close' then
  redis.call('SREM', bindings, ARGV[6])
  redis.call('DEL', ARGV[7])
  if redis.call('EXISTS', bindings) == 0 then
    redis.call('ZREM', deadlines, exchange)
  end
  return 1
end

local key, separator, prefix, life, message = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local reached = 0
for _, binding in ipairs(redis.call('SMEMBERS', bindings)) do
  local first = string.find(binding, separator, 1, true)
  local second = first and string.find(binding, separator, first + #separator, true)
  if second and string.sub(binding, 1, first - 1) == key then
    local list = prefix .. string.sub(binding, second + #separator)
    redis.call('LPUSH', list, message)
    redis.call('PEXPIRE', list, life)
    reached = reached + 1
  end
end
return reached
