-- End pauses. What is parked becomes a lane of its queue as it stands: however much it is, it is back in one step.
-- ARGV: prefix of our keys, number of queues, queues, task types
local own, changed, types = ARGV[1], 0, parked_types(ARGV[1])
for i = 3, 2 + tonumber(ARGV[2]) do
  if redis.call('HDEL', own .. 'detours', 'p' .. ARGV[i]) == 1 then
    changed = changed + 1
    -- A token for each of those who wait, who listen to nothing else of a paused queue; what is too many goes by itself.
    local tokens = {}
    for n = 1, 1000 do
      tokens[2 * n - 1], tokens[2 * n] = n, n
    end
    redis.call('ZADD', own .. 'resumed:' .. ARGV[i], unpack(tokens))
    redis.call('EXPIRE', own .. 'resumed:' .. ARGV[i], 60)
  end
  redis.call('ZADD', own .. 'wake:' .. ARGV[i], 0, 1)
end
for i = 3 + tonumber(ARGV[2]), #ARGV do
  local task = ARGV[i]
  changed = changed + redis.call('SREM', own .. 'paused:tasks', task)
  for _, address in ipairs(types[task] or {}) do
    local field = address .. '\n' .. task
    if redis.call('EXISTS', own .. 'parked:' .. field) == 1 then
      local number = redis.call('INCR', own .. 'lanes')
      local others = redis.call('HGET', own .. 'detours', 'l' .. address)
      redis.call('RENAME', own .. 'parked:' .. field, own .. 'lane:' .. number)
      redis.call('HSET', own .. 'detours', 'l' .. address, others and number .. ',' .. others or number)
      redis.call('ZADD', own .. 'wake:' .. string.match(address, '^[^\n]*'), 0, 1)
    end
    redis.call('HDEL', own .. 'parked', field)
  end
  types[task] = nil
end
if changed > 0 then redis.call('INCR', own .. 'revision') end
return changed
