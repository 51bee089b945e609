"""From a parsed SPARQL pattern to what is asked; see `reasoning.notations.blocks`.

A nested group, a UNION, a MINUS or an EXISTS is read if it shares exactly one variable with what is
around it: then it says something of that variable, as a branch of a tree does. A variable for a
literal is no variable of the tree: its conditions are comparisons on the entity's attribute.
"""

from __future__ import annotations

from collections.abc import Sequence

from kg.backends.names import BASE_LABEL
from kg.model import EntityKey
from reasoning.notations.blocks import Block
from reasoning.notations.conditions import (
    Both,
    Condition,
    Either,
    Not,
    PatternTest,
    VariableTest,
)
from reasoning.notations.hops import Hop
from reasoning.notations.sparql.syntax import (
    Edge,
    Group,
    GroupTest,
    Label,
    Select,
    Term,
    TermTest,
    Value,
)
from reasoning.notations.sparql.variables import bound_variables, named_variables
from reasoning.notations.values import comparison_nodes, everything, presence, unsupported
from reasoning.patterns import Pattern
from reasoning.query import Anchor, Labelled, Negation, Query, Scalar, Span, Union

__all__ = ["asked_by"]


def asked_by(select: Select) -> Query | Pattern:
    """Return what a query asks for; variables for literals are columns, not answers.

    Raises:
        UnsupportedQueryError: The pattern cannot be read as a tree or a pattern of edges.
    """
    block = _Block(select.group, frozenset(select.variables))
    answer = [name for name in select.variables if name not in block.literals]
    strangers = [name for name in answer if name not in block.nodes]
    if strangers:
        raise unsupported(f"?{strangers[0]} is selected but not in the pattern", select.span)
    if not answer:
        raise unsupported("only values are selected", select.span, "select the entity too")
    return block.asked(answer, select.span)


class _Block(Block):
    """One group pattern.

    Args:
        group: As parsed.
        outer: Variables around it.
    """

    def __init__(self, group: Group, outer: frozenset[str]) -> None:
        super().__init__()
        self.literals: dict[str, tuple[str, str]] = {}
        self._group = group
        self._bound = bound_variables(group)
        self._outer = outer
        for triple in group.triples:
            self._add(triple)
        tested = {name for condition in group.filters for name in _only_values(condition)}
        for variable, terms in group.values:
            tested |= self._among(variable, terms)
        self._present(tested)
        for parts in group.alternatives:
            self._alternatives(parts)
        for inner, before in group.minus:
            self._minus(inner, before)
        self.conditions.extend((self._resolved(part), True) for part in group.filters)

    def check(self) -> None:
        """SPARQL has no rule that a tree does not have."""

    def check_local(self, variable: str, span: Span) -> None:
        """Refuse a condition on a variable that this group does not bind."""
        if variable in self.literals:
            raise unsupported(f"?{variable} is a value", span, "compare it with a value")
        if variable not in self.nodes:
            raise unsupported(
                f"this group does not bind ?{variable}", span, "put the condition beside its triple"
            )

    def _add(self, triple: Edge | Label | Value) -> None:
        subject = self._node(triple.subject)
        if isinstance(triple, Edge):
            ends = (subject, self._node(triple.object))
            self.hops.append(Hop(*ends, triple.relations, triple.direction, triple.span))
        elif isinstance(triple, Label):
            is_base = triple.label == BASE_LABEL
            label = everything(triple.span) if is_base else Labelled(triple.label, triple.span)
            self.nodes[subject].constraints.append(label)
        else:
            self._value(subject, triple)

    def _node(self, term: Term) -> str:
        if term.value is not None:
            raise unsupported(
                "an edge ends at a literal", term.span, "name the entity, or use attribute:NAME"
            )
        if term.variable in self.literals:
            raise unsupported(f"?{term.variable} is a value and an entity", term.span)
        name = self.named(term.variable, term.span)
        if term.entity is not None:
            self.nodes[name].constraints.append(Anchor(EntityKey(term.entity), term.span))
        return name

    def _value(self, subject: str, triple: Value) -> None:
        term = triple.object
        if term.variable is not None:
            known = self.literals.setdefault(term.variable, (subject, triple.attribute))
            if term.variable in self.nodes or known != (subject, triple.attribute):
                raise unsupported(f"?{term.variable} stands for two things", term.span)
        elif isinstance(term.value, str | bool):
            true, _ = comparison_nodes(triple.attribute, "=", term.value, triple.span)
            self.nodes[subject].constraints.append(true)
        else:
            raise unsupported(
                "a triple matches one way of writing a number, and no entity",
                term.span,
                "use a variable and FILTER(?v = …)",
            )

    def _present(self, tested: set[str]) -> None:
        """Say that attributes exist of which no condition says it."""
        for variable, (name, attribute) in self.literals.items():
            if variable not in tested and attribute not in ("name", "key"):
                node = self.nodes[name]
                node.constraints.append(presence(attribute, node.span))

    def _among(self, variable: Term, terms: tuple[Term, ...]) -> set[str]:
        name = variable.variable or ""
        test = self._resolved(TermTest(variable.span, name, "in", terms), introduces=True)
        self.conditions.append((test, True))
        return {name}

    def _alternatives(self, parts: tuple[Group, ...]) -> None:
        around = self._outer | bound_variables(self._group, without=parts)
        found = [self._shared(part, around, part.span) for part in parts]
        names = {name for name, _ in found}
        if len(names) > 1:
            raise unsupported("the parts of a UNION are about two variables", parts[1].span)
        trees = tuple(tree for _, tree in found)
        name = self.named(names.pop(), parts[0].span)
        union = trees[0] if len(trees) == 1 else Union(trees, parts[0].span)
        self.nodes[name].constraints.append(union)

    def _minus(self, inner: Group, before: frozenset[str]) -> None:
        name, tree = self._shared(inner, self._outer | self._bound, inner.span)
        if name not in before:
            raise unsupported(
                f"MINUS takes nothing away before ?{name} is bound", inner.span, "move it down"
            )
        self.check_local(name, inner.span)
        self.nodes[name].constraints.append(Negation(tree, inner.span))

    def pattern_tree(self, test: PatternTest) -> tuple[str, Query]:
        """Return the variable that an EXISTS is about, and its tree there."""
        if not isinstance(test, GroupTest):
            raise TypeError(test)
        name, tree = self._shared(test.group, self._outer | self._bound, test.span)
        self.check_local(name, test.span)
        return name, tree

    def _shared(self, inner: Group, around: frozenset[str], span: Span) -> tuple[str, Query]:
        """Return the one variable that a group shares with what is around it, and its tree."""
        shared = sorted(named_variables(inner) & around)
        if len(shared) != 1:
            names = " and ".join(f"?{name}" for name in shared)
            what = f"joins {names}" if shared else "shares no variable with what is around it"
            raise unsupported(f"this group {what}", span, "share exactly one variable")
        if shared[0] in self.literals:
            raise unsupported(f"?{shared[0]} is a value", span, "share the entity's variable")
        block = _Block(inner, around)
        if shared[0] not in block.nodes:
            raise unsupported(f"this group does not bind ?{shared[0]}", span)
        return shared[0], block.tree(shared[0])

    def _resolved(self, condition: Condition, *, introduces: bool = False) -> Condition:
        """Return a condition whose comparisons know what their variables stand for."""
        match condition:
            case Not(part=part):
                return Not(self._resolved(part))
            case Both(parts=parts):
                return Both(tuple(map(self._resolved, parts)))
            case Either(parts=parts, span=span):
                return Either(tuple(map(self._resolved, parts)), span)
            case TermTest():
                return self._compared(condition, introduces=introduces)
            case _:
                return condition

    def _compared(self, test: TermTest, *, introduces: bool) -> VariableTest:
        if test.variable in self.literals:
            name, attribute = self.literals[test.variable]
            values = tuple(_value_of(term) for term in test.terms)
            value = values if test.comparison == "in" else values[0]
            true, false = comparison_nodes(
                attribute, test.comparison, value, test.span, as_day=test.as_day
            )
            return VariableTest(name, true, false, test.span)
        if introduces:
            self.named(test.variable, test.span)
        self.check_local(test.variable, test.span)
        anchors = tuple(_anchor_of(term, test.variable) for term in test.terms)
        either: Query = anchors[0] if len(anchors) == 1 else Union(anchors, test.span)
        neither = Negation(either, test.span)
        if test.comparison in ("=", "in"):
            return VariableTest(test.variable, either, neither, test.span)
        if test.comparison == "<>":
            return VariableTest(test.variable, neither, either, test.span)
        raise unsupported("entities have no order", test.span, "compare an attribute")


def _value_of(term: Term) -> Scalar:
    if term.value is None:
        raise unsupported("an attribute is compared with an entity", term.span, "use a literal")
    return term.value


def _anchor_of(term: Term, variable: str) -> Query:
    if term.entity is None:
        raise unsupported(
            f"?{variable} is an entity and compared with a value",
            term.span,
            "compare an attribute of it: ?x attribute:NAME ?v",
        )
    return Anchor(EntityKey(term.entity), term.span)


def _only_values(condition: Condition) -> Sequence[str]:
    """Return the one variable that a condition compares and nothing else, if it is one."""
    match condition:
        case TermTest(variable=variable):
            return (variable,)
        case Not(part=part):
            return _only_values(part)
        case Both(parts=parts) | Either(parts=parts):
            found = {_only_values(part) for part in parts}
            return found.pop() if len(found) == 1 else ()
        case _:
            return ()
