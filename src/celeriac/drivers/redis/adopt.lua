-- Take over what a lessee holds: from then on it can settle nothing of it. Tags stay as they are.
-- ARGV: prefix of our keys, node and child of the lost, node and child of the heir, limit
-- Returns: tag, "queue\nsuffix\nbytes" for each delivery that the heir holds now, in the order of the tags.
--          So a call whose answer was lost is made again without harm.
local own, limit = ARGV[1], tonumber(ARGV[6])
local lost = own .. 'leased:' .. ARGV[2] .. '/' .. ARGV[3]
local heir = own .. 'leased:' .. ARGV[4] .. '/' .. ARGV[5]

local function sorted(flat)
  local all = {}
  for i = 1, #flat, 2 do all[#all + 1] = { flat[i], flat[i + 1] } end
  table.sort(all, function(a, b) return tonumber(a[1]) < tonumber(b[1]) end)
  return all
end

local held = sorted(redis.call('HGETALL', lost))
for i = 1, math.min(limit, #held) do
  redis.call('HDEL', lost, held[i][1])
  redis.call('HSET', heir, held[i][1], held[i][2])
end
if #held > 0 then redis.call('SADD', own .. 'children:' .. ARGV[4], ARGV[5]) end
if #held <= limit then redis.call('SREM', own .. 'children:' .. ARGV[2], ARGV[3]) end
local answer = {}
for _, pair in ipairs(sorted(redis.call('HGETALL', heir))) do
  answer[#answer + 1] = tonumber(pair[1])
  answer[#answer + 1] = pair[2]
end
if #answer == 0 then redis.call('SREM', own .. 'children:' .. ARGV[4], ARGV[5]) end
return answer
