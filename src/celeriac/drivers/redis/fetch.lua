-- Lease messages to a child.
-- ARGV: prefix of our keys, prefix of all keys, node, child, limit, last tag known (-1: all answers arrived),
--       number of suffixes, suffixes (most urgent first), queues
-- Returns: revision of the rules, 1 if messages were left, those of the queues that are paused, then tag, "queue\nsuffix", bytes for each delivery
-- Address and bytes of a delivery are kept apart: to join them would copy each message once more.
local own, all, node, child = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local limit, known, suffixes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local lease = redis.call('ZSCORE', own .. 'nodes', node)
if not lease or tonumber(lease) <= now then return redis.error_reply('LEASE expired') end

local held = own .. 'leased:' .. node .. '/' .. child
local from = own .. 'from:' .. node .. '/' .. child
local answer = { tonumber(redis.call('GET', own .. 'revision') or 0), 0, {} }

-- Hardly ever there are any: queues that are paused, and lanes (front.lua).
local paused, lanes, detours = {}, {}, redis.call('HGETALL', own .. 'detours')
for i = 1, #detours, 2 do
  local name = string.sub(detours[i], 2)
  if string.byte(detours[i]) == 112 then paused[name] = true else lanes[name] = detours[i + 1] end
end
if known >= 0 then
  -- An answer was lost: hand out again what it leased.
  local flat, lost = redis.call('HGETALL', held), {}
  for i = 1, #flat, 2 do
    if tonumber(flat[i]) > known then lost[#lost + 1] = { tonumber(flat[i]), flat[i + 1] } end
  end
  table.sort(lost, function(a, b) return a[1] < b[1] end)
  for _, pair in ipairs(lost) do
    answer[#answer + 1] = pair[1]
    answer[#answer + 1] = redis.call('HGET', from, pair[1])
    answer[#answer + 1] = pair[2]
  end
  if #lost > 0 then return answer end
end

-- Take from the lanes of an address; what is empty is forgotten.
local function from_lanes(address, count)
  while lanes[address] do
    local lane, others = string.match(lanes[address], '^(%d+),?(.*)$')
    local popped, bodies = redis.call('ZPOPMIN', own .. 'lane:' .. lane, count), {}
    for i = 1, #popped, 2 do
      bodies[#bodies + 1] = string.sub(popped[i], string.find(popped[i], '\n', 1, true) + 1)
    end
    if #bodies > 0 then return bodies end
    if others == '' then
      lanes[address] = nil
      redis.call('HDEL', own .. 'detours', 'l' .. address)
    else
      lanes[address] = others
      redis.call('HSET', own .. 'detours', 'l' .. address, others)
    end
  end
end

local taken, addresses, room, refusal = {}, {}, 1048576, nil
for s = 8, 7 + suffixes do
  for q = 8 + suffixes, #ARGV do
    local list, address, some = all .. ARGV[q] .. ARGV[s], ARGV[q] .. '\n' .. ARGV[s], 1
    while #taken < limit and room > 0 and not paused[ARGV[q]] do
      local count = math.min(some, limit - #taken)
      local popped = lanes[address] and from_lanes(address, count) or redis.pcall('RPOP', list, count)
      if popped and popped.err then
        -- This key is no list. What was popped from the others is nowhere yet: it must be leased first.
        refusal, popped = popped, nil
      end
      if not popped then break end
      for _, bytes in ipairs(popped) do
        taken[#taken + 1], addresses[#addresses + 1] = bytes, address
        room = room - #bytes
      end
      -- Large messages one by one, until there is a megabyte of them; small ones by the dozen.
      some = math.max(1, math.min(32, math.floor(room / (#popped[#popped] + 1))))
    end
  end
end
if #taken == 0 and refusal then return refusal end
if #taken > 0 then
  local last = redis.call('INCRBY', own .. 'tags', #taken)
  redis.call('SADD', own .. 'children:' .. node, child)
  local bodies, origins = {}, {}
  for i, bytes in ipairs(taken) do
    local tag = last - #taken + i
    bodies[2 * i - 1], bodies[2 * i] = tag, bytes
    origins[2 * i - 1], origins[2 * i] = tag, addresses[i]
    answer[3 * i + 1], answer[3 * i + 2], answer[3 * i + 3] = tag, addresses[i], bytes
  end
  redis.call('HSET', held, unpack(bodies))
  redis.call('HSET', from, unpack(origins))
end
for q = 8 + suffixes, #ARGV do
  local left, bell = 0, own .. 'wake:' .. ARGV[q]
  if paused[ARGV[q]] then
    answer[3][#answer[3] + 1] = ARGV[q]
  elseif #taken >= limit or room <= 0 then
    for s = 8, 7 + suffixes do
      if lanes[ARGV[q] .. '\n' .. ARGV[s]] then left = left + 1 end
      local length = redis.pcall('LLEN', all .. ARGV[q] .. ARGV[s])
      if type(length) == 'number' then left = left + length end
    end
  end
  if left == 0 then
    redis.call('DEL', bell)
  else
    answer[2] = 1
    redis.call('ZADD', bell, 0, 1)
  end
end
return answer
