"""What the tests of users and of drivers need: clocks, the contract of a store, simulations."""
