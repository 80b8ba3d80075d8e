# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on notices: who listens hears, whoever else does not, and nothing is kept.

What must not be heard is followed by a notice that must: when that one has come, the other would have come before.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from queue import SimpleQueue

import pytest

from celeriac.abc import Store
from celeriac.core.message import Parcel
from celeriac.core.notice import Notice
from celeriac.testing.conformance.subject import PATIENCE_S, Contract, Subject


def a_notice(text: str, *, exchange: str = "news", key: str = "") -> Notice:
    """Return a notice that says ``text``."""
    parcel = Parcel(
        body=text.encode(),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"clock": 7, "name": "Zoë"},
        properties={"delivery_mode": 1},
    )
    return Notice(exchange, key, parcel)


class Heard:
    """What one listener has heard."""

    def __init__(self) -> None:
        self._heard: SimpleQueue[Notice] = SimpleQueue()

    def __call__(self, notice: Notice) -> None:
        """Hear."""
        self._heard.put(notice)

    def next(self) -> Notice:
        """Wait for one notice."""
        return self._heard.get(timeout=PATIENCE_S)

    def until(self, last: str) -> list[str]:
        """Wait for the notice that says ``last``; return what all those before it said."""
        texts: list[str] = []
        while (text := self.next().parcel.body.decode()) != last:
            texts.append(text)
        return texts


class Notices(Contract):
    """Said once, heard at most once by each who listens at that moment."""

    def test_a_notice_is_heard_by_all_who_listen(self, subject: Subject, store: Store) -> None:
        here, there = Heard(), Heard()
        store.broadcast.listen("news", ["#"], here)
        subject.another().broadcast.listen("news", ["#"], there)

        store.broadcast.say([a_notice("a")])

        assert [here.next().parcel.body, there.next().parcel.body] == [b"a", b"a"]

    def test_a_notice_arrives_as_it_was_said(self, subject: Subject, store: Store) -> None:
        heard, said = Heard(), a_notice('{"n": 1}', key="task.succeeded")
        store.broadcast.listen("news", ["#"], heard)

        subject.another().broadcast.say([said])

        notice = heard.next()
        assert (notice.exchange, notice.routing_key) == ("news", "task.succeeded")
        assert notice.parcel.body == said.parcel.body
        assert (notice.parcel.content_type, notice.parcel.content_encoding) == ("application/json", "utf-8")
        assert notice.parcel.headers == said.parcel.headers
        assert notice.parcel.properties["delivery_mode"] == 1

    def test_notices_are_heard_in_the_order_in_which_one_says_them(self, subject: Subject, store: Store) -> None:
        heard, numbers = Heard(), [str(number) for number in range(500)]
        store.broadcast.listen("news", ["#"], heard)

        another = subject.another().broadcast
        another.say([a_notice(text, key=f"k.{text}") for text in numbers[:300]])
        for text in numbers[300:]:
            another.say([a_notice(text)])
        another.say([a_notice("end")])

        assert heard.until("end") == numbers

    @pytest.mark.parametrize(
        ("patterns", "fitting"),
        [
            (["#"], ["", "task", "task.failed", "task.a.b", "worker.online"]),
            (["task.*"], ["task.failed"]),
            (["task.#"], ["task", "task.failed", "task.a.b"]),
            (["*.online"], ["worker.online"]),
            (["#.b"], ["task.a.b"]),
            (["task.failed"], ["task.failed"]),
            (["task.failed", "worker.#"], ["task.failed", "worker.online"]),
            (["#", "task.#", "task.failed"], ["", "task", "task.failed", "task.a.b", "worker.online"]),
            ([""], [""]),
        ],
    )
    def test_only_keys_that_fit_are_heard_and_each_once(
        self, subject: Subject, store: Store, patterns: Sequence[str], fitting: Sequence[str]
    ) -> None:
        heard, ends = Heard(), Heard()
        store.broadcast.listen("news", [*patterns, "the.end"], heard)
        store.broadcast.listen("news", ["the.end"], ends)

        keys = ["", "task", "task.failed", "task.a.b", "worker.online"]
        subject.another().broadcast.say([a_notice(key, key=key) for key in keys])
        subject.another().broadcast.say([a_notice("the end", key="the.end")])

        assert heard.until("the end") == fitting
        assert ends.until("the end") == []

    def test_what_is_said_at_another_exchange_is_not_heard(self, subject: Subject, store: Store) -> None:
        heard = Heard()
        store.broadcast.listen("news", ["#"], heard)

        for exchange in ("newspaper", "new", "news/today", "n[e]ws", "*", "news"):
            subject.another().broadcast.say([a_notice(exchange, exchange=exchange)])

        assert heard.until("news") == []

    def test_an_exchange_may_have_any_name(self, subject: Subject, store: Store) -> None:
        for exchange in ("n[e]w?*s", "celery@h.celery.pidbox", "grüße"):
            heard = Heard()
            store.broadcast.listen(exchange, ["#"], heard)

            subject.another().broadcast.say([a_notice("a", exchange=exchange, key="x.y")])

            assert heard.next().exchange == exchange

    def test_nothing_is_kept_for_those_who_listen_later(self, subject: Subject, store: Store) -> None:
        earlier, later = Heard(), Heard()
        store.broadcast.listen("news", ["#"], earlier)
        subject.another().broadcast.say([a_notice("before")])

        store.broadcast.listen("news", ["#"], later)
        subject.another().broadcast.say([a_notice("after")])

        assert earlier.until("after") == ["before"]
        assert later.until("after") == []

    def test_a_closed_ear_hears_nothing_and_the_others_go_on(self, subject: Subject, store: Store) -> None:
        one, other = Heard(), Heard()
        listening = store.broadcast.listen("news", ["#"], one)
        store.broadcast.listen("news", ["#"], other)

        listening.close()
        listening.close()
        subject.another().broadcast.say([a_notice("a")])

        assert other.until("a") == []
        assert one._heard.empty()

    def test_a_listener_that_fails_hears_the_next_notice_too(self, subject: Subject, store: Store) -> None:
        heard = Heard()

        def hear(notice: Notice) -> None:
            heard(notice)
            raise ValueError("as the test asked")

        store.broadcast.listen("news", ["#"], hear)

        subject.another().broadcast.say([a_notice("a")])
        subject.another().broadcast.say([a_notice("b")])

        assert heard.until("b") == ["a"]

    def test_who_hears_may_speak_and_close_his_ear(self, store: Store) -> None:
        answers = Heard()
        store.broadcast.listen("answers", ["#"], answers)

        def hear(notice: Notice) -> None:
            listening.close()
            store.broadcast.say([a_notice(f"heard {notice.parcel.body.decode()}", exchange="answers")])

        listening = store.broadcast.listen("news", ["#"], hear)
        store.broadcast.say([a_notice("a")])

        assert answers.next().parcel.body == b"heard a"

    def test_to_say_nothing_or_to_nobody_is_no_error(self, store: Store) -> None:
        store.broadcast.say([])
        store.broadcast.say([a_notice("a", exchange="nobody listens")])

    def test_an_answer_reaches_the_mailbox_of_its_key_alone(self, subject: Subject, store: Store) -> None:
        mine, yours, said = Heard(), Heard(), Heard()
        store.broadcast.open_mailbox("replies", "mine", mine)
        store.broadcast.open_mailbox("replies", "yours", yours)
        store.broadcast.listen("replies", ["#"], said)

        another = subject.another().broadcast
        another.answer(a_notice("to me", exchange="replies", key="mine"))
        another.answer(a_notice("to you", exchange="replies", key="yours"))
        another.say([a_notice("to all", exchange="replies", key="mine")])
        another.answer(a_notice("to me again", exchange="replies", key="mine"))

        assert mine.until("to me again") == ["to me"]
        assert yours.until("to you") == []
        assert said.until("to all") == []

    def test_an_answer_to_a_closed_mailbox_is_dropped(self, subject: Subject, store: Store) -> None:
        first, second = Heard(), Heard()
        mailbox = store.broadcast.open_mailbox("replies", "mine", first)
        subject.another().broadcast.answer(a_notice("in time", exchange="replies", key="mine"))
        assert first.until("in time") == []

        mailbox.close()
        subject.another().broadcast.answer(a_notice("late", exchange="replies", key="mine"))
        subject.another().broadcast.answer(a_notice("to nobody", exchange="replies", key="nobody"))
        store.broadcast.open_mailbox("replies", "mine", second)
        subject.another().broadcast.answer(a_notice("again", exchange="replies", key="mine"))

        assert second.until("again") == []
        assert first._heard.empty()

    def test_a_large_notice_arrives_whole(self, subject: Subject, store: Store) -> None:
        heard, text = Heard(), "äöü" * 200_000
        store.broadcast.listen("news", ["#"], heard)

        subject.another().broadcast.say([a_notice(text)])

        assert heard.next().parcel.body.decode() == text

    def test_close_ends_every_ear(self, subject: Subject, store: Store) -> None:
        heard, box, other = Heard(), Heard(), Heard()
        another = subject.another()
        if another.broadcast is store.broadcast:
            pytest.skip("all users share one object")
        store.broadcast.listen("news", ["#"], heard)
        store.broadcast.open_mailbox("replies", "mine", box)
        another.broadcast.listen("news", ["#"], other)

        store.close()
        another.broadcast.say([a_notice("a")])
        another.broadcast.answer(a_notice("b", exchange="replies", key="mine"))

        assert other.until("a") == []
        assert heard._heard.empty()
        assert box._heard.empty()

    def test_a_forked_process_can_speak_and_its_parent_hears_once(self, subject: Subject, store: Store) -> None:
        if not subject.processes:
            pytest.skip("a forked process has a store of its own")
        heard = Heard()
        store.broadcast.listen("news", ["#"], heard)

        child = os.fork()
        if child == 0:
            try:
                store.abandon()
                store.broadcast.say([a_notice("from the child")])
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        store.broadcast.say([a_notice("from the parent")])

        assert heard.until("from the parent") == ["from the child"]
