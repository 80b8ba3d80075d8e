-- Store and announce results.
-- ARGV: for each: key, which is also the channel; result; its life (ms, 0: for ever)
for i = 1, #ARGV, 3 do
  -- The first success stays, whoever comes later.
  if not string.find(redis.call('GETRANGE', ARGV[i], 0, 24), '^{"status": ?"SUCCESS"') then
    if tonumber(ARGV[i + 2]) > 0 then
      redis.call('SET', ARGV[i], ARGV[i + 1], 'PX', ARGV[i + 2])
    else
      redis.call('SET', ARGV[i], ARGV[i + 1])
    end
    redis.call('PUBLISH', ARGV[i], ARGV[i + 1])
  end
end
return 1
