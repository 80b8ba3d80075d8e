-- Carry out settlements: result, follow-ups and what becomes of the delivery, or nothing where the lease is lost.
-- ARGV: prefix of our keys, prefix of all keys, node, child, database of the results ('' : this one), this database,
--       then for each settlement: tag, result key ('': none), result, its life (ms, 0: for ever), fate, its two arguments,
--       number of follow-ups, and for each of them: queue, suffix, due (ms), bytes
-- Fates: d done, r back as it was, R back to the address "queue\nsuffix" with other bytes, x dead letter with a head
-- Returns: 1 or 0 (lease lost) for each
local own, all = ARGV[1], ARGV[2]
local held = own .. 'leased:' .. ARGV[3] .. '/' .. ARGV[4]
local from = own .. 'from:' .. ARGV[3] .. '/' .. ARGV[4]
local results, here = ARGV[5], ARGV[6]
local answer, woken, backs, now = {}, {}, {}, nil

local function clock()
  if not now then
    local t = redis.call('TIME')
    now = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return now
end

local function store(key, body, life)
  if results ~= '' then redis.call('SELECT', results) end
  -- The first success stays, whoever comes later.
  if not string.find(redis.call('GETRANGE', key, 0, 24), '^{"status": ?"SUCCESS"') then
    if life > 0 then redis.call('SET', key, body, 'PX', life) else redis.call('SET', key, body) end
    redis.call('PUBLISH', key, body)
  end
  if results ~= '' then redis.call('SELECT', here) end
end

local function alarm(due)
  -- Only an earlier date than all others concerns the node that dozes until the next one.
  local first = redis.call('ZRANGE', own .. 'schedule', 0, 0, 'WITHSCORES')
  if tonumber(first[2]) == due then redis.call('ZADD', own .. 'alarm', 0, 1) end
end

local function publish(queue, suffix, due, bytes)
  if due > 0 and due > clock() then
    redis.call('ZADD', own .. 'schedule', due, queue .. '\n' .. suffix .. '\n' .. bytes)
    alarm(due)
  else
    redis.call('LPUSH', all .. queue .. suffix, bytes)
    woken[queue] = true
  end
end

local function back(address, bytes)
  local queue, suffix = string.match(address, '^([^\n]*)\n(.*)$')
  redis.call('RPUSH', all .. queue .. suffix, bytes)
  woken[queue] = true
end

local i = 7
while i <= #ARGV do
  local tag, fate, followups = ARGV[i], ARGV[i + 4], tonumber(ARGV[i + 7])
  local mine, address, bytes = redis.call('HEXISTS', held, tag), nil, nil
  if mine == 1 then
    if fate == 'r' or fate == 'x' then address, bytes = redis.call('HGET', from, tag), redis.call('HGET', held, tag) end
    -- The delivery is released last: an error in between leaves it leased, and the settlement is made again.
    if ARGV[i + 1] ~= '' then store(ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])) end
    for f = i + 8, i + 7 + 4 * followups, 4 do publish(ARGV[f], ARGV[f + 1], tonumber(ARGV[f + 2]), ARGV[f + 3]) end
    if fate == 'r' then
      backs[#backs + 1] = { address, bytes }
    elseif fate == 'R' then
      backs[#backs + 1] = { ARGV[i + 5], ARGV[i + 6] }
    elseif fate == 'x' then
      local id = redis.call('INCR', own .. 'dead:last')
      local letter = string.format('%d', clock()) .. '\n' .. ARGV[i + 5] .. '\n' .. address .. '\n' .. bytes
      redis.call('HSET', own .. 'dead', id, letter)
      redis.call('ZADD', own .. 'dead:order', id, id)
    end
    redis.call('HDEL', held, tag)
    redis.call('HDEL', from, tag)
  end
  answer[#answer + 1] = mine
  i = i + 8 + 4 * followups
end
-- The first of them is to be served first: it goes to the front last.
for b = #backs, 1, -1 do back(backs[b][1], backs[b][2]) end
for queue in pairs(woken) do
  redis.call('ZADD', own .. 'wake:' .. queue, 0, 1)
end
return answer
