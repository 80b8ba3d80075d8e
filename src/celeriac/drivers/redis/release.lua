-- Put the oldest parked messages of one type back to the front of their queues.
-- ARGV: prefix of our keys, prefix of all keys, task type, limit, queues
-- Returns how many.
local own, all, task, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('SISMEMBER', own .. 'paused:tasks', task) == 1 then return 0 end
local served = {}
for i = 5, #ARGV do served[ARGV[i]] = true end

-- A list that is none would take nothing: what was taken out for it would be nowhere.
local function takes(address)
  return served[string.match(address, '^[^\n]*')]
    and type(redis.pcall('LLEN', all .. string.gsub(address, '\n', '', 1))) == 'number'
end

local addresses, back = {}, {}
for _, address in ipairs(parked_types(own)[task] or {}) do
  if takes(address) then addresses[#addresses + 1] = address end
end
while #back < limit do
  local oldest, rank = nil, nil
  for _, address in ipairs(addresses) do
    local first = redis.call('ZRANGE', own .. 'parked:' .. address .. '\n' .. task, 0, 0, 'WITHSCORES')
    if first[2] and (not rank or tonumber(first[2]) < rank) then oldest, rank = address, tonumber(first[2]) end
  end
  if not oldest then break end
  local popped = redis.call('ZPOPMIN', own .. 'parked:' .. oldest .. '\n' .. task)
  back[#back + 1] = { oldest, string.sub(popped[1], string.find(popped[1], '\n', 1, true) + 1) }
end
for b = #back, 1, -1 do
  to_front(own, all, back[b][1], back[b][2])
  redis.call('ZADD', own .. 'wake:' .. string.match(back[b][1], '^[^\n]*'), 0, 1)
end
for _, address in ipairs(addresses) do
  local field = address .. '\n' .. task
  if redis.call('EXISTS', own .. 'parked:' .. field) == 0 then redis.call('HDEL', own .. 'parked', field) end
end
return #back
