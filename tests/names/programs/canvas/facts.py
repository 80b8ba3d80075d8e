"""A program that Celery and celeriac run alike: what signatures look like when they are stamped, frozen, stored, shown."""

import itertools
import json
import sys

from celery import Celery, chain, chord, group
from celery.canvas import StampingVisitor, maybe_signature

app = Celery("program", broker="memory://", backend="cache+memory://", set_as_current=False)


@app.task(name="proj.tasks.add")
def add(x, y=0):
    return x + y


@app.task(name="proj.tasks.total")
def total(numbers):
    return sum(numbers)


@app.task(name="proj.tasks.hear")
def hear(value):
    return value


class Everywhere(StampingVisitor):
    """Says something at every moment."""

    def on_signature(self, sig, **headers):
        return {"on_signature": "call"}

    def on_group_start(self, group, **headers):
        return {"on_group": "group"}

    def on_chain_start(self, chain, **headers):
        return {"on_chain": "chain"}

    def on_chord_header_start(self, sig, **header):
        return {"on_header": "header", **super().on_chord_header_start(sig, **header)}

    def on_chord_body(self, sig, **header):
        return {"on_body": "body"}

    def on_callback(self, callback, **header):
        return {"on_callback": True}

    def on_errback(self, errback, **header):
        return {"on_errback": True}


class Chosen(StampingVisitor):
    """Says which of what it returns are stamps."""

    def on_signature(self, sig, **headers):
        return {"stamped": sig.task, "priority": 3, "stamped_headers": ["stamped"]}


class Silent(StampingVisitor):
    """Says nothing."""

    def on_signature(self, sig, **headers):
        return None


class Order(StampingVisitor):
    """Notes what it hears."""

    def __init__(self):
        self.heard = []

    def note(self, what, headers):
        self.heard.append([what, sorted({name for name in headers.get("stamped_headers", []) if name in headers})])
        return {f"stamp of {what}": len(self.heard)}

    def on_signature(self, sig, **headers):
        return self.note(sig.task, headers)

    def on_group_start(self, group, **headers):
        return self.note("group", headers)

    def on_group_end(self, group, **headers):
        self.note("group end", headers)

    def on_chain_start(self, chain, **headers):
        return self.note("chain", headers)

    def on_chain_end(self, chain, **headers):
        self.note("chain end", headers)

    def on_chord_body(self, sig, **header):
        return self.note("body", header)

    def on_callback(self, callback, **header):
        return self.note("callback", header)

    def on_errback(self, errback, **header):
        return self.note("errback", header)


def linked():
    sig = add.s(1, 1)
    sig.link(hear.s())
    sig.link_error(hear.s())
    return sig


CANVASES = {
    "call": lambda: add.s(1, 2),
    "linked": linked,
    "chain": lambda: add.s(1, 1) | add.s(2) | add.s(3),
    "group": lambda: group([add.s(1, 1), add.s(2, 2)]),
    "chord": lambda: chord([add.s(1, 1), add.s(2, 2)], total.s()),
    "chain with group": lambda: add.s(1) | group([add.s(1), add.s(2)]),
    "chain with chord": lambda: add.s(1) | group([add.s(1), add.s(2)]) | total.s(),
    "chord with chains": lambda: chord([add.s(1) | add.s(2), linked()], total.s() | add.s(1)),
    "group of chains": lambda: group([add.s(1) | add.s(2), add.s(3)]),
    "chord of chords": lambda: chord([chord([add.s(1), add.s(2)], total.s())], total.s()),
}
STAMPINGS = {
    "headers": lambda sig: sig.stamp(Silent(), customer="a", batch=7),
    "everywhere": lambda sig: sig.stamp(visitor=Everywhere()),
    "everywhere and headers": lambda sig: sig.stamp(Everywhere(), on_signature="given", other="given"),
    "chosen": lambda sig: sig.stamp(visitor=Chosen()),
    "silent": lambda sig: sig.stamp(visitor=Silent()),
    "twice": lambda sig: (sig.stamp(Silent(), customer="a"), sig.stamp(Silent(), customer="b")),
    "twice, appended": lambda sig: (sig.stamp(Silent(), customer="a"), sig.stamp(Silent(), append_stamps=True, customer="b")),
    "links alone": lambda sig: sig.stamp_links(Everywhere()),
}


ONE, TWO, NONE = (lambda: group([add.s(1)])), (lambda: group([add.s(1), add.s(2)])), (lambda: group([]))
FORMS = {
    "chain(a)": lambda: chain(add.s(1)),
    "chain([a])": lambda: chain([add.s(1)]),
    "chain(a for one)": lambda: chain(add.s(n) for n in [1]),
    "chain()": lambda: chain(),
    "chain([])": lambda: chain([]),
    "chain(group of two)": lambda: chain(TWO()),
    "chain([group of two])": lambda: chain([TWO()]),
    "chain([group of one])": lambda: chain([ONE()]),
    "chain([group of none])": lambda: chain([NONE()]),
    "chain(group, a)": lambda: chain(TWO(), total.s()),
    "chain(chord)": lambda: chain(chord([add.s(1)], total.s())),
    "chain(chord, a)": lambda: chain(chord([add.s(1)], total.s()), add.s(3)),
    "chord | a": lambda: chord([add.s(1)], total.s()) | add.s(3),
    "chord | group of one": lambda: chord([add.s(1)], total.s()) | ONE(),
    "chord | chord": lambda: chord([add.s(1)], total.s()) | chord([add.s(1)], total.s()),
    "a | chain()": lambda: add.s(1) | chain(),
    "chain() | a": lambda: chain() | add.s(1),
    "chain() | group": lambda: chain() | TWO(),
    "a | group of none": lambda: add.s(1) | NONE(),
    "a | group of none | a": lambda: add.s(1) | NONE() | total.s(),
    "a | a | group of none | a": lambda: add.s(1) | add.s(2) | NONE() | total.s(),
    "a | group of none | chain": lambda: add.s(1) | NONE() | (total.s() | add.s(2)),
    "a | group of one | a": lambda: add.s(1) | ONE() | add.s(3),
    "group of none | a": lambda: NONE() | total.s(),
    "group of none | chain": lambda: NONE() | (total.s() | add.s(2)),
    "group of one | a": lambda: ONE() | total.s(),
    "group of one | a | a": lambda: ONE() | total.s() | add.s(2),
    "group of one | group of one | a": lambda: ONE() | group([total.s()]) | total.s(),
    "group of one | group of none": lambda: ONE() | NONE(),
    "group of one | chord": lambda: ONE() | chord([total.s()], total.s()),
    "chord with a group of one | a": lambda: chord([add.s(1)], ONE()) | total.s(),
    "chain(chord with a group of one, a)": lambda: chain(chord([add.s(1)], ONE()), total.s()),
}
TRUE = {"group()": group, "group(a)": ONE, "chain()": chain, "chain(a)": lambda: chain(add.s(1))}
SKEWS = [{}, {"start": 1, "stop": 10}, {"start": 1, "stop": 3}, {"start": 5, "stop": 7, "step": 0.5}, {"start": 2, "stop": 0}]


def form(sig):
    """Return of what a workflow is made."""
    kind, kwargs = sig.get("subtask_type"), sig["kwargs"]
    if kind == "chord":
        return ["chord", [form(one) for one in kwargs["header"]], form(kwargs["body"])]
    return [kind, *map(form, kwargs["tasks"])] if kind else [sig["task"], *sig["args"]]


def skewed(options):
    """Return the countdowns of the members of a group that is skewed."""
    return [one.options["countdown"] for one in group(add.s(n) for n in range(10)).skew(**options).tasks]


def shape(result):
    """Return which results hang on which, without their ids."""
    if result is None:
        return None
    (_, parent), members = result
    return [shape(parent), None if members is None else [shape(member) for member in members]]


def tidy(value):
    """Return plain data, without what differs from run to run."""
    if isinstance(value, dict):
        if value.get("subtask_type") == "chord" and isinstance(value["kwargs"]["header"], dict):
            value["kwargs"]["header"] = value["kwargs"]["header"]["kwargs"]["tasks"]  # once a visitor has seen it
        if "stamped_headers" in value:  # Celery lets names slip to the neighbours, without the stamps
            value["stamped_headers"] = sorted(name for name in value["stamped_headers"] if name in value)
        return {key: tidy(part) for key, part in value.items() if key != "reply_to"}
    return [tidy(part) for part in value] if isinstance(value, (list, tuple)) else value


stamped = add.s(y=1).set(a=1, stamped_headers=["a"])
facts = {}
for (name, make), (how, stamp) in itertools.product(CANVASES.items(), STAMPINGS.items()):
    sig = make()
    stamp(sig)
    facts[f"{name}: {how}"] = tidy(json.loads(json.dumps(sig)))
for name, make in CANVASES.items():
    visitor = Order()
    make().stamp(visitor)
    facts[f"{name}: order"] = visitor.heard
    facts[f"{name}: shown"] = repr(make())
    facts[f"{name}: stored"] = json.loads(json.dumps(make()))
    facts[f"{name}: read"] = json.loads(json.dumps(maybe_signature(json.loads(json.dumps(make())), app)))
    facts[f"{name}: equal"] = make() == make()
    frozen = make()
    result = frozen.freeze("the-end") if name != "group" else frozen.freeze()
    facts[f"{name}: frozen keeps its id"] = frozen.freeze().id == result.id
    facts[f"{name}: frozen"] = [shape(result.as_tuple()), result.id == "the-end" or "group" in name]
    facts[f"{name}: applied"] = make().apply().get()
    facts[f"{name}: call"] = make().reprcall(9, more=True) if name in ("call", "linked") else None
    clone = make().clone()
    clone.stamp(Silent(), customer="a")
    facts[f"{name}: a clone is changed alone"] = json.loads(json.dumps(clone)) != json.loads(json.dumps(make()))
chained = CANVASES["chain"]()
chained.link(hear.s())
chained.link_error(hear.s())
facts["unchained"] = json.loads(json.dumps(chained.unchain_tasks()))
steps, results = chained.prepare_steps((5,), {}, chained.tasks, link_error=hear.s(), last_task_id="the-end")
facts["prepared"] = [[step.task, list(step.args), "link_error" in step.options] for step in steps]
facts["prepared, results"] = [len(results), results[0].id, shape(results[0].as_tuple())]
facts["descended"] = [chord._descend(make()) for make in CANVASES.values()]
facts["counted"] = [CANVASES[name]().__length_hint__() for name in ("chord", "chord with chains", "chord of chords")]
facts["merged"] = [list(part) if isinstance(part, tuple) else part for part in stamped._merge((1,), {"b": 2}, {"a": 9, "c": 3})]
given = add.s(1, y=2).set(queue="q")
facts["replaced"] = [given.replace(args=(5,)).args[0], given.replace(kwargs={"z": 1}).kwargs, given.replace(options={}).options]
facts["linked back"] = [each.task for each in linked().flatten_links()]
facts["maps"] = [
    json.loads(json.dumps(each)) for each in (add.map([1, 2]), add.starmap([(1, 2)]), add.chunks([(1, 2), (3, 4)], 1))
]
facts["maps, shown"] = [repr(add.map([1, 2])), repr(add.starmap([(1, 2)]))]
facts["maps, applied"] = [add.map([1, 2]).apply().get(), add.chunks([(1, 2), (3, 4)], 1).group().apply().get()]
facts |= {f"form of {name}": tidy(form(json.loads(json.dumps(make())))) for name, make in FORMS.items()}
facts |= {f"truth of {name}": bool(make()) for name, make in TRUE.items()}
facts |= {f"skewed {json.dumps(options)}": skewed(options) for options in SKEWS}
facts["tasks"] = [one.task for one in chain(add.s(1)).tasks]
json.dump(facts, sys.stdout)
