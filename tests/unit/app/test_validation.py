"""No ``from __future__ import annotations`` here: classes of a test could not be found by their names."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NotRequired, TypeVar, Unpack
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    Secret,
    SecretStr,
    ValidationInfo,
    computed_field,
    field_serializer,
    field_validator,
)
from typing_extensions import TypedDict  # pydantic wants this one, before Python 3.12

from celeriac.app.checking.validation import Validation, load
from celeriac.core import codecs, exceptions
from celeriac.core.errors import ImproperlyConfigured, InvalidArguments, InvalidData, InvalidResult

if TYPE_CHECKING:
    from nowhere import Nothing  # type: ignore[import-not-found]

T = TypeVar("T")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Item(BaseModel):
    name: str
    price: Decimal = Decimal(0)
    at: datetime | None = None


class Order(BaseModel):
    id: int
    items: list[Item] = []
    tags: frozenset[str] = frozenset()


class Card(BaseModel):
    kind: Literal["card"] = "card"
    number: str


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    amount: int


class Page(BaseModel, Generic[T]):
    rows: list[T]


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Row(TypedDict):
    id: int
    note: NotRequired[str]


def of(function: Callable[..., Any], **said: Any) -> Validation:
    return Validation.of(function, name="shop.pay", **said)


def travelled(arguments: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return arguments as they come out of a message."""
    encoded = codecs.encode(arguments, "json")
    args, kwargs = codecs.decode(encoded.data, encoded.content_type, encoded.content_encoding, frozenset({codecs.JSON}))
    return args, kwargs


def received(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the value of the only argument, as the function would be handed it in a worker."""
    validation = of(function)
    args, kwargs = travelled(validation.for_sending(args, kwargs))
    found_args, found_kwargs = of(function).for_running(args, kwargs)
    [value] = (*found_args, *found_kwargs.values())
    return value


def problems(error: pytest.ExceptionInfo[InvalidData]) -> dict[str, str]:
    return dict(error.value.problems)


class TestWhatTheFunctionReceives:
    def test_a_model_arrives_as_the_model_it_was(self) -> None:
        def pay(order: Order) -> None: ...

        order = Order(id=1, items=[Item(name="tea", price=Decimal("2.50"), at=NOON)], tags=frozenset({"new"}))

        assert received(pay, order) == order
        assert received(pay, order=order) == order

    def test_a_mapping_arrives_as_the_model_that_it_describes(self) -> None:
        def pay(order: Order) -> None: ...

        assert received(pay, {"id": "1", "items": [{"name": "tea"}]}) == Order(id=1, items=[Item(name="tea")])

    @pytest.mark.parametrize(
        ("annotation", "value", "arrives"),
        [
            (list[Order], [Order(id=1), {"id": 2}], [Order(id=1), Order(id=2)]),
            (dict[str, Order], {"a": Order(id=1)}, {"a": Order(id=1)}),
            (tuple[Order, ...], (Order(id=1),), (Order(id=1),)),
            (Order | None, None, None),
            (Order | None, Order(id=1), Order(id=1)),
            (Card | Cash, Cash(amount=5), Cash(amount=5)),
            (Annotated[Card | Cash, Field(discriminator="kind")], {"kind": "card", "number": "4"}, Card(number="4")),
            (Page[Item], Page[Item](rows=[Item(name="tea")]), Page[Item](rows=[Item(name="tea")])),
            (Annotated[int, Field(gt=0)], 3, 3),
            (Point, Point(1, 2), Point(1, 2)),
            (Point, {"x": 1}, Point(1)),
            (Row, {"id": "7"}, {"id": 7}),
            (RootModel[list[int]], RootModel[list[int]]([1]), RootModel[list[int]]([1])),
            (Colour, Colour.RED, Colour.RED),
            (set[Colour], {Colour.RED}, {Colour.RED}),
            (datetime, NOON, NOON),
            (date, date(2030, 1, 1), date(2030, 1, 1)),
            (UUID, UUID(int=5), UUID(int=5)),
            (Decimal, Decimal("0.1"), Decimal("0.1")),
            (bytes, b"\xff\x00", b"\xff\x00"),
            (int, "5", 5),
            (Any, {"a": 1}, {"a": 1}),
        ],
    )
    def test_any_annotation_that_pydantic_knows_is_honoured(self, annotation: Any, value: Any, arrives: Any) -> None:
        def take(value: Any) -> None: ...

        take.__annotations__["value"] = annotation

        found = received(take, value)

        assert (found, type(found)) == (arrives, type(arrives))

    def test_what_has_no_annotation_arrives_as_it_was_sent(self) -> None:
        def take(value): ...  # type: ignore[no-untyped-def]

        assert received(take, {"a": [1, "2"]}) == {"a": [1, "2"]}

    def test_models_in_arguments_without_annotation_become_plain_data(self) -> None:
        def take(value): ...  # type: ignore[no-untyped-def]

        assert received(take, {"orders": [Order(id=1)]})["orders"][0]["id"] == 1

    def test_each_of_a_variable_number_of_arguments_is_validated(self) -> None:
        def take(*orders: Order, **counts: int) -> None: ...

        validation = of(take)

        found = validation.for_running(*travelled(validation.for_sending((Order(id=1), {"id": 2}), {"a": "3"})))

        assert found == ((Order(id=1), Order(id=2)), {"a": 3})

    def test_keywords_that_a_typed_dict_describes_are_validated_as_it_says(self) -> None:
        def take(**row: Unpack[Row]) -> None: ...

        assert of(take).for_running((), {"id": "1", "note": "x"}) == ((), {"id": 1, "note": "x"})
        with pytest.raises(InvalidArguments) as error:
            of(take).for_running((), {"note": 1})

        assert set(problems(error)) == {"id", "note"}

    def test_defaults_are_left_to_the_function_but_for_those_that_are_fields(self) -> None:
        def take(a: int, b: Order = None, *, c: int = Field(5, gt=0)) -> None: ...  # type: ignore[assignment]

        validation = of(take)

        assert validation.for_running((1,), {}) == ((1,), {"c": 5})
        with pytest.raises(InvalidArguments) as error:
            validation.for_running((1,), {"c": 0})
        assert problems(error) == {"c": "Input should be greater than 0"}

    def test_the_task_itself_is_no_argument(self) -> None:
        def pay(self: Any, order: Order) -> None: ...

        assert of(pay, bound=True).for_running(({"id": 1},), {}) == ((Order(id=1),), {})

    def test_methods_and_objects_that_can_be_called_are_read_as_functions_are(self) -> None:
        class Pay:
            def run(self, order: Order) -> None: ...

            def __call__(self, order: Order) -> None: ...

        assert of(Pay().run).for_running(({"id": 1},), {}) == ((Order(id=1),), {})
        assert of(Pay()).for_running(({"id": 1},), {}) == ((Order(id=1),), {})

    def test_a_class_that_was_defined_beside_the_function_is_found(self) -> None:
        class Local(BaseModel):
            id: int

        def take(value: Local) -> Local:
            return Local(id=value.id)

        assert of(take).for_running(({"id": 1},), {}) == ((Local(id=1),), {})

    def test_names_of_fields_travel_whatever_their_aliases_are(self) -> None:
        class Aliased(BaseModel):
            a: int = Field(alias="A")
            b: int = Field(validation_alias="B", serialization_alias="BB")

        def take(value: Aliased) -> None: ...

        model = Aliased.model_validate({"A": 1, "B": 2})

        assert received(take, model) == model
        assert received(take, {"A": 1, "B": 2}) == model

    def test_computed_fields_do_not_travel(self) -> None:
        class Square(BaseModel):
            model_config = ConfigDict(extra="forbid")
            side: int

            @computed_field  # type: ignore[prop-decorator]
            @property
            def area(self) -> int:
                return self.side**2

        def take(value: Square) -> None: ...

        assert received(take, Square(side=3)).area == 9

    def test_secrets_in_models_travel_as_they_are(self) -> None:
        class Login(BaseModel):
            user: str
            password: SecretStr
            old: list[SecretStr] = []
            by_number: dict[int, SecretStr] = {}

        def log_in(login: Login) -> None: ...

        login = Login(user="ann", password=SecretStr("pw"), old=[SecretStr("o")], by_number={1: SecretStr("n")})

        assert received(log_in, login) == login

    def test_a_secret_where_the_model_does_not_say_so_travels_as_it_is(self) -> None:
        class Anything(BaseModel):
            value: Any

        def take(value: Anything) -> None: ...

        assert of(take).for_sending((Anything(value=[SecretStr("pw")]),), {}) == (({"value": ["pw"]},), {})

    def test_a_secret_that_is_shown_in_its_own_way_travels_as_it_is(self) -> None:
        class SecretDate(Secret[date]):
            def _display(self) -> str:
                return "****/**/**"

        class Person(BaseModel):
            born: SecretDate

        def take(value: Person) -> None: ...

        person = Person.model_validate({"born": date(2000, 1, 1)})

        assert received(take, person) == person

    def test_a_bare_secret_travels_as_it_is(self) -> None:
        def log_in(password: SecretStr) -> None: ...

        assert received(log_in, SecretStr("pw")).get_secret_value() == "pw"


ITEMS = st.builds(
    Item,
    name=st.text(max_size=5),
    price=st.decimals(allow_nan=False, allow_infinity=False),
    at=st.none() | st.datetimes(timezones=st.just(UTC)) | st.datetimes(),
)
ORDERS = st.builds(
    Order, id=st.integers(-(2**70), 2**70), items=st.lists(ITEMS, max_size=3), tags=st.frozensets(st.text(max_size=3))
)


@settings(deadline=None)
@given(
    orders=st.lists(ORDERS, max_size=3),
    by_name=st.dictionaries(st.text(max_size=3), ORDERS | st.none(), max_size=3),
    strict=st.booleans(),
)
def test_whatever_is_in_a_model_arrives_as_it_was(orders: list[Order], by_name: dict[str, Order | None], strict: bool) -> None:
    def take(orders: list[Order], by_name: dict[str, Order | None]) -> None: ...

    sent = of(take, strict=strict).for_sending((orders,), {"by_name": by_name})

    assert of(take, strict=strict).for_running(*travelled(sent)) == ((orders, by_name), {})


class TestStrictness:
    def test_strict_means_that_nothing_is_converted(self) -> None:
        def take(count: int, order: Order) -> None: ...

        with pytest.raises(InvalidArguments) as error:
            of(take, strict=True).for_running(("5", {"id": "1"}), {})

        assert set(problems(error)) == {"count", "order.id"}

    def test_what_json_cannot_hold_is_read_from_its_text_in_strict_tasks_too(self) -> None:
        def take(order: Order, at: datetime, pair: tuple[int, int]) -> None: ...

        order = Order(id=1, items=[Item(name="tea", at=NOON)], tags=frozenset({"x"}))
        validation = of(take, strict=True)

        found = validation.for_running(*travelled(validation.for_sending((order, NOON, (1, 2)), {})))

        assert found == ((order, NOON, (1, 2)), {})

    def test_a_model_that_is_strict_by_itself_stays_so(self) -> None:
        class Strict(BaseModel):
            model_config = ConfigDict(strict=True)
            id: int
            at: datetime

        def take(value: Strict) -> None: ...

        assert received(take, Strict(id=1, at=NOON)) == Strict(id=1, at=NOON)
        with pytest.raises(InvalidArguments):
            of(take).for_running(({"id": "1", "at": "2030-01-01T12:00:00Z"},), {})

    def test_a_date_is_no_text(self) -> None:
        def take(text: str) -> None: ...

        with pytest.raises(InvalidArguments):
            of(take).for_sending((NOON,), {})


class TestABadArgument:
    def test_the_path_to_each_wrong_value_is_told_and_no_value(self) -> None:
        def pay(order: Order, *, count: Annotated[int, Field(gt=0)]) -> None: ...

        with pytest.raises(InvalidArguments) as error:
            of(pay).for_sending(({"id": 1, "items": [{"name": "tea", "price": "hunter2"}]},), {"count": 0})

        assert problems(error) == {
            "order.items[0].price": "Input should be a valid decimal",
            "count": "Input should be greater than 0",
        }
        assert str(error.value).startswith("shop.pay: order.items[0].price: Input should be")
        assert "hunter2" not in str(error.value)
        assert isinstance(error.value, ValueError)
        assert error.value.__cause__ is None

    def test_of_very_many_problems_the_first_are_told(self) -> None:
        def take(numbers: list[int]) -> None: ...

        with pytest.raises(InvalidArguments) as error:
            of(take).for_sending((["x"] * 1000,), {})

        assert len(error.value.problems) == 21
        assert str(error.value).endswith(
            "numbers[19]: Input should be a valid integer, unable to parse string as an integer; and 980 more"
        )

    def test_the_error_survives_pickling_copying_and_the_store(self) -> None:
        error = InvalidArguments("shop.pay", (("order.id", "wrong"),))

        for found in (
            pickle.loads(pickle.dumps(error)),
            copy.copy(error),
            exceptions.rebuild(
                codecs.decode(
                    codecs.encode(exceptions.describe(error), "json").data, codecs.JSON, "utf-8", frozenset({codecs.JSON})
                )
            ),
        ):
            assert type(found) is InvalidArguments
            assert (found.task, found.problems, str(found)) == (error.task, error.problems, str(error))

    def test_a_model_of_another_class_is_refused_even_if_its_fields_fit(self) -> None:
        class Impostor(BaseModel):
            id: int

        def pay(order: Order) -> None: ...

        with pytest.raises(InvalidArguments) as error:
            of(pay).for_sending((Impostor(id=1),), {})

        assert problems(error) == {"order": "Input should be a valid dictionary or instance of Order"}

    def test_without_the_check_the_worker_is_left_to_say_no(self) -> None:
        def pay(order: Order) -> None: ...

        assert of(pay).for_sending(({"id": "x"},), {}, check=False) == (({"id": "x"},), {})

    def test_a_model_that_its_own_dump_does_not_fit_is_refused_at_the_call(self) -> None:
        class OneWay(BaseModel):
            n: int

            @field_serializer("n")
            def hidden(self, n: int) -> str:
                return f"no. {n}"

        def take(value: OneWay) -> None: ...

        with pytest.raises(InvalidArguments) as error:
            of(take).for_sending((OneWay(n=1),), {})

        assert list(problems(error)) == ["value.n"]

    def test_arguments_that_the_function_does_not_take_are_left_for_its_call_to_refuse(self) -> None:
        def pay(order: Order) -> None: ...

        assert of(pay).for_running((), {}) == ((), {})
        assert of(pay).for_sending(({"id": 1}, 2), {}) == (({"id": 1}, 2), {})

    def test_a_value_that_nothing_can_write_is_left_to_the_serializer(self) -> None:
        def take(value: Any) -> None: ...

        thing = object()
        loop: list[Any] = []
        loop.append(loop)

        assert of(take).for_sending((thing,), {}) == ((thing,), {})
        assert of(take).for_sending((loop,), {})[0][0] is loop


class TestContext:
    def test_validators_are_told_the_app_the_task_and_what_the_user_says(self) -> None:
        seen: list[Any] = []

        class Watched(BaseModel):
            id: int

            @field_validator("id")
            @classmethod
            def look(cls, id: int, info: ValidationInfo) -> int:
                seen.append(info.context)
                return id

        def take(value: Watched) -> None: ...

        of(take, context={"limit": 3}, app="the app").for_running(({"id": 1},), {})

        assert seen == [{"limit": 3, "celery_app": "the app", "celery_task_name": "shop.pay"}]


class TestResults:
    def test_a_model_becomes_plain_data(self) -> None:
        def make() -> Order:
            raise NotImplementedError

        found = of(make).result(Order(id=1, items=[Item(name="tea", at=NOON)]))

        assert found == {"id": 1, "items": [{"name": "tea", "price": "0", "at": "2030-01-01T12:00:00Z"}], "tags": []}

    @pytest.mark.parametrize(
        ("annotation", "value", "plain"),
        [
            (list[Cash], [Cash(amount=1)], [{"kind": "cash", "amount": 1}]),
            (Cash | None, None, None),
            (Card | Cash, {"kind": "cash", "amount": 1}, {"kind": "cash", "amount": 1}),
            (Point, Point(1), {"x": 1, "y": 0}),
            (dict[str, Cash], {"a": Cash(amount=1)}, {"a": {"kind": "cash", "amount": 1}}),
            (datetime, NOON, NOON),
            (None, None, None),
            (Any, Cash(amount=1), {"kind": "cash", "amount": 1}),
            (Annotated[int, PlainSerializer(lambda n: f"no. {n}")], 5, "no. 5"),
        ],
    )
    def test_any_annotation_is_honoured(self, annotation: Any, value: Any, plain: Any) -> None:
        def make() -> Any: ...

        make.__annotations__["return"] = annotation

        assert of(make).result(value) == plain

    def test_without_an_annotation_models_become_plain_data_and_nothing_is_checked(self) -> None:
        def make(): ...  # type: ignore[no-untyped-def]

        assert of(make).result([Cash(amount=1), "x"]) == [{"kind": "cash", "amount": 1}, "x"]

    def test_what_the_annotation_does_not_allow_is_an_error_with_its_path(self) -> None:
        def make() -> Order:
            raise NotImplementedError

        with pytest.raises(InvalidResult) as error:
            of(make).result({"id": 1, "items": [{}]})

        assert problems(error) == {"result.items[0].name": "Field required"}

    def test_dump_kwargs_are_those_of_model_dump(self) -> None:
        def make() -> Order:
            raise NotImplementedError

        assert of(make, dump_kwargs={"include": {"id"}}).result(Order(id=1)) == {"id": 1}
        assert of(make, dump_kwargs={"mode": "python"}).result(Order(id=1))["tags"] == frozenset()

    def test_fields_of_a_subclass_are_kept(self) -> None:
        class Gift(Order):
            greeting: str

        def make() -> Order:
            raise NotImplementedError

        assert of(make).result(Gift(id=1, greeting="hi"))["greeting"] == "hi"

    def test_secrets_are_not_stored_in_results(self) -> None:
        class Login(BaseModel):
            password: SecretStr

        def make() -> Login:
            raise NotImplementedError

        assert of(make).result(Login(password=SecretStr("pw"))) == {"password": "**********"}

    def test_a_stored_result_can_be_read_as_a_model(self) -> None:
        assert load({"id": 1}, Order) == Order(id=1)
        assert load([{"id": 1}], list[Order]) == [Order(id=1)]
        with pytest.raises(InvalidResult) as error:
            load({"id": "x"}, Order)
        assert list(problems(error)) == ["result.id"]

    def test_a_type_may_hold_what_has_no_hash(self) -> None:
        assert load([1], Annotated[list[int], {"examples": [[1]]}]) == [1]

    @pytest.mark.parametrize("nonsense", [5, "Order", Validation])
    def test_what_is_no_type_is_told_in_our_words(self, nonsense: Any) -> None:
        with pytest.raises(TypeError, match=r"model=.*: it is no type that pydantic can read values as"):
            load({"id": 1}, nonsense)


class TestOptions:
    @pytest.mark.parametrize("option", ["context", "dump_kwargs"])
    def test_what_is_no_mapping_is_told_where_the_task_is_declared(self, option: str) -> None:
        wrong: dict[str, Any] = {option: 5}

        with pytest.raises(TypeError, match=rf"task shop\.pay: pydantic_{option} is a mapping, not of type int"):
            Validation.of(print, name="shop.pay", **wrong)


class TestAnnotationsThatCannotBeRead:
    def test_a_name_that_is_imported_for_type_checkers_only_is_told(self) -> None:
        def take(value: "Nothing") -> None: ...

        with pytest.raises(ImproperlyConfigured, match=r"shop\.pay: the annotation Nothing of parameter value cannot be read"):
            of(take).for_running((1,), {})

    def test_a_class_that_pydantic_knows_nothing_of_is_left_alone_and_said_so(self, caplog: pytest.LogCaptureFixture) -> None:
        class Session: ...

        def take(session: Session, order: Order) -> None: ...

        session = Session()

        found = of(take).for_running((session, {"id": 1}), {})

        assert found == ((session, Order(id=1)), {})
        assert "parameter session is not validated" in caplog.text


class TestWithoutPydantic:
    def test_declaring_such_a_task_names_the_extra(self) -> None:
        program = (
            "import sys; sys.modules['pydantic'] = None\n"
            "from celeriac.app.checking.validation import Validation\n"
            "try:\n    Validation.of(len, name='shop.pay')\n"
            "except Exception as error:\n    print(type(error).__name__, error)"
        )

        said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

        assert said == (
            "ImproperlyConfigured task shop.pay: pydantic=True needs an extra that is not installed: "
            "pip install 'celeriac[pydantic]'\n"
        )

    def test_reading_a_result_as_a_model_names_the_extra(self) -> None:
        program = (
            "import sys; sys.modules['pydantic'] = None\n"
            "from celeriac.app.checking.validation import load\n"
            "try:\n    load(1, int)\n"
            "except Exception as error:\n    print(type(error).__name__, error)"
        )

        said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

        assert said == "ImproperlyConfigured model= needs an extra that is not installed: pip install 'celeriac[pydantic]'\n"

    def test_declaring_a_task_does_not_load_it(self) -> None:
        program = (
            "import sys\nfrom celeriac.app.checking.validation import Validation\n"
            "Validation.of(len, name='shop.pay'); print('pydantic' in sys.modules)"
        )

        said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

        assert said == "False\n"
