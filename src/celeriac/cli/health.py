"""``celeriac health``: ask the health endpoint of a node, for probes and for people. The program's own app is not imported.

Does not know: what is healthy; the node says so.
"""

from __future__ import annotations

import json
import socket
from typing import Any, Final

import click

from celeriac.cli.failures import FAILURE, OK, UNAVAILABLE
from celeriac.cli.output import as_json, printable
from celeriac.cli.user_options import OpenCommand
from celeriac.core.endpoint import Address, TcpAddress, parse_address
from celeriac.core.errors import ImproperlyConfigured

_VARIABLES: Final = ["CELERIAC_HEALTH_ADDRESS", "CELERY_WORKER_HEALTH_ADDRESS"]
_LONGEST: Final = 1_000_000


@click.command("health", cls=OpenCommand)
@click.argument("address", envvar=_VARIABLES, metavar="[ADDRESS]", required=False)
@click.option("--live", "question", flag_value="live", help="Is it alive? Restart it if not.")
@click.option("--ready", "question", flag_value="ready", help="Does it take work?")
@click.option("--progress", "question", flag_value="progress", help="Is work that waits being done?")
@click.option("-t", "--timeout", type=click.FloatRange(min=0, min_open=True), default=2.0, show_default=True, help="Seconds.")
@as_json
def command(address: str | None, question: str | None, timeout: float, as_json: bool) -> int:
    """Say how a node is; exit code 0: well, 1: not, 69: it did not answer.

    ADDRESS is what the worker got as --health-address: unix:/path or host:port. Without a question: is it live and ready?
    """
    if address is None:
        raise click.UsageError(f"say where: an address such as unix:/run/shop.sock or :8080, or set {_VARIABLES[0]}")
    try:
        where = parse_address(address)
    except ImproperlyConfigured as error:
        # Not FAILURE: to a probe that would say that the node is not well.
        raise click.UsageError(str(error)) from error
    try:
        told: dict[str, Any] = ask(where, timeout)
    except (OSError, ValueError) as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "why": f"no answer: {error}"}))
        else:
            click.echo(f"celeriac: {address}: no answer: {error}", err=True)
        return UNAVAILABLE
    asked = [question] if question else ["live", "ready"]
    ok = all(told[name]["ok"] for name in asked)
    if as_json:
        click.echo(json.dumps({"ok": ok, **told}))
    else:
        for name in asked:
            finding = told[name]
            click.echo(f"{name}: {'yes' if finding['ok'] else 'no'}, {printable(str(finding['why']))}")
    return OK if ok else FAILURE


def ask(address: Address, timeout_s: float) -> dict[str, Any]:
    """Return all that a node says of its health.

    Raises:
        OSError: it was not reached in time.
        ValueError: what answers there is no node.
    """
    if isinstance(address, TcpAddress):
        talk = socket.create_connection((address.host, address.port), timeout=timeout_s)
    else:
        talk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        talk.settimeout(timeout_s)
        talk.connect(address.path)
    with talk:
        talk.sendall(b"GET / HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
        said = b""
        while data := talk.recv(65536):
            said += data
            if len(said) > _LONGEST:
                raise ValueError("what answers there is no node")
    try:
        told = json.loads(said.partition(b"\r\n\r\n")[2])
    except ValueError:
        told = None
    if not isinstance(told, dict) or not {"live", "ready", "progress"} <= told.keys():
        raise ValueError("what answers there is no node")
    return told
