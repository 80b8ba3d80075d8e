-- The parts of chords, in Celery's keys, by Celery's rules; written before scripts that join. Key is that of the chord:
-- .j the parts by place, .s how many there are, .t how many more, .d the members that were counted, .c who has joined them

-- What is known about a chord: who has joined it; if nobody, how many parts it has, how many more, how many are in.
-- An error where one of its keys is something else: then nothing of it may be written.
local function look(key)
  local claim = redis.call('GET', key .. '.c')
  if claim then return claim end
  redis.call('SCARD', key .. '.d')
  local size, more = redis.call('GET', key .. '.s'), redis.call('GET', key .. '.t')
  return nil, size and tonumber(size), more and tonumber(more), redis.call('ZCARD', key .. '.j')
end

local function lives(key, life)
  if life > 0 then redis.call('PEXPIRE', key, life) else redis.call('PERSIST', key) end
end

-- Two members of one id and value are two parts, which a sorted set would take for one: white space behind the JSON, which says
-- the place in bits, tells them apart.
local function marked(body, place)
  if place == '+inf' then return body .. '\n' end
  local left = tonumber(place)
  repeat
    body = body .. (left % 2 == 1 and '\t' or ' ')
    left = math.floor(left / 2)
  until left == 0
  return body
end

-- Record parts, which stand in ARGV from first to last: member, place, body; without a place and body it is said that a member
-- was added, for which a part more is to come. What ``look`` has said of the chord comes last.
-- True if they are the last, or the claimant was told so before.
local function join(key, claimant, life, first, last, claim, size, more, arrived)
  if claim then return claim == claimant end
  for p = first, last, 3 do
    if redis.call('SADD', key .. '.d', ARGV[p]) == 1 then
      if ARGV[p + 1] == '' then
        more = redis.call('INCR', key .. '.t')
      else
        local place, body = ARGV[p + 1], ARGV[p + 2]
        local new = redis.call('ZADD', key .. '.j', 'NX', place, body)
        if new == 0 then new = redis.call('ZADD', key .. '.j', 'NX', place, marked(body, place)) end
        arrived = arrived + new
      end
    end
  end
  lives(key .. '.j', life)
  lives(key .. '.d', life)
  if size then lives(key .. '.s', life) end
  if more then lives(key .. '.t', life) end
  if not size or arrived ~= size + (more or 0) then return false end
  if life > 0 then redis.call('SET', key .. '.c', claimant, 'PX', life) else redis.call('SET', key .. '.c', claimant) end
  return true
end

-- Say how many parts it has, unless it is open or over.
local function open_if_new(key, size, life)
  if redis.call('EXISTS', key .. '.c', key .. '.s') > 0 then return end
  if life > 0 then redis.call('SET', key .. '.s', size, 'PX', life) else redis.call('SET', key .. '.s', size) end
end

-- Forget the parts; for a while (``abc.LATE_PARTS_S``) what comes late is not recorded.
local function close(key)
  redis.call('DEL', key .. '.j', key .. '.s', key .. '.t', key .. '.d')
  redis.call('SET', key .. '.c', 'done', 'EX', 300)
end

