-- Carry out settlements: results, follow-ups, join and what becomes of the delivery, or nothing where the lease is lost.
-- ARGV: prefix of our keys, prefix of all keys, node, child, database of the results ('' : this one), this database,
--       then for each settlement: tag, and what nearly all are: 'D', result key, result, its life (ms, 0: for ever): done;
--       or 'E': done, and nothing else; or fate, its two arguments,
--       number of results, and for each of them: key, result, its life (ms, 0: for ever),
--       number of follow-ups, and for each of them: queue, suffix, due (ms), bytes,
--       number of chords that are opened, and for each of them: key, size, life (ms, 0: for ever)
--       1 if it stays, key of the chord that ends ('': none), key of the chord that is joined ('': none), its life (ms),
--       number of parts, and for each of them: member, place, body
-- Fates: d done, r back as it was, R back to the address "queue\nsuffix" with other bytes, x dead letter with a head
-- A delivery that stays, or whose part was the last, is joined: its address has a third line, "J".
-- Returns for each: 0 lease lost, 1 applied, 2 joined
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

local function among_results(act)
  if results == '' then return act() end
  redis.call('SELECT', results)
  local answer = act()
  redis.call('SELECT', here)
  return answer
end

local function store(key, body, life)
  -- The first success stays, whoever comes later.
  if string.find(redis.call('GETRANGE', key, 0, 24), '^{"status": ?"SUCCESS"') then return end
  if life > 0 then redis.call('SET', key, body, 'PX', life) else redis.call('SET', key, body) end
  redis.call('PUBLISH', key, body)
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

local function release(tag)
  redis.call('HDEL', held, tag)
  redis.call('HDEL', from, tag)
end

-- Carry out the settlement that begins at i; return what is said of it, and where the next one begins.
local function any(i)
  local tag, fate = ARGV[i], ARGV[i + 1]
  local first = i + 5
  local after = first + 3 * tonumber(ARGV[i + 4])
  local opens = after + 1 + 4 * tonumber(ARGV[after])
  local rest = opens + 1 + 3 * tonumber(ARGV[opens])
  local closes, chord = ARGV[rest + 1], ARGV[rest + 2]
  local last = rest + 4 + 3 * tonumber(ARGV[rest + 4])
  local said = redis.call('HEXISTS', held, tag)
  if said == 1 and chord ~= '' and among_results(function() return claimed(chord, tag) end) then
    said = 2  -- an answer was lost: all this has been done
  elseif said == 1 then
    local address, bytes
    if fate == 'r' or fate == 'x' then
      address, bytes = string.match(redis.call('HGET', from, tag), '^[^\n]*\n[^\n]*'), redis.call('HGET', held, tag)
    end
    -- The delivery is released last: an error in between leaves it leased, and the settlement is made again.
    if after > first then
      among_results(function()
        for r = first, after - 1, 3 do store(ARGV[r], ARGV[r + 1], tonumber(ARGV[r + 2])) end
      end)
    end
    if rest > opens + 1 then
      among_results(function()
        for o = opens + 1, rest - 1, 3 do open_if_new(ARGV[o], ARGV[o + 1], tonumber(ARGV[o + 2])) end
      end)
    end
    for f = after + 1, opens - 1, 4 do publish(ARGV[f], ARGV[f + 1], tonumber(ARGV[f + 2]), ARGV[f + 3]) end
    if fate == 'r' then
      backs[#backs + 1] = { address, bytes }
    elseif fate == 'R' then
      backs[#backs + 1] = { ARGV[i + 2], ARGV[i + 3] }
    elseif fate == 'x' then
      local id = redis.call('INCR', own .. 'dead:last')
      local letter = string.format('%d', clock()) .. '\n' .. ARGV[i + 2] .. '\n' .. address .. '\n' .. bytes
      redis.call('HSET', own .. 'dead', id, letter)
      redis.call('ZADD', own .. 'dead:order', id, id)
    end
    if closes ~= '' then among_results(function() close(closes) end) end
    local stays = ARGV[rest] == '1'
    if chord ~= '' then
      stays = among_results(function() return join(chord, tag, tonumber(ARGV[rest + 3]), rest + 5, last) end)
      if stays then said = 2 end
    end
    if stays then
      address = string.match(redis.call('HGET', from, tag), '^[^\n]*\n[^\n]*')
      redis.call('HSET', from, tag, address .. '\nJ')
    else
      release(tag)
    end
  end
  return said, last + 1
end

local i = 7
while i <= #ARGV do
  local said, fate = nil, ARGV[i + 1]
  if fate == 'D' then
    said = redis.call('HEXISTS', held, ARGV[i])
    if said == 1 then
      if results ~= '' then redis.call('SELECT', results) end
      store(ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4]))
      if results ~= '' then redis.call('SELECT', here) end
      release(ARGV[i])
    end
    i = i + 5
  elseif fate == 'E' then
    said = redis.call('HEXISTS', held, ARGV[i])
    if said == 1 then release(ARGV[i]) end
    i = i + 2
  else
    said, i = any(i)
  end
  answer[#answer + 1] = said
end
-- The first of them is to be served first: it goes to the front last.
for b = #backs, 1, -1 do back(backs[b][1], backs[b][2]) end
for queue in pairs(woken) do
  redis.call('ZADD', own .. 'wake:' .. queue, 0, 1)
end
return answer
