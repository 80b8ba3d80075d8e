"""``celery.utils``: what third parties import from there does what its name says.

The expected values were seen in Celery 5.7.0, but where a comment says otherwise.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from celery import local
from celery.utils import functional, imports, log, nodenames, serialization, text
from celery.utils import time as times
from celery.utils.collections import AttributeDict, DictAttribute, force_mapping
from celery.utils.iso8601 import parse_iso8601
from celery.utils.objects import Bunch
from celery.utils.saferepr import saferepr
from celery.utils.term import colored
from celery.utils.threads import LocalStack

DAY = datetime(2020, 1, 2, 3, 4, 5)

EXPECTED: list[tuple[Callable[[], object], object]] = [
    (lambda: text.truncate("hello world there", 12), "hello world..."),
    (lambda: text.truncate("abcdefghijkl", 5), "abcde..."),
    (lambda: text.truncate("abc", 5), "abc"),
    (lambda: text.abbr("hello", 4), "h..."),
    (lambda: text.abbr("hello", 3, False), "hel"),
    (lambda: text.abbr(None, 3), "???"),
    (lambda: text.abbrtask("proj.tasks.add", 8), "pr[.]add"),
    (lambda: text.abbrtask("a.b", 8), "a.b"),
    (lambda: text.abbrtask(None, 8), "???"),
    (lambda: text.indent("a\nb", 2), "  a\n  b"),
    (lambda: text.dedent("  a\n  b"), "a\nb"),
    (lambda: text.join(["a", "", "b"]), "a\nb"),
    (lambda: text.ensure_sep("\n", "a"), "a\n\n"),
    (lambda: text.ensure_sep("\n", "a\n\n"), "a\n\n"),
    (lambda: [text.pluralize(n, "task") for n in (0, 1, 2)], ["tasks", "task", "tasks"]),
    (lambda: text.pretty({"a": 1}), "{\n 'a': 1}"),
    (lambda: text.pretty((1, 2)), "\n    (1, 2)"),
    (lambda: text.pretty([1]), "[1]"),
    (lambda: text.simple_format("%a-%%-x%b", {"a": "1", "b": lambda: "2", "%": "%"}), "1-%-x2"),
    (lambda: text.str_to_list(["a"]), ["a"]),
    (lambda: text.str_to_list("a,b"), ["a", "b"]),
    (lambda: nodenames.nodesplit("a@b"), ("a", "b")),
    (lambda: nodenames.nodesplit("b"), (None, "b")),
    (lambda: nodenames.nodename("a", "b"), "a@b"),
    (lambda: nodenames.default_nodename("h.org"), "celery@h.org"),
    (lambda: nodenames.default_nodename("x@h"), "x@h"),
    (lambda: nodenames.node_format("%n-%h-%d-%%-%i-%I-%p", "x@h.dom.com"), "x-h.dom.com-dom.com-%-%i-%I-x@h.dom.com"),
    (lambda: nodenames.host_format("%h-%n-%d", "a.b.c", "nm"), "a.b.c-nm-b.c"),
    (lambda: nodenames.worker_direct("w@h").name, "w@h.dq2"),
    (lambda: nodenames.worker_direct("w@h").routing_key, "w@h"),
    (lambda: functional.first(lambda x: x > 1, [1, 2, 3]), 2),
    (lambda: functional.first(None, [None, 0, 3]), 0),
    (lambda: functional.first(lambda x: x > 9, [1]), None),
    (lambda: list(functional.chunks(iter(range(5)), 2)), [[0, 1], [2, 3], [4]]),
    (lambda: functional.padlist([1], 3), [1, None, None]),
    (lambda: functional.padlist([1, 2, 3], 2), [1, 2]),
    (lambda: list(functional.uniq([2, 1, 2])), [2, 1]),
    (lambda: [functional.maybe(int, "3"), functional.maybe(int, None)], [3, None]),
    (lambda: functional.mattrgetter("real", "zz")(3), {"real": 3, "zz": None}),
    (lambda: list(map(functional.maybe_list, (None, 1, [1], "a", {"a": 1}))), [None, [1], [1], ["a"], [{"a": 1}]]),
    (lambda: list(map(functional.is_list, ("a", {"a": 1}, (1,), iter("")))), [False, False, True, True]),
    (lambda: functional.dictfilter({"a": 1, "b": None}, c=None, e=2), {"a": 1, "e": 2}),
    (lambda: functional.noop(1, a=2), None),
    (lambda: [times.rate(r) for r in ("10/m", "36/h", "5", 3, None)], [10 / 60, 0.01, 5.0, 3, 0]),
    (lambda: [times.weekday("sunday"), times.weekday("Mon")], [0, 1]),
    (lambda: times.maybe_timedelta(3), timedelta(seconds=3)),
    (lambda: times.maybe_timedelta(None), None),
    (lambda: times.humanize_seconds(3725), "1.03 hours"),
    (lambda: times.humanize_seconds(1), "1.00 second"),
    (lambda: times.humanize_seconds(0), "now"),
    (lambda: times.humanize_seconds(86400 * 2, "in "), "in 2.00 days"),
    (lambda: times.humanize_seconds(0.5, microseconds=True), "0.50 seconds"),
    (lambda: times.maybe_iso8601("2020-01-01T00:00:00Z"), datetime(2020, 1, 1, tzinfo=UTC)),
    (lambda: times.maybe_iso8601(None), None),
    (lambda: [times.is_naive(DAY), times.is_naive(DAY.replace(tzinfo=UTC))], [True, False]),
    (lambda: times.make_aware(DAY, UTC), DAY.replace(tzinfo=UTC)),
    (lambda: times.to_utc(DAY), DAY.replace(tzinfo=UTC)),
    (lambda: times.maybe_make_aware(DAY), DAY.replace(tzinfo=UTC)),
    (lambda: times.localize(DAY.replace(tzinfo=UTC), ZoneInfo("Asia/Tokyo")).hour, 12),
    (lambda: times.timezone.get_timezone("Asia/Tokyo"), ZoneInfo("Asia/Tokyo")),
    (lambda: times.timezone.to_local(DAY, ZoneInfo("Asia/Tokyo")).hour, 12),
    (lambda: times.delta_resolution(DAY, timedelta(days=2)), datetime(2020, 1, 2)),
    (lambda: times.delta_resolution(DAY, timedelta(hours=2)), datetime(2020, 1, 2, 3)),
    (lambda: times.delta_resolution(DAY, timedelta(seconds=2)), DAY),
    (lambda: times.remaining(DAY, timedelta(10), DAY + timedelta(3)), timedelta(7)),
    (lambda: times.remaining(DAY, timedelta(10), DAY, True), timedelta(9, 75355)),
    (lambda: times.adjust_timestamp(100, -2, lambda: 1), 10900),
    (lambda: [times.get_exponential_backoff_interval(2, n, 100) for n in (3, 30)], [16, 100]),
    (lambda: DAY + times.ffwd(hour=5), datetime(2020, 1, 2, 5, 4, 5)),
    (lambda: DAY + times.ffwd(day=31, month=2), datetime(2020, 2, 29, 3, 4, 5)),
    (lambda: DAY + times.ffwd(weekday=0), datetime(2020, 1, 6, 3, 4, 5)),
    (lambda: DAY + times.ffwd(weeks=1, weekday=3), datetime(2020, 1, 9, 3, 4, 5)),
    (lambda: repr(times.ffwd(weeks=1)), "ffwd(weeks=1)"),
    (lambda: [serialization.strtobool(x) for x in ("yes", "Off", True)], [True, False, True]),
    (lambda: [serialization.b64encode("ab"), serialization.b64encode(b"ab")], ["YWI=", "YWI="]),
    (lambda: serialization.b64decode("YWI="), b"ab"),
    (
        lambda: serialization.jsonify({"a": DAY, "b": [1, date(2020, 1, 1), timedelta(1), time(1)], "c": None}),
        {"a": "2020-01-02T03:04:05", "b": [1, "2020-01-01", "1 day, 0:00:00", "01:00:00"], "c": None},
    ),
    (lambda: imports.qualname(dict), "builtins.dict"),
    (lambda: imports.qualname({}), "builtins.dict"),
    (lambda: imports.symbol_by_name("os.path:join"), __import__("os").path.join),
    (lambda: imports.symbol_by_name("os.path.join"), __import__("os").path.join),
    (lambda: imports.symbol_by_name(dict), dict),
    (lambda: imports.symbol_by_name("short", {"short": "os:sep"}), "/"),
    (lambda: imports.symbol_by_name("os:nothing", default=3), 3),
    (lambda: imports.symbol_by_name("os"), __import__("os")),
    (lambda: imports.instantiate("datetime:timedelta", 1), timedelta(1)),
    (lambda: imports.import_from_cwd("json").__name__, "json"),
    (lambda: imports.module_file(text)[-7:], "text.py"),
    (lambda: imports.find_module("json.decoder").name, "json.decoder"),
    (lambda: [log.mlevel("info"), log.mlevel(20), log.mlevel(None)], [20, 20, None]),
    (lambda: [log.LOG_LEVELS["INFO"], log.LOG_LEVELS[30]], [20, "WARNING"]),
    (lambda: parse_iso8601("2020-01-01T00:00:00"), datetime(2020, 1, 1, tzinfo=UTC)),
    (lambda: Bunch(a=1).a, 1),
    (lambda: str(colored().red("a", colored().bold("b"))) + "x", "\x1b[1;31ma\x1b[1mb\x1b[0m\x1b[0mx"),
    (lambda: str(colored(enabled=False).igreen("a")), "a"),
    (lambda: colored().red("x", colored().blue("y")).no_color(), "xy"),
    (lambda: colored().underline("x").embed(), "\x1b[4mx"),
    (lambda: repr(colored().iwhite("x")), "'x'"),
    (lambda: AttributeDict(a=1).a, 1),
    (lambda: saferepr([1, "a" * 300], 50)[:6], "[1, 'a"),
    (lambda: len(saferepr("a" * 3000)), 3002),
]


@pytest.mark.parametrize(("call", "expected"), EXPECTED, ids=[str(number) for number in range(len(EXPECTED))])
def test_small_works_answer_as_celerys(call: Callable[[], object], expected: object) -> None:
    answer = call()

    assert answer == expected


def test_a_generator_can_be_read_again_once_it_is_kept() -> None:
    asked = iter([1, 2])

    kept = functional.regen(asked)

    assert (kept[0], list(kept), list(kept), len(kept)) == (1, [1, 2], [1, 2], 2)
    assert pickle.loads(pickle.dumps(kept)) == [1, 2]
    assert functional.regen((1,)) == (1,)


def test_a_lazy_value_is_computed_each_time_and_a_memoised_one_once() -> None:
    numbers: Iterator[int] = iter(range(10))
    lazy, once = functional.lazy(next, numbers), functional.mlazy(next, numbers)

    values = [lazy(), once(), lazy(), once(), functional.maybe_evaluate(once), functional.maybe_evaluate(7)]

    assert values == [0, 1, 2, 1, 1, 7]
    assert once.evaluated


def test_the_first_object_that_has_an_answer_is_believed() -> None:
    class Silent:
        def hear(self, word: str) -> str | None:
            return None

    class Echo:
        def hear(self, word: str) -> str | None:
            return word

    answer = functional.firstmethod("hear")([Silent(), Echo()], "hello")

    assert answer == "hello"


def test_a_function_that_only_has_the_parameters_refuses_what_the_real_one_would() -> None:
    head = functional.head_from_fun(lambda self, x, y=1: None, bound=True)

    head(1, y=2)

    with pytest.raises(TypeError):
        head(1, 2, 3)


def test_what_was_computed_is_remembered() -> None:
    calls: list[int] = []

    @functional.memoize(maxsize=10)
    def double(x: int) -> int:
        calls.append(x)
        return 2 * x

    @functional.memoize(keyfun=lambda args, kwargs: len(args))
    def count(*args: int) -> int:
        calls.append(0)
        return len(args)

    answers = [double(2), double(2), count(1), count(9)]

    assert answers == [4, 4, 1, 1]
    assert calls == [2, 0]


def test_a_cache_forgets_what_was_not_used_for_longest() -> None:
    cache: functional.LRUCache[str, int] = functional.LRUCache(2)
    cache["a"], cache["b"] = 1, 2

    cache.incr("a")
    cache["c"] = 3

    assert dict(cache) == {"a": 2, "c": 3}


class Odd(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__("odd")


def test_an_exception_that_cannot_be_pickled_is_replaced_and_restored() -> None:
    plain, odd = ValueError(1), Odd(1, 2)

    kept, wrapped = serialization.get_pickleable_exception(plain), serialization.get_pickleable_exception(odd)

    assert kept is plain
    assert isinstance(wrapped, serialization.UnpickleableExceptionWrapper)
    assert (wrapped.exc_cls_name, wrapped.exc_args, str(wrapped)) == ("Odd", ("odd",), "Odd('odd')")
    restored = serialization.get_pickled_exception(pickle.loads(pickle.dumps(wrapped)))
    assert (type(restored).__name__, restored.args) == ("Odd", ("odd",))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: serialization.strtobool("perhaps"), TypeError),
        (lambda: serialization.jsonify({1, 2}), ValueError),
        (lambda: times.weekday("someday"), KeyError),
        (lambda: imports.symbol_by_name("os:nothing"), AttributeError),
        (lambda: imports.symbol_by_name("no_such_module:x"), ImportError),
        (lambda: imports.find_module("json.decoder.inner"), imports.NotAPackage),
        (lambda: log.mlevel("loud"), KeyError),
        (lambda: AttributeDict().absent, AttributeError),
        (lambda: DictAttribute(Bunch())["absent"], KeyError),
    ],
)
def test_nonsense_is_refused(call: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_an_object_can_be_seen_as_a_mapping() -> None:
    holder = Bunch(a=1)

    mapping = force_mapping(holder)

    assert (mapping["a"], "a" in mapping, "b" in mapping, mapping.get("b")) == (1, True, False, None)
    assert force_mapping({"x": 1}) == {"x": 1}


def test_a_stack_returns_what_was_put_on_it_last() -> None:
    stack = LocalStack()

    stack.push("a")
    stack.push("b")

    assert (stack.top, stack.pop(), stack.pop(), stack.pop(), stack.top) == ("b", "b", "a", None, None)


def test_the_logger_of_a_module_is_below_celerys() -> None:
    logger = log.get_logger("some_module_of_a_third_party")

    assert logger.parent is log.base_logger
    assert log.get_logger("celery").parent is not log.base_logger


def test_a_proxy_is_whatever_it_stands_for_and_a_promise_asks_once() -> None:
    asked: list[int] = []

    def find(first: int) -> list[int]:
        asked.append(first)
        return [first, 2]

    proxy, promise = local.Proxy(find, (1,)), local.PromiseProxy(find, (9,))
    before = promise.__evaluated__()
    proxy[0] = 5
    promise[0] = 5

    assert (before, promise.__evaluated__()) == (False, True)
    assert (list(proxy), list(promise)) == ([1, 2], [5, 2])
    assert (len(proxy), 2 in proxy, proxy + [3], proxy == [1, 2], str(proxy)) == (2, True, [1, 2, 3], True, "[1, 2]")  # noqa: RUF005 - the operator
    assert isinstance(proxy, list)
    assert asked.count(9) == 1
    assert local.maybe_evaluate(promise) == [5, 2]
    assert local.maybe_evaluate(7) == 7


def test_a_module_that_may_be_absent_is_tried() -> None:
    assert local.try_import("json") is not None
    assert local.try_import("no_such_module_at_all") is None
