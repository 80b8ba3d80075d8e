-- For scripts that put messages back. A queue's list may have lanes: sorted sets that are served before it, one for each
-- task type that was resumed. Their numbers stand in the hash "detours" under "l" and the address "queue\nsuffix", the next to be
-- served first; what is paused stands there under "p" and the queue's name.

-- Put a message where the next fetch from this address finds it first.
local function to_front(own, all, address, bytes)
  local lanes = redis.call('HGET', own .. 'detours', 'l' .. address)
  local lane = lanes and string.match(lanes, '^%d+')
  if not lane then
    redis.call('RPUSH', all .. string.gsub(address, '\n', '', 1), bytes)
    return
  end
  local first = redis.call('ZRANGE', own .. 'lane:' .. lane, 0, 0, 'WITHSCORES')
  local rank = first[2] and tonumber(first[2]) - 1 or 0
  redis.call('ZADD', own .. 'lane:' .. lane, rank, string.format('%d', rank) .. '\n' .. bytes)
end

-- Return what is parked: for each type its addresses.
local function parked_types(own)
  local types = {}
  for _, field in ipairs(redis.call('HKEYS', own .. 'parked')) do
    local address, task = string.match(field, '^([^\n]*\n[^\n]*)\n(.*)$')
    types[task] = types[task] or {}
    table.insert(types[task], address)
  end
  return types
end

