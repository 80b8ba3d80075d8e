"""Commands of other packages."""

from __future__ import annotations

import pytest

from cli.pages import ROOT, blocks
from cli.terminal import Terminal

COMMANDS = """
    import click
    from celeriac.cli.program import pass_program


    @click.command()
    @click.option("--port", type=int)
    @click.pass_context
    def older(ctx, port):
        "Watch, as a command of Celery does."
        ctx.obj.echo(f"{ctx.obj.app.main} {port} {ctx.obj.OK} {ctx.obj.pretty({'ok': ['a']})}")


    @click.command()
    @pass_program
    def newer(program):
        "Watch, as a command of ours does."
        click.echo(program.load().main)


    not_a_command = 3
"""
ENTRIES = """
    [celery.commands]
    older = added:older
    broken = added_nowhere:command
    number = added:not_a_command
    purge = added:older

    [celeriac.commands]
    newer = added:newer
"""


@pytest.fixture
def terminal(terminal: Terminal) -> Terminal:
    """Give a terminal in an environment with a package that adds commands."""
    terminal.write("added.py", COMMANDS)
    terminal.write("added-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: added\nVersion: 1.5\n")
    terminal.write("added-1.5.dist-info/entry_points.txt", ENTRIES)
    return terminal


def test_they_are_in_the_help_with_the_package_that_they_come_from(terminal: Terminal) -> None:
    ran = terminal.celeriac("--help")

    theirs = ran.out.partition("Commands of other packages:")[2]
    assert next(line.split() for line in theirs.splitlines() if line) == ["broken", "From", "added", "1.5."], ran.err
    assert "purge" not in theirs


def test_a_command_written_for_celery_finds_app_and_output_where_it_looks_for_them(terminal: Terminal) -> None:
    ran = terminal.celeriac("-A", "shop", "older", "--port", "5555")

    assert (ran.code, ran.out) == (0, "shop 5555 OK ('OK', '    * a')\n"), ran.err


def test_a_command_written_for_us_finds_the_program(terminal: Terminal) -> None:
    ran = terminal.celeriac("-A", "shop", "newer")

    assert (ran.code, ran.out) == (0, "shop\n"), ran.err


def test_the_options_that_the_app_adds_to_every_command_are_theirs_too(terminal: Terminal) -> None:
    terminal.write(
        "preloading.py",
        """
        import click
        from celeriac import Celery, signals

        app = Celery("preloading")
        app.user_options["preload"].add(click.Option(["-Z", "--template"]))
        signals.user_preload_options.connect(lambda options, **_: print(options), weak=False)
        """,
    )

    ran = terminal.celeriac("-A", "preloading", "older", "-Z", "fancy")

    assert ran.out.splitlines()[0] == "{'template': 'fancy'}", ran.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("broken", "--port", "1"), "(from added 1.5) cannot be used: ModuleNotFoundError: No module named 'added_nowhere'"),
        (("number",), "cannot be used: it is no click.Command but 3"),
    ],
)
def test_a_broken_one_says_why_in_a_sentence(terminal: Terminal, words: tuple[str, ...], sentence: str) -> None:
    ran = terminal.celeriac(*words)

    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert sentence in ran.err


def test_the_command_of_the_guide_does_what_the_guide_says(terminal: Terminal) -> None:
    [example] = [block for block in blocks(ROOT / "docs" / "guide" / "cli.md", "python") if "def waiting" in block]
    terminal.write("added.py", example)
    terminal.write("added-1.5.dist-info/entry_points.txt", "[celeriac.commands]\nwaiting = added:waiting\n")
    terminal.celeriac("-A", "shop", "call", "shop.add", "-a", "[2, 3]")

    ran = terminal.celeriac("-A", "shop", "waiting")

    assert (ran.code, ran.out) == (0, "1\n"), ran.err


def test_our_own_commands_are_not_replaced(terminal: Terminal) -> None:
    ran = terminal.celeriac("-A", "shop", "purge", "--force")

    assert ran.out == "0 messages deleted from celery.\n"
