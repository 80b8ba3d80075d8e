"""Many schedulers in processes of their own, killed and frozen at random: run as a program, with what to do as arguments.

One process imports everything and forks the schedulers, so that twenty of them start in a moment. At its end all that live are
thawed and stopped. Prints how long each change of leaders took that it forced.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import suppress

from celeriac.app.periodic.place import timetable_of
from celeriac.beat.service import Beat

sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
from system import ticking


def begin(skew_s: float) -> int:
    """Fork one scheduler; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        beat = Beat(ticking.made(skew_s))
        signal.signal(signal.SIGTERM, lambda *_: beat.stop())
        beat.run()
        code = 0
    finally:
        os._exit(code)


def leader() -> int:
    """Return the process id of who leads; 0: nobody."""
    agenda = timetable_of(ticking.app)[1].attend("watch", lease_s=0.001, limit=0)
    return 0 if agenda.leader == "watch" else int(agenda.leader.rsplit("-", 2)[1])


def main(size: int, seconds: float, seed: int, skew_s: float) -> None:
    """Disturb so many schedulers for so long."""
    chance = random.Random(seed)
    crew = [begin(chance.uniform(-skew_s, skew_s)) for _ in range(size)]
    ticking.app.close()
    frozen: dict[int, float] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.25)
        for pid in [pid for pid, until in frozen.items() if time.monotonic() > until]:
            os.kill(pid, signal.SIGCONT)
            del frozen[pid]
        first = leader()
        victim = first if first in crew and chance.random() < 0.5 else chance.choice(crew)
        if chance.random() < 0.5:
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            frozen.pop(victim, None)
            crew[crew.index(victim)] = begin(chance.uniform(-skew_s, skew_s))
            if victim == first:
                report_takeover(victim)
        elif len(frozen) < size // 2:
            os.kill(victim, signal.SIGSTOP)
            frozen[victim] = time.monotonic() + chance.uniform(0.1, 5.0)
    for pid in crew:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)
    print("codes", sorted({os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in crew}))


def report_takeover(former: int) -> None:
    """Wait until another leads; print how long that took."""
    began = time.monotonic()
    while leader() in {0, former}:
        time.sleep(0.02)
    print("takeover", round(time.monotonic() - began, 2), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
