"""``python -m celeriac``: the same as the command ``celeriac``."""

from celeriac.cli.main import main

if __name__ == "__main__":
    main()
