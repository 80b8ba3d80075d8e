-- Take over what a lessee holds: from then on it can settle nothing of it. Tags stay as they are.
-- Nothing moves from another node that is alive: it may have spoken after it was called dead.
-- ARGV: prefix of our keys, node and child of the lost, node and child of the heir, limit
-- Returns: tag, "queue\nsuffix", bytes for each delivery that the heir holds now, in the order of the tags.
--          So a call whose answer was lost is made again without harm.
local own, limit = ARGV[1], tonumber(ARGV[6])
local lost, heir = ARGV[2] .. '/' .. ARGV[3], ARGV[4] .. '/' .. ARGV[5]

local function tags_of(lessee)
  local tags = redis.call('HKEYS', own .. 'leased:' .. lessee)
  table.sort(tags, function(a, b) return tonumber(a) < tonumber(b) end)
  return tags
end

local function alive(node)
  local t = redis.call('TIME')
  local lease = redis.call('ZSCORE', own .. 'nodes', node)
  return lease and tonumber(lease) > t[1] * 1000 + math.floor(t[2] / 1000)
end

if ARGV[2] == ARGV[4] or not alive(ARGV[2]) then
  local held = tags_of(lost)
  for i = 1, math.min(limit, #held) do
    for _, kind in ipairs({ 'leased:', 'from:' }) do
      redis.call('HSET', own .. kind .. heir, held[i], redis.call('HGET', own .. kind .. lost, held[i]))
      redis.call('HDEL', own .. kind .. lost, held[i])
    end
  end
  if limit > 0 and #held > 0 then redis.call('SADD', own .. 'children:' .. ARGV[4], ARGV[5]) end
  if #held <= limit then redis.call('SREM', own .. 'children:' .. ARGV[2], ARGV[3]) end
end
local answer = {}
for _, tag in ipairs(tags_of(heir)) do
  answer[#answer + 1] = tonumber(tag)
  answer[#answer + 1] = redis.call('HGET', own .. 'from:' .. heir, tag)
  answer[#answer + 1] = redis.call('HGET', own .. 'leased:' .. heir, tag)
end
if #answer == 0 then redis.call('SREM', own .. 'children:' .. ARGV[4], ARGV[5]) end
return answer
