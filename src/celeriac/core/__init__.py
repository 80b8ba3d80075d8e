"""Frozen data and pure functions: no sockets, threads, clock, randomness or globals."""
