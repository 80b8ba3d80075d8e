-- Carry out settlements: results, follow-ups, join and what becomes of the delivery, or nothing where the lease is lost.
-- A script is not rolled back. So each settlement looks first at every key that may turn out to be of another kind, and writes
-- then; one that fails does so before it has written anything, and its neighbours do not notice.
-- ARGV: prefix of our keys, prefix of all keys, node, child, database of the results ('' : this one), this database,
--       then for each settlement: tag, and what nearly all are: 'D', result key, result, its life (ms, 0: for ever): done;
--       or 'E': done, and nothing else; or fate, its two arguments,
--       number of results, and for each of them: key, result, its life (ms, 0: for ever),
--       number of follow-ups, and for each of them: queue, suffix, due (ms), bytes,
--       number of chords that are opened, and for each of them: key, size, life (ms, 0: for ever)
--       1 if it stays, key of the chord that ends ('': none), key of the chord that is joined ('': none), its life (ms),
--       number of parts, and for each of them: member, place, body
-- Fates: d done, r back as it was, R back to the address "queue\nsuffix" with other bytes, x dead letter with a head,
--        p parked under a task type, whether it is paused ('1') or else back as it was
-- A delivery that stays, or whose part was the last, is joined: its address has a third line, "J".
-- Returns for each: 0 lease lost, 1 applied, 2 joined, or the server's words: refused
local own, all = ARGV[1], ARGV[2]
local held = own .. 'leased:' .. ARGV[3] .. '/' .. ARGV[4]
local from = own .. 'from:' .. ARGV[3] .. '/' .. ARGV[4]
local results, here = ARGV[5], ARGV[6]
local answer, woken, backs, leaving, checked, now = {}, {}, {}, {}, {}, nil
local at, last_at = 7, #ARGV
local call = redis.call  -- looked up once: a settlement is a dozen calls

local function clock()
  if not now then
    local t = call('TIME')
    now = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return now
end

local function to_results() if results ~= '' then call('SELECT', results) end end
local function from_results() if results ~= '' then call('SELECT', here) end end

local function store(key, body, life)
  -- The first success stays, whoever comes later.
  if string.find(call('GETRANGE', key, 0, 24), '^{"status": ?"SUCCESS"') then return end
  if life > 0 then call('SET', key, body, 'PX', life) else call('SET', key, body) end
  call('PUBLISH', key, body)
end

-- Raise an error unless the key is missing or of the kind that the command asks about.
local function check(command, key)
  if not checked[key] then
    call(command, key)
    checked[key] = true
  end
end

local function alarm(due)
  -- Only an earlier date than all others concerns the node that dozes until the next one.
  local first = call('ZRANGE', own .. 'schedule', 0, 0, 'WITHSCORES')
  if tonumber(first[2]) == due then call('ZADD', own .. 'alarm', 0, 1) end
end

local function publish(queue, suffix, due, bytes)
  if due > 0 and due > clock() then
    call('ZADD', own .. 'schedule', due, queue .. '\n' .. suffix .. '\n' .. bytes)
    alarm(due)
  else
    call('LPUSH', all .. queue .. suffix, bytes)
    woken[queue] = true
  end
end

local function list_at(address)
  local queue, suffix = string.match(address, '^([^\n]*)\n(.*)$')
  return all .. queue .. suffix, queue
end

local function release(tag)
  call('HDEL', held, tag)
  call('HDEL', from, tag)
end

-- Carry out the settlement that begins at i; return what is said of it.
local function any(i)
  local tag, fate = ARGV[i], ARGV[i + 1]
  local first = i + 5
  local after = first + 3 * tonumber(ARGV[i + 4])
  local opens = after + 1 + 4 * tonumber(ARGV[after])
  local rest = opens + 1 + 3 * tonumber(ARGV[opens])
  local closes, chord = ARGV[rest + 1], ARGV[rest + 2]
  local last = rest + 4 + 3 * tonumber(ARGV[rest + 4])
  at = last + 1
  local address, bytes, list, queue
  if leaving[tag] then return 0 end
  if fate == 'p' and ARGV[i + 3] ~= '1' and call('SISMEMBER', own .. 'paused:tasks', ARGV[i + 2]) == 0 then fate = 'r' end
  if fate == 'r' or fate == 'x' or fate == 'p' then
    bytes = call('HGET', held, tag)
    if not bytes then return 0 end
  elseif call('HEXISTS', held, tag) == 0 then
    return 0
  end

  -- Look at whatever could fail.
  local claim, size, more, arrived
  if chord ~= '' then
    to_results()
    claim, size, more, arrived = look(chord)
    from_results()
    if claim == tag then return 2 end  -- an answer was lost: all this has been done
  end
  if fate == 'r' or fate == 'x' or fate == 'p' then
    address = string.match(call('HGET', from, tag), '^[^\n]*\n[^\n]*')
  elseif fate == 'R' then
    address, bytes = ARGV[i + 2], ARGV[i + 3]
  end
  local returns = fate == 'r' or fate == 'R'
  if returns then
    list, queue = list_at(address)
    check('LLEN', list)
  end
  for f = after + 1, opens - 1, 4 do
    if ARGV[f + 2] ~= '0' then check('ZCARD', own .. 'schedule') end
    check('LLEN', all .. ARGV[f] .. ARGV[f + 1])
  end

  -- From here on everything is written. The first result is looked at before anything is.
  if rest > opens + 1 or after > first then
    to_results()
    for r = first + 3, after - 1, 3 do call('STRLEN', ARGV[r]) end
    for r = first, after - 1, 3 do store(ARGV[r], ARGV[r + 1], tonumber(ARGV[r + 2])) end
    for o = opens + 1, rest - 1, 3 do open_if_new(ARGV[o], ARGV[o + 1], tonumber(ARGV[o + 2])) end
    from_results()
  end
  for f = after + 1, opens - 1, 4 do publish(ARGV[f], ARGV[f + 1], tonumber(ARGV[f + 2]), ARGV[f + 3]) end
  if fate == 'x' then
    local id = call('INCR', own .. 'dead:last')
    local letter = string.format('%d', clock()) .. '\n' .. ARGV[i + 2] .. '\n' .. address .. '\n' .. bytes
    call('HSET', own .. 'dead', id, letter)
    call('ZADD', own .. 'dead:order', id, id)
  elseif fate == 'p' then
    -- In the order of the tags: who fetches first need not be the first to park.
    call('ZADD', own .. 'parked:' .. address .. '\n' .. ARGV[i + 2], tag, tag .. '\n' .. bytes)
    call('HSET', own .. 'parked', address .. '\n' .. ARGV[i + 2], 1)
  end
  local stays, said = ARGV[rest] == '1', 1
  if closes ~= '' or chord ~= '' then
    to_results()
    if closes ~= '' then close(closes) end
    if chord ~= '' then
      -- What it has just opened or closed may be the same one.
      if closes ~= '' or rest > opens + 1 then claim, size, more, arrived = look(chord) end
      stays = join(chord, tag, tonumber(ARGV[rest + 3]), rest + 5, last, claim, size, more, arrived)
      if stays then said = 2 end
    end
    from_results()
  end
  if returns then backs[#backs + 1] = { address, queue, bytes, not stays and tag } end
  if stays then
    address = string.match(call('HGET', from, tag), '^[^\n]*\n[^\n]*')
    call('HSET', from, tag, address .. '\nJ')
  elseif returns then
    leaving[tag] = true  -- it is released when it is back in its queue
  else
    release(tag)
  end
  return said
end

-- Carry out all settlements from ``at`` on.
local function carry_out()
  while at <= last_at do
    local i, fate, said = at, ARGV[at + 1], 0
    if fate == 'D' then
      at = i + 5
      if call('HEXISTS', held, ARGV[i]) == 1 and not leaving[ARGV[i]] then
        to_results()
        store(ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4]))
        from_results()
        release(ARGV[i])
        said = 1
      end
    elseif fate == 'E' then
      at = i + 2
      if not leaving[ARGV[i]] and call('HDEL', held, ARGV[i]) == 1 then
        call('HDEL', from, ARGV[i])
        said = 1
      end
    else
      said = any(i)
    end
    answer[#answer + 1] = said
  end
end

-- States of the server in which it takes nothing: it says so only as long as this script has written nothing.
local FORBIDS_ALL = { 'OOM ', 'READONLY ', 'MISCONF ', 'NOREPLICAS ' }

while true do
  local fine, why = pcall(carry_out)
  if fine then break end
  from_results()
  local said = type(why) == 'table' and why.err or tostring(why)
  for _, state in ipairs(FORBIDS_ALL) do
    if string.find(said, state, 1, true) then return redis.error_reply(said) end
  end
  answer[#answer + 1] = said
end
-- The first of them is to be served first: it goes to the front last. Released after that: a message is never nowhere.
for b = #backs, 1, -1 do
  local address, queue, bytes, tag = unpack(backs[b])
  to_front(own, all, address, bytes)
  woken[queue] = true
  if tag then release(tag) end
end
for queue in pairs(woken) do
  -- Should it get lost, the next sign of life of any node makes up for it.
  redis.pcall('ZADD', own .. 'wake:' .. queue, 0, 1)
end
return answer
