"""``celeriac amqp``: look after queues by hand, one command or a prompt for many, by AMQP's names.

In a message's life: beside it. The stores of this version have queues and no exchanges: what concerns exchanges is refused in a
sentence. What ``basic.get`` took goes back when the prompt ends, unless ``basic.ack`` deleted it. Does not know: tasks.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import suppress
from pprint import pformat
from typing import Any, Final

import click

from celeriac.app.app import Celery
from celeriac.cli.by_hand import ByHand
from celeriac.cli.completing import complete_queues
from celeriac.cli.failures import sentence, told
from celeriac.cli.option_types import plain_name
from celeriac.cli.output import as_json, print_json, printable
from celeriac.cli.program import Program
from celeriac.cli.user_options import OpenGroup
from celeriac.core.errors import CeleriacError
from celeriac.core.message import Delivery, Outgoing, Parcel, Rejected
from celeriac.drivers.url import mask, scheme_of

PROMPT: Final = "amqp> "
_ENDS: Final = frozenset({"exit", "quit", ":q"})

queue_argument = click.argument("queue", type=plain_name, shell_complete=complete_queues)


class Session:
    """What the commands of one prompt share."""

    def __init__(self, app: Celery) -> None:
        self.app, self.store = app, app.store
        self.hands = ByHand(app.store, app.runtime)

    def no_exchanges(self) -> click.ClickException:
        """Return the error for what only a broker with exchanges can do."""
        scheme = scheme_of(self.app.places.broker)
        return click.ClickException(f"{scheme}:// has no exchanges: a message goes to the queue that its routing key names")


pass_session = click.make_pass_decorator(Session)


@click.group("amqp", cls=OpenGroup, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Look after queues by hand; without a command, at a prompt.

    On the stores of this version messages go to the queue that their routing key names, and nothing has to be declared.
    """
    program = ctx.find_object(Program)
    assert program is not None
    ctx.obj = session = Session(program.reach())
    ctx.call_on_close(session.hands.close)
    if ctx.invoked_subcommand is None:
        prompt(ctx)


@command.command("repl")
@click.pass_context
def repl(ctx: click.Context) -> None:
    """Open the prompt."""
    assert ctx.parent is not None
    prompt(ctx.parent)


def prompt(ctx: click.Context) -> None:
    """Carry out commands until the input ends; one that fails does not end it."""
    session: Session = ctx.obj
    if sys.stdin.isatty():
        with suppress(ImportError):
            import readline  # noqa: F401 -- late: from now on lines can be edited, and come back
        click.echo(f"{mask(session.app.places.broker)}: 'help' names the commands, 'exit' or Ctrl-D ends.")
    for words in typed():
        try:
            name, *rest = words
            if name == "help":
                click.echo(ctx.command.get_help(ctx))
                continue
            _, found, rest = command.resolve_command(ctx, [name, *rest])
            if found is None or name == "repl":
                raise click.UsageError(f"{name!r} is no command here")
            with found.make_context(name, rest, parent=ctx) as inner:
                found.invoke(inner)
        except click.exceptions.Exit:  # --help
            continue
        except click.ClickException as error:
            click.echo(told(error), err=True)
        except (CeleriacError, OSError) as error:
            click.echo(sentence(error), err=True)


def typed() -> Iterator[list[str]]:
    """Yield the words of each line."""
    shown = PROMPT if sys.stdin.isatty() else ""
    while True:
        try:
            words = shlex.split(input(shown), comments=True)
        except EOFError:
            return
        except ValueError as error:
            click.echo(f"that line cannot be read: {error}", err=True)
            continue
        if words and words[0] in _ENDS:
            return
        if words:
            yield words


@command.command("exchange.declare")
@click.argument("exchange")
@click.argument("type")
@click.argument("passive", type=bool, default=False)
@click.argument("durable", type=bool, default=False)
@click.argument("auto_delete", type=bool, default=False)
@pass_session
def exchange_declare(session: Session, /, **_: Any) -> None:
    """Declare an exchange: only where a broker has exchanges."""
    raise session.no_exchanges()


@command.command("exchange.delete")
@click.argument("exchange")
@click.argument("if_unused", type=bool, default=False)
@pass_session
def exchange_delete(session: Session, /, **_: Any) -> None:
    """Delete an exchange: only where a broker has exchanges."""
    raise session.no_exchanges()


@command.command("queue.bind")
@queue_argument
@click.argument("exchange")
@click.argument("routing_key")
@pass_session
def queue_bind(session: Session, /, **_: Any) -> None:
    """Bind a queue to an exchange: only where a broker has exchanges."""
    raise session.no_exchanges()


@command.command("queue.declare")
@queue_argument
@click.argument("passive", type=bool, default=False)
@click.argument("durable", type=bool, default=False)
@click.argument("auto_delete", type=bool, default=False)
@as_json
@pass_session
def queue_declare(session: Session, queue: str, passive: bool, durable: bool, auto_delete: bool, as_json: bool) -> None:
    """Say how many messages wait in a queue, and how many nodes serve it.

    A queue is there when it is sent to: PASSIVE and DURABLE ask for what is so in any case.
    """
    del passive, durable
    if auto_delete:
        raise click.UsageError(f"{queue!r} cannot be deleted by itself: a queue here is there as long as it has messages")
    waiting, serving = session.store.depth([queue])[0], len(serving_nodes(session, queue))
    if as_json:
        print_json({"queue": queue, "messages": waiting, "consumers": serving})
    else:
        click.echo(f"queue:{queue} messages:{waiting} consumers:{serving}")


@command.command("queue.delete")
@queue_argument
@click.argument("if_unused", type=bool, default=False)
@click.argument("if_empty", type=bool, default=False)
@pass_session
def queue_delete(session: Session, queue: str, if_unused: bool, if_empty: bool) -> None:
    """Delete a queue, that is, its messages, and those in the schedule for it."""
    if if_unused and (nodes := serving_nodes(session, queue)):
        raise click.ClickException(f"{queue!r} is served by {', '.join(nodes)}")
    if if_empty and (waiting := session.store.depth([queue])[0]):
        raise click.ClickException(f"{queue!r} has messages: {waiting}")
    deleted(session.store.purge([queue]))


@command.command("queue.purge")
@queue_argument
@pass_session
def queue_purge(session: Session, queue: str) -> None:
    """Delete the messages that wait in a queue, and those in the schedule for it."""
    deleted(session.store.purge([queue]))


@command.command("basic.get")
@queue_argument
@click.argument("no_ack", type=bool, default=False)
@as_json
@pass_session
def basic_get(session: Session, queue: str, no_ack: bool, as_json: bool) -> None:
    """Take the first message of a queue and show it. With NO_ACK it is deleted; else `basic.ack` does that, or it goes back."""
    delivery = session.hands.take(queue)
    if delivery is None:
        if as_json:
            print_json(None)
        else:
            click.echo("No messages in queue. basic.publish something.")
        return
    if no_ack:
        session.hands.give_up(delivery.tag)
    shown = dump(delivery)
    if as_json:
        print_json(shown)
    else:
        click.echo(pformat(shown))


@command.command("basic.ack")
@click.argument("delivery_tag", type=int)
@pass_session
def basic_ack(session: Session, delivery_tag: int) -> None:
    """Delete a message that `basic.get` took at this prompt."""
    if not session.hands.give_up(delivery_tag):
        raise click.ClickException(f"no message of delivery tag {delivery_tag} is held here")
    click.echo("OK")


@command.command("basic.publish")
@click.argument("msg")
@click.argument("exchange")
@click.argument("routing_key")
@click.argument("mandatory", type=bool, default=False)
@click.argument("immediate", type=bool, default=False)
@pass_session
def basic_publish(session: Session, msg: str, exchange: str, routing_key: str, mandatory: bool, immediate: bool) -> None:
    """Put the text MSG into the queue ROUTING_KEY. EXCHANGE is '', or that of one of the app's queues."""
    del mandatory  # it goes to a queue in any case, or is refused
    if immediate:
        raise click.UsageError("a message cannot be sent only if somebody waits for it")
    queue = plain_name(routing_key) if not exchange else bound(session, exchange, routing_key)
    properties = {"delivery_mode": 2}
    parcel = Parcel(body=msg.encode(), content_type="text/plain", content_encoding="utf-8", headers={}, properties=properties)
    session.store.publish([Outgoing(parcel=parcel, queue=queue, exchange=exchange, routing_key=routing_key)])
    click.echo("OK")


def bound(session: Session, exchange: str, routing_key: str) -> str:
    """Return the queue of the app's that is bound to an exchange by this key."""
    for queue in session.app.router.queues.values():
        if queue.source.name == exchange and queue.key == routing_key:
            return queue.name
    raise click.ClickException(f"none of the app's queues is bound to the exchange {exchange!r} by {routing_key!r}")


def serving_nodes(session: Session, queue: str) -> list[str]:
    """Return the nodes that say that they serve a queue."""
    return [printable(one.node) for one in session.store.nodes() if queue in (one.info.get("queues") or ())]  # type: ignore[operator]


def dump(delivery: Delivery) -> dict[str, Any]:
    """Return what a message is, for people and programs."""
    info = {"delivery_tag": delivery.tag, "queue": delivery.queue}
    parcel = delivery.parcel
    if isinstance(parcel, Rejected):
        return {"body": text_of(delivery.raw), "unreadable": parcel.detail or parcel.reason, "delivery_info": info}
    return {
        "body": text_of(parcel.body),
        "content_type": parcel.content_type,
        "headers": dict(parcel.headers),
        "properties": dict(parcel.properties),
        "delivery_info": info,
    }


def text_of(body: bytes) -> str:
    """Return bytes as text; what is no text is shown as escapes."""
    return body.decode("utf-8", "backslashreplace")


def deleted(count: int) -> None:
    """Say how many."""
    click.echo(f"{count} {'message' if count == 1 else 'messages'} deleted.")
