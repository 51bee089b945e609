"""Values of attributes as RDF literals, and back.

Texts are ``xsd:string``, whole numbers ``xsd:integer``, other numbers ``xsd:double``, truth values
``xsd:boolean``; a list is one literal of ``rdf:JSON``, since RDF knows no order.
"""

from __future__ import annotations

import json
import math

from pyoxigraph import Literal, NamedNode

from kg.errors import InputError
from kg.model import AttributeValue
from kg.rdf.names import RDF, RDF_JSON, XSD

__all__ = ["json_literal", "literal_of", "value_of"]

LARGEST = 2**63 - 1
_INTEGERS = frozenset(
    XSD + name
    for name in (
        *("integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger"),
        *("nonPositiveInteger", "negativeInteger", "unsignedLong", "unsignedInt"),
        *("unsignedShort", "unsignedByte"),
    )
)
_NUMBERS = frozenset(XSD + name for name in ("double", "float", "decimal"))
_STRINGS = frozenset((XSD + "string", RDF + "langString"))
_JSON, _DOUBLE, _INTEGER = map(NamedNode, (RDF_JSON, XSD + "double", XSD + "integer"))


def json_literal(value: object) -> Literal:
    """Return a value as a literal of ``rdf:JSON``."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return Literal(_whole_text(text), datatype=_JSON)


def literal_of(value: AttributeValue) -> Literal:
    """Return a value of an attribute as a literal.

    Raises:
        UnicodeEncodeError: A text holds half a character.

    Example:
        >>> str(literal_of(2.5)), str(literal_of("a"))
        ('"2.5"^^<http://www.w3.org/2001/XMLSchema#double>', '"a"')
    """
    if isinstance(value, tuple):
        return json_literal(list(value))
    if isinstance(value, str):
        return Literal(_whole_text(value))
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, int):
        return Literal(str(value), datatype=_INTEGER)
    return Literal(repr(value), datatype=_DOUBLE)


def _whole_text(text: str) -> str:
    text.encode()
    return text


def value_of(text: str, datatype: str) -> AttributeValue:
    """Return what a literal means as a value of an attribute.

    A literal of any other type (dates, for instance) is its text.

    Args:
        text: Its lexical form.
        datatype: IRI of its type.

    Raises:
        InputError: No store can hold it, or the text is not of its type.
    """
    try:
        if datatype in _STRINGS:
            return text
        if datatype == RDF_JSON:
            return _from_json(text)
        if datatype == XSD + "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text.strip()]
        if datatype in _INTEGERS:
            return _whole(text)
        return _finite(float(text)) if datatype in _NUMBERS else text
    except (ValueError, KeyError, RecursionError) as error:
        told = error.what if isinstance(error, InputError) else "not a value of its type"
        raise InputError(f"{text[:80]!r}: {told} ({datatype})") from error


def _whole(text: str) -> int:
    number = int(text) if len(text) < 30 else LARGEST + 1
    if not -LARGEST - 1 <= number <= LARGEST:
        raise InputError("not a whole number of 64 bits")
    return number


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise InputError("not a finite number")
    return number


def _from_json(text: str) -> AttributeValue:
    value = json.loads(text)
    if isinstance(value, list):
        if all(isinstance(item, str | int | float) for item in value):
            return tuple(value)
        raise InputError("a list of other things than texts, numbers and truth values")
    return value if isinstance(value, str | int | float) else text
