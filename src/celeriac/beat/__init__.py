"""Beat: sends the entries of a timetable when they are due. Any number of schedulers; each tick is sent once."""
