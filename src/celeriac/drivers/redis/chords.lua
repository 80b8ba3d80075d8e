-- The parts of chords, in Celery's keys, by Celery's rules; written before scripts that join. Key is that of the chord:
-- .j the parts by place, .s how many there are, .t how many more, .d the members that were counted, .c who has joined them

-- Whether this claimant was told that it has all parts.
local function claimed(key, claimant)
  return redis.call('GET', key .. '.c') == claimant
end

-- Record parts, which stand in ARGV from first to last: member, place, body; without a place and body it is said that a member
-- was added, for which a part more is to come. True if they are the last, or the claimant was told so before.
local function join(key, claimant, life, first, last)
  local claim = redis.call('GET', key .. '.c')
  if claim then return claim == claimant end
  for p = first, last, 3 do
    if redis.call('SADD', key .. '.d', ARGV[p]) == 1 then
      if ARGV[p + 1] == '' then redis.call('INCR', key .. '.t') else redis.call('ZADD', key .. '.j', ARGV[p + 1], ARGV[p + 2]) end
    end
  end
  for _, suffix in ipairs({ '.j', '.d', '.s', '.t' }) do
    if life > 0 then redis.call('PEXPIRE', key .. suffix, life) else redis.call('PERSIST', key .. suffix) end
  end
  local size = tonumber(redis.call('GET', key .. '.s') or nil)
  if not size then return false end
  local more = tonumber(redis.call('GET', key .. '.t') or 0) or 0
  if redis.call('ZCARD', key .. '.j') ~= size + more then return false end
  if life > 0 then redis.call('SET', key .. '.c', claimant, 'PX', life) else redis.call('SET', key .. '.c', claimant) end
  return true
end

-- Say how many parts it has, unless it is open or over.
local function open_if_new(key, size, life)
  if redis.call('EXISTS', key .. '.c', key .. '.s') > 0 then return end
  if life > 0 then redis.call('SET', key .. '.s', size, 'PX', life) else redis.call('SET', key .. '.s', size) end
end

-- Forget the parts; for a while what comes late is not recorded.
local function close(key)
  redis.call('DEL', key .. '.j', key .. '.s', key .. '.t', key .. '.d')
  redis.call('SET', key .. '.c', 'done', 'EX', 300)
end

