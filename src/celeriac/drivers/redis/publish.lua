-- Put messages with a date into the schedule, or, when it has come, into their queues.
-- ARGV: prefix of our keys, prefix of all keys, then for each message: queue, suffix of its priority, due (ms), bytes
local own, all = ARGV[1], ARGV[2]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local earliest = nil
for i = 3, #ARGV, 4 do
  local queue, suffix, due = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  if due > now then
    redis.call('ZADD', own .. 'schedule', due, queue .. '\n' .. suffix .. '\n' .. ARGV[i + 3])
    earliest = math.min(earliest or due, due)
  else
    redis.call('LPUSH', all .. queue .. suffix, ARGV[i + 3])
    redis.call('ZADD', own .. 'wake:' .. queue, 0, 1)
  end
end
if earliest then
  -- Only an earlier date than all others concerns the node that dozes until the next one.
  local first = redis.call('ZRANGE', own .. 'schedule', 0, 0, 'WITHSCORES')
  if tonumber(first[2]) == earliest then redis.call('ZADD', own .. 'alarm', 0, 1) end
end
return 1
