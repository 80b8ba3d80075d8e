-- ARGV: key of the chord, how many parts it has, its life (ms, 0: for ever)
open_if_new(ARGV[1], ARGV[2], tonumber(ARGV[3]))
return 1
