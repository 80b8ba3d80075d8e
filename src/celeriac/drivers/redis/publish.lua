-- Put messages into their queues or the schedule.
-- ARGV: prefix of our keys, prefix of all keys, then for each message: queue, suffix of its priority, due (ms, 0: now), bytes
local own, all = ARGV[1], ARGV[2]
local now, woken = nil, {}
for i = 3, #ARGV, 4 do
  local queue, suffix, due = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  if due > 0 and not now then
    local t = redis.call('TIME')
    now = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  if due > 0 and due > now then
    redis.call('ZADD', own .. 'schedule', due, queue .. '\n' .. suffix .. '\n' .. ARGV[i + 3])
    if redis.call('LLEN', own .. 'alarm') == 0 then
      local first = redis.call('ZRANGE', own .. 'schedule', 0, 0, 'WITHSCORES')
      -- Only an earlier first date concerns the node that sleeps until the next one.
      if tonumber(first[2]) == due then redis.call('LPUSH', own .. 'alarm', due) end
    end
  else
    redis.call('LPUSH', all .. queue .. suffix, ARGV[i + 3])
    woken[queue] = true
  end
end
-- One token a queue is enough: a fetch that leaves messages behind passes it on.
for queue in pairs(woken) do
  local bell = own .. 'wake:' .. queue
  if redis.call('LLEN', bell) == 0 then redis.call('LPUSH', bell, 1) end
end
return 1
