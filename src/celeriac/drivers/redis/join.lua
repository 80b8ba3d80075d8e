-- Record parts of a chord whose messages are in another store.
-- ARGV: key of the chord, claimant, life (ms, 0: for ever), number of parts, and for each of them: member, place, body
return join(ARGV[1], ARGV[2], tonumber(ARGV[3]), 5, #ARGV, look(ARGV[1])) and 1 or 0
