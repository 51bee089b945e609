"""Every error: its message, its place in the tree, and that it crosses processes whole."""

import inspect
import pickle

import pytest

from kg import errors
from kg.errors import EngineError

KINDS = [getattr(errors, name) for name in errors.__all__]

SPECIAL = {
    errors.CheckpointMismatchError: lambda kind: kind(trained_on="a" * 64, asked_for="b" * 64),
    errors.RecordError: lambda kind: kind(
        "bad", path="a.csv", line=3, column="area", hint="mend it"
    ),
    errors.UnknownEntityError: lambda kind: kind("Frnace", nearest=("France",)),
    errors.UnknownRelationError: lambda kind: kind("brders", nearest=("borders", "orders")),
    errors.QuerySyntaxError: lambda kind: kind("bad", position=4, line=1, column=5, hint="mend it"),
    errors.QueryValueError: lambda kind: kind(
        "bad", kind="TypeError", detail="InvalidArgumentType"
    ),
    errors.UnsafeQueryError: lambda kind: kind("bad", position=4, line=1, column=5),
    errors.UnsupportedQueryError: lambda kind: kind("bad"),
}


def made(kind: type[EngineError]) -> EngineError:
    if kind in SPECIAL:
        return SPECIAL[kind](kind)
    return kind("bad", where="here", hint="mend it")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_pickles_with_all_its_fields(kind):
    error = made(kind)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is kind
    assert copy.__dict__ == error.__dict__
    assert (str(copy), copy.args) == (str(error), error.args)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_says_what_and_where_on_one_unquoted_line(kind):
    text = str(made(kind))
    assert made(kind).what in text
    assert "\n" not in text
    assert not text.startswith(("'", '"')), "a KeyError would quote its message"


def test_every_public_class_of_the_module_is_an_error_and_exported():
    found = {
        value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception) and not name.startswith("_")
    }
    assert found == set(KINDS)
    assert all(issubclass(kind, EngineError) for kind in KINDS)


def test_slugs_are_stable_names_of_one_class_each():
    slugs = [kind.slug for kind in KINDS]
    assert len(set(slugs)) == len(slugs)
    assert all(slug == slug.lower() and " " not in slug for slug in slugs)


def test_the_message_is_put_together_from_its_parts():
    assert str(EngineError("no such graph")) == "no such graph"
    assert str(EngineError("no such graph", where="a", hint="b")) == "no such graph, in a. Next: b"
    error = SPECIAL[errors.RecordError](errors.RecordError)
    assert str(error) == "bad, in a.csv:3 (area). Next: mend it"
    assert (error.path, error.line, error.column) == ("a.csv", 3, "area")
    assert str(SPECIAL[errors.UnknownRelationError](errors.UnknownRelationError)) == (
        "unknown relation 'brders'. Next: did you mean 'borders' or 'orders'?"
    )
    syntax = SPECIAL[errors.QuerySyntaxError](errors.QuerySyntaxError)
    assert str(syntax) == "bad, in line 1, column 5. Next: mend it"
    assert syntax.position == 4
    mismatch = made(errors.CheckpointMismatchError)
    assert "snapshot aaaaaaaaaaaa, not on bbbbbbbbbbbb" in str(mismatch)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.UnknownEntityError, KeyError),
        (errors.UnknownRelationError, KeyError),
        (errors.ReadOnlyError, PermissionError),
        (errors.QueryTimeoutError, TimeoutError),
        (errors.StoreUnavailableError, ConnectionError),
    ],
)
def test_errors_are_builtins_where_one_fits(kind, builtin):
    with pytest.raises(builtin):
        raise made(kind)


def test_the_drawn_tree_is_the_tree():
    drawing = errors.__doc__ or ""
    for kind in KINDS:
        assert kind.__name__ in drawing
