-- A node says goodbye. If it holds something all the same, its lease ends now: others must find it.
-- ARGV: prefix of our keys, node
local own, node = ARGV[1], ARGV[2]
local holds = false
for _, child in ipairs(redis.call('SMEMBERS', own .. 'children:' .. node)) do
  if redis.call('EXISTS', own .. 'leased:' .. node .. '/' .. child) == 1 then holds = true end
end
redis.call('HDEL', own .. 'records', node)
if holds then
  redis.call('ZADD', own .. 'nodes', 0, node)
else
  redis.call('ZREM', own .. 'nodes', node)
  redis.call('DEL', own .. 'children:' .. node)
end
return 1
