-- Carry out changes of entries: each with its messages, if the entry is still as it was read.
-- ARGV: prefix of the timetable's keys, prefix of our keys, prefix of all keys, then for each change: name, revision that was seen
--       (0: none), state, due (ms, '': never), 1 if an entry follows, entry, number of messages, and for each message: queue,
--       suffix of its priority, due (ms, 0: at once), bytes
-- Returns: 1 or 0 for each: whether it was carried out
local at, own, all = ARGV[1], ARGV[2], ARGV[3]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local answer, earliest = {}, nil

local function revision_of(name)
  local state = redis.call('HGET', at .. 'states', name)
  return state and string.match(state, '^%d+') or '0'
end

local i = 4
while i <= #ARGV do
  local name, first = ARGV[i], i + 7
  local last = first + 4 * tonumber(ARGV[i + 6]) - 1
  local fits = revision_of(name) == ARGV[i + 1]
  if fits then
    -- Look at whatever could fail before anything of this change is written.
    for m = first, last, 4 do redis.call('LLEN', all .. ARGV[m] .. ARGV[m + 1]) end
    local revision = string.format('%d', redis.call('INCR', at .. 'revision'))
    redis.call('HSET', at .. 'states', name, revision .. '\n' .. ARGV[i + 2])
    if ARGV[i + 4] == '1' then redis.call('HSET', at .. 'entries', name, ARGV[i + 5]) end
    if ARGV[i + 1] == '0' then redis.call('ZADD', at .. 'names', 0, name) end
    if ARGV[i + 3] == '' then redis.call('ZREM', at .. 'due', name) else redis.call('ZADD', at .. 'due', ARGV[i + 3], name) end
    for m = first, last, 4 do
      local due = tonumber(ARGV[m + 2])
      if due > now then
        redis.call('ZADD', own .. 'schedule', due, ARGV[m] .. '\n' .. ARGV[m + 1] .. '\n' .. ARGV[m + 3])
        earliest = math.min(earliest or due, due)
      else
        redis.call('LPUSH', all .. ARGV[m] .. ARGV[m + 1], ARGV[m + 3])
        redis.call('ZADD', own .. 'wake:' .. ARGV[m], 0, 1)
      end
    end
  end
  answer[#answer + 1] = fits and 1 or 0
  i = last + 1
end
if earliest then
  -- Only an earlier date than all others concerns the node that dozes until the next one.
  local first = redis.call('ZRANGE', own .. 'schedule', 0, 0, 'WITHSCORES')
  if tonumber(first[2]) == earliest then redis.call('ZADD', own .. 'alarm', 0, 1) end
end
return answer
