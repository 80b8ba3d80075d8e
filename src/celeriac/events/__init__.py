"""Events: what nodes and clients tell monitors, and what a monitor makes of it."""
