"""Coloured text for terminals, by Celery's names."""

from __future__ import annotations

from typing import Any, Final, Self

OP_SEQ: Final = "\033[%dm"
RESET_SEQ: Final = "\033[0m"
COLOR_SEQ: Final = "\033[1;%dm"
COLORS: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def fg(s: int) -> str:
    """Return what switches to this colour of letters, from 30."""
    return COLOR_SEQ % s


class colored:  # noqa: N801 - Celery's name
    """Text in colours, which may have text in colours in it: ``str(colored().red("no ", colored().bold("way")))``."""

    def __init__(self, *s: Any, **kwargs: Any) -> None:
        """Hold these texts. ``enabled=False``: plain; ``op``: what switches to the colour."""
        self.s: tuple[Any, ...] = s
        self.enabled: bool = kwargs.get("enabled", True)
        self.op: str = kwargs.get("op", "")
        self.names = {name: getattr(self, name) for name in COLORS}

    def no_color(self) -> str:
        """Return the text, plain."""
        return "".join(one.no_color() if isinstance(one, colored) else str(one) for one in self.s)

    def embed(self) -> str:
        """Return the text in its colours; the last one stays on."""
        return (self.op if self.enabled else "") + "".join(
            one.embed() + (RESET_SEQ if self.enabled and one.op else "") if isinstance(one, colored) else str(one)
            for one in self.s
        )

    def __str__(self) -> str:
        return self.embed() + (RESET_SEQ if self.enabled else "")

    def __repr__(self) -> str:
        return repr(self.no_color())

    def __add__(self, other: object) -> str:
        """Return both, as one text."""
        return f"{self}{other}"

    def node(self, s: tuple[Any, ...], op: str) -> Self:
        """Return these texts after what ``op`` switches to."""
        return type(self)(*s, enabled=self.enabled, op=op)

    def black(self, *s: Any) -> Self:
        """Return them in black."""
        return self.node(s, fg(30))

    def red(self, *s: Any) -> Self:
        """Return them in red."""
        return self.node(s, fg(31))

    def green(self, *s: Any) -> Self:
        """Return them in green."""
        return self.node(s, fg(32))

    def yellow(self, *s: Any) -> Self:
        """Return them in yellow."""
        return self.node(s, fg(33))

    def blue(self, *s: Any) -> Self:
        """Return them in blue."""
        return self.node(s, fg(34))

    def magenta(self, *s: Any) -> Self:
        """Return them in magenta."""
        return self.node(s, fg(35))

    def cyan(self, *s: Any) -> Self:
        """Return them in cyan."""
        return self.node(s, fg(36))

    def white(self, *s: Any) -> Self:
        """Return them in white."""
        return self.node(s, fg(37))

    def bold(self, *s: Any) -> Self:
        """Return them in bold letters."""
        return self.node(s, OP_SEQ % 1)

    def underline(self, *s: Any) -> Self:
        """Return them underlined."""
        return self.node(s, OP_SEQ % 4)

    def blink(self, *s: Any) -> Self:
        """Return them blinking."""
        return self.node(s, OP_SEQ % 5)

    def reverse(self, *s: Any) -> Self:
        """Return them with letters and ground exchanged."""
        return self.node(s, OP_SEQ % 7)

    def bright(self, *s: Any) -> Self:
        """Return them hidden, as terminals mean this sign today."""
        return self.node(s, OP_SEQ % 8)

    def ired(self, *s: Any) -> Self:
        """Return them on red ground."""
        return self.node(s, fg(41))

    def igreen(self, *s: Any) -> Self:
        """Return them on green ground."""
        return self.node(s, fg(42))

    def iyellow(self, *s: Any) -> Self:
        """Return them on yellow ground."""
        return self.node(s, fg(43))

    def iblue(self, *s: Any) -> Self:
        """Return them on blue ground."""
        return self.node(s, fg(44))

    def imagenta(self, *s: Any) -> Self:
        """Return them on magenta ground."""
        return self.node(s, fg(45))

    def icyan(self, *s: Any) -> Self:
        """Return them on cyan ground."""
        return self.node(s, fg(46))

    def iwhite(self, *s: Any) -> Self:
        """Return them on white ground."""
        return self.node(s, fg(47))

    def reset(self, *s: Any) -> Self:
        """Return them as the terminal has it."""
        return self.node(s or ("",), RESET_SEQ)
