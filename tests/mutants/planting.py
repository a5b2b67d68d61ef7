"""Mistakes of one place each, all planted into a module at once, each behind a switch.

``a < b`` becomes ``(a <= b) if switch(7) else (a < b)``: the module is compiled once, and a test run turns one
mistake on. What runs at import (constants, default values, decorators) and the texts for people stay as they are.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

Placed = ast.stmt | ast.expr | ast.pattern

SWITCH: Final = "_is_planted"

OTHER: Final[dict[type[ast.AST], type[ast.AST]]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult},
    **{ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr},
}
TRUTHS: Final = (ast.Constant, ast.Compare, ast.BoolOp, ast.UnaryOp)
OTHER_NAME: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    number: int
    line: int
    function: str
    before: str
    after: str

    def key(self, module: str) -> str:
        """What names it as long as its function says the same, wherever that moves."""
        return f"{module} {self.function}: {self.before} -> {self.after}"


class Planter(ast.NodeTransformer):
    """Plants into the bodies of functions; ``mutants`` is what it planted."""

    def __init__(self, source: str) -> None:
        self.lines = source.encode().splitlines()
        self.mutants: list[Mutant] = []
        self.path: list[str] = []
        self.inside = 0
        self.tests: set[int] = set()

    # -- where

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.path.append(node.name)
        node.body = [self.visit(one) for one in node.body]
        self.path.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.path.append(node.name)
        self.inside += 1
        node.body = [self.visit(one) for one in node.body]
        self.inside -= 1
        self.path.pop()
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.inside += 1
        node.body = self.visit(node.body)
        self.inside -= 1
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value:
            node.value = self.visit(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """They are about mistakes of ours: where there is none, they say nothing."""
        return node

    def visit(self, node: ast.AST) -> Any:
        if self.inside and isinstance(node, ast.stmt):
            return self.statement(node)
        if self.inside and isinstance(node, ast.expr):
            return self.expression(node)
        if self.inside and isinstance(node, ast.match_case):
            return self.case(node)
        return super().visit(node)

    # -- what

    def statement(self, node: ast.stmt) -> Any:
        original = copy.deepcopy(node)
        self.note_tests(node)
        planted = super().visit(node)
        for wrong in wrong_statements(original):
            test = self.switch(original, wrong)
            planted = ast.If(test, [wrong], [planted])
        return planted

    def expression(self, node: ast.expr) -> Any:
        if isinstance(node, ast.JoinedStr) or not isinstance(
            getattr(node, "ctx", ast.Load()), ast.Load
        ):
            return node
        original = copy.deepcopy(node)
        self.note_tests(node)
        wrongs = [*wrong_expressions(original)]
        if id(node) in self.tests and not isinstance(node, TRUTHS):
            wrongs.append(ast.UnaryOp(ast.Not(), copy.deepcopy(original)))
        planted = super().visit(node)
        for wrong in wrongs:
            planted = ast.IfExp(self.switch(original, wrong), wrong, planted)
        return planted

    def note_tests(self, node: ast.AST) -> None:
        """Remember what is asked whether it is true."""
        match node:
            case ast.If() | ast.While() | ast.IfExp():
                self.tests.add(id(node.test))
            case ast.BoolOp() if id(node) in self.tests:
                self.tests.update(map(id, node.values))
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self.tests.update(id(test) for part in node.generators for test in part.ifs)

    def case(self, node: ast.match_case) -> ast.AST:
        off = ast.UnaryOp(ast.Not(), self.switch(node.pattern, ast.Constant("never")))
        if node.guard:
            node.guard = self.visit(node.guard)
        node.body = [self.visit(one) for one in node.body]
        node.guard = ast.BoolOp(ast.And(), [off, node.guard]) if node.guard else off
        return node

    def switch(self, before: Placed, after: ast.AST) -> ast.expr:
        number = len(self.mutants) + 1
        text = (
            self.line_with(before, ast.unparse(before)),
            self.line_with(before, ast.unparse(after)),
        )
        self.mutants.append(Mutant(number, before.lineno, ".".join(self.path), *text))
        return ast.Call(ast.Name(SWITCH, ast.Load()), [ast.Constant(number)], [])

    def line_with(self, place: Placed, text: str) -> str:
        """The lines of ``place`` as one, with ``text`` there."""
        assert place.end_lineno is not None
        head = self.lines[place.lineno - 1][: place.col_offset]
        tail = self.lines[place.end_lineno - 1][place.end_col_offset :]
        return " ".join(f"{head.decode()}{text}{tail.decode()}".split())


def wrong_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Return(value=ast.expr() as value) if not isinstance(value, TRUTHS):
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.AugAssign() | ast.Delete() | ast.Raise():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()


def wrong_expressions(node: ast.expr) -> Iterator[ast.expr]:
    wrong = copy.deepcopy(node)
    match wrong:
        case ast.Compare():
            for place, operator in enumerate(wrong.ops):
                again = copy.deepcopy(wrong)
                again.ops[place] = OTHER[type(operator)]()  # type: ignore[call-overload]
                yield again
        case ast.BoolOp() | ast.BinOp() if type(wrong.op) in OTHER and not is_text(wrong):
            wrong.op = OTHER[type(wrong.op)]()  # type: ignore[assignment]
            yield wrong
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield wrong.operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if " " not in value:
            yield ast.Constant(f"{value}x")
        case ast.Call(func=ast.Name(id=name)) if name in OTHER_NAME:
            wrong.func = ast.Name(OTHER_NAME[name], ast.Load())
            yield wrong
        case ast.IfExp():
            yield ast.IfExp(wrong.test, wrong.orelse, wrong.body)


def is_text(node: ast.BoolOp | ast.BinOp) -> bool:
    return isinstance(node, ast.BinOp) and any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )
