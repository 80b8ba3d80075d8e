-- Store and announce results that nobody was asked a lease for.
-- ARGV: for each: key, which is also the channel; result; its life (ms, 0: for ever); 1 if its state is final
local ends = { SUCCESS = true, FAILURE = true, REVOKED = true }

for i = 1, #ARGV, 4 do
  local known = string.match(redis.call('GETRANGE', ARGV[i], 0, 24), '^{"status": ?"(%u+)"') or ''
  -- The first success stays, whoever comes later. So does any end when a late voice says that the task is on its way.
  if known ~= 'SUCCESS' and (ARGV[i + 3] == '1' or not ends[known]) then
    if tonumber(ARGV[i + 2]) > 0 then
      redis.call('SET', ARGV[i], ARGV[i + 1], 'PX', ARGV[i + 2])
    else
      redis.call('SET', ARGV[i], ARGV[i + 1])
    end
    redis.call('PUBLISH', ARGV[i], ARGV[i + 1])
  end
end
return 1
