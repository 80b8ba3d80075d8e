-- Lead a timetable, unless another does; as the leader, read what is due.
-- ARGV: prefix of the timetable's keys, who, lease (ms), how many entries at most
-- Returns: now (ms), who leads, then for the leader: when the first of the others is due (ms, -1: none),
--          then name, due, state, entry for each that is due. A state begins with "revision\n".
local at, who, limit = ARGV[1], ARGV[2], tonumber(ARGV[4])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local leader = redis.call('GET', at .. 'leader')
if leader and leader ~= who then return { now, leader } end
redis.call('SET', at .. 'leader', who, 'PX', ARGV[3])

local due = {}
if limit > 0 then due = redis.call('ZRANGEBYSCORE', at .. 'due', '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit) end
local first = redis.call('ZRANGE', at .. 'due', #due / 2, #due / 2, 'WITHSCORES')
local answer = { now, who, tonumber(first[2] or -1) }
for i = 1, #due, 2 do
  answer[#answer + 1] = due[i]
  answer[#answer + 1] = tonumber(due[i + 1])
  answer[#answer + 1] = redis.call('HGET', at .. 'states', due[i])
  answer[#answer + 1] = redis.call('HGET', at .. 'entries', due[i])
end
return answer
