-- Move messages from the schedule to their queues, due or not.
-- ARGV: prefix of our keys, prefix of all keys, then members of the schedule
-- Returns: how many were still there
local own, all, moved = ARGV[1], ARGV[2], 0
for i = 3, #ARGV do
  local queue, suffix, bytes = string.match(ARGV[i], '^([^\n]*)\n([^\n]*)\n(.*)$')
  if redis.call('ZSCORE', own .. 'schedule', ARGV[i]) then
    redis.call('LPUSH', all .. queue .. suffix, bytes)
    redis.call('ZREM', own .. 'schedule', ARGV[i])
    redis.call('ZADD', own .. 'wake:' .. queue, 0, 1)
    moved = moved + 1
  end
end
return moved
