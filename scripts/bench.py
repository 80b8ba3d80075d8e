"""Run the side-by-side driver on the Redis that ``servers.py`` started: never on one that holds somebody's data.

python scripts/bench.py DRIVER [ARGUMENT ...]
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Become the driver, with our Redis as its address."""
    driver, *arguments = sys.argv[1:]
    url = os.environ["CELERIAC_TEST_REDIS"].rpartition("/")[0] + "/9"  # the driver empties the database it is given
    os.execv(sys.executable, [sys.executable, driver, "--redis-url", url, *arguments])


if __name__ == "__main__":
    main()
