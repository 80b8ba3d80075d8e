-- ARGV: prefix of our keys, number of queues, queues, task types
local own, changed = ARGV[1], 0
for i = 3, 2 + tonumber(ARGV[2]) do
  changed = changed + redis.call('HSET', own .. 'detours', 'p' .. ARGV[i], 1)
  redis.call('DEL', own .. 'resumed:' .. ARGV[i])
end
for i = 3 + tonumber(ARGV[2]), #ARGV do
  changed = changed + redis.call('SADD', own .. 'paused:tasks', ARGV[i])
end
if changed > 0 then redis.call('INCR', own .. 'revision') end
return changed
