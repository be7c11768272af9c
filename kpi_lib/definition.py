"""What a declaration computes, as text: two that compute the same have the same text, whatever they say about it."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType
from typing import Any


@cache
def code_of(function: Callable[..., Any]) -> str:
    """Return a function's code, that of the functions of its package it calls, and their constants, without prose."""
    reached, constants = _reached(function, {}, {})
    return "\n".join([*map(_own_code, reached), *(f"{name} = {said}" for name, said in sorted(constants.items()))])


@cache
def _own_code(function: Callable[..., Any]) -> str:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
            node.body = node.body[1:] if ast.get_docstring(node) else node.body
    return ast.unparse(tree)


def _reached(
    function: Any, known: dict[Any, None], constants: dict[str, str]
) -> tuple[dict[Any, None], dict[str, str]]:
    """Return the function and, in the order of their names, the helpers that it reaches beside it; and constants."""
    known[function] = None
    for name in sorted(set(_names(function.__code__)) & function.__globals__.keys()):
        value = function.__globals__[name]
        for helper in _functions(value):
            if helper not in known and _beside(helper, function):
                _reached(helper, known, constants)
        if (said := _constant(value)) is not None:
            constants[name] = said
    return known, constants


def _functions(value: Any) -> list[Any]:
    """Return the functions that a name stands for: itself, or those that a dictionary or tuple holds."""
    each = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
    return [one for one in each if inspect.isfunction(one)]


def _constant(value: Any) -> str | None:
    """Return plain data as text; None for what is something else, such as a class or a module."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if isinstance(value, dict):
        return _constant(tuple(value.items()))
    if isinstance(value, (tuple, list, set, frozenset)):
        parts = [said for each in value if (said := _constant(each)) is not None]
        ordered = parts if isinstance(value, (tuple, list)) else sorted(parts)
        return f"({', '.join(ordered)})" if len(parts) == len(value) else None
    return None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _beside(helper: Any, function: Any) -> bool:
    return bool(helper.__module__.rpartition(".")[0] == function.__module__.rpartition(".")[0])
