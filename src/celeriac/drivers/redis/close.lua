-- ARGV: key of the chord
close(ARGV[1])
return 1
