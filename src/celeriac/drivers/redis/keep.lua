-- A node says that it is alive; what is due goes to its queue; the dead are named.
-- ARGV: prefix of our keys, prefix of all keys, node, its record, lease (ms), number of suffixes, suffixes, queues
-- Returns: ms until the next date (-1: none), 1 if clients are about that wake nobody, revision of the rules,
--          task types of which something is parked that nobody has paused, then node, child for each lessee whose node is dead
local own, all, node, lease, suffixes = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local nodes = own .. 'nodes'

local last = tonumber(redis.call('GET', own .. 'pulse') or now)
if now - last > lease / 6 then
  -- Nobody said anything for a while: the store was away, or everything slept. That is no proof of death.
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now + lease / 3)) do
    redis.call('ZADD', nodes, now + lease / 3, name)
  end
end
-- A lease that ends later than any could: the clock was set back.
for _, name in ipairs(redis.call('ZRANGEBYSCORE', nodes, now + 2 * lease, '+inf')) do
  redis.call('ZADD', nodes, now + lease, name)
end
redis.call('SET', own .. 'pulse', now)
redis.call('ZADD', nodes, now + lease, node)
redis.call('HSET', own .. 'records', node, string.format('%d', now) .. '\n' .. ARGV[4])

-- Nobody is woken for what is paused; what stands in a lane is no stranger's.
local paused, lanes, detours = {}, {}, redis.call('HKEYS', own .. 'detours')
for _, field in ipairs(detours) do
  local name = string.sub(field, 2)
  if string.byte(field) == 112 then paused[name] = true else lanes[name] = true end
end

local woken = {}
local due = redis.call('ZRANGEBYSCORE', own .. 'schedule', '-inf', now, 'LIMIT', 0, 1000)
for _, value in ipairs(due) do
  local queue, suffix, bytes = string.match(value, '^([^\n]*)\n([^\n]*)\n(.*)$')
  local refusal = redis.pcall('LPUSH', all .. queue .. suffix, bytes)
  if type(refusal) == 'table' then
    -- The key of this queue is no list. That must not keep other dates from coming, nor a node from saying that it is alive.
    local id = redis.call('INCR', own .. 'dead:last')
    local head = cjson.encode({ reason = 'unqueued', detail = refusal.err, task = '', task_id = '' })
    redis.call('HSET', own .. 'dead', id, string.format('%d', now) .. '\n' .. head .. '\n' .. value)
    redis.call('ZADD', own .. 'dead:order', id, id)
  end
  redis.call('ZREM', own .. 'schedule', value)
  woken[queue] = true
end
-- Celery's clients know nothing of our tokens. Once one was heard of, every node looks more often for a minute.
for q = 7 + suffixes, #ARGV do
  for s = 7, 6 + suffixes do
    if paused[ARGV[q]] then break end
    if lanes[ARGV[q] .. '\n' .. ARGV[s]] then woken[ARGV[q]] = true end
    if not woken[ARGV[q]] and redis.call('EXISTS', all .. ARGV[q] .. ARGV[s]) == 1 then
      if redis.call('EXISTS', own .. 'wake:' .. ARGV[q]) == 0 then redis.call('SET', own .. 'strangers', 1, 'EX', 60) end
      woken[ARGV[q]] = true
    end
  end
end
for queue in pairs(woken) do
  if not paused[queue] then redis.call('ZADD', own .. 'wake:' .. queue, 0, 1) end
end

local answer = { -1, redis.call('EXISTS', own .. 'strangers'), tonumber(redis.call('GET', own .. 'revision') or 0), {} }
for task in pairs(parked_types(own)) do
  if redis.call('SISMEMBER', own .. 'paused:tasks', task) == 0 then table.insert(answer[4], task) end
end
table.sort(answer[4])
local first = redis.call('ZRANGE', own .. 'schedule', 0, 0, 'WITHSCORES')
if first[2] then answer[1] = math.max(0, math.ceil(tonumber(first[2]) - now)) end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now)) do
  local children = redis.call('SMEMBERS', own .. 'children:' .. name)
  for _, child in ipairs(children) do
    answer[#answer + 1] = name
    answer[#answer + 1] = child
  end
  if #children == 0 then
    redis.call('ZREM', nodes, name)
    redis.call('HDEL', own .. 'records', name)
  end
end
return answer
