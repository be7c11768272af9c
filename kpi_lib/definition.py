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
    """Return a function's code and that of the functions of its package it calls, without prose and layout."""
    return "\n".join(_own_code(each) for each in _reached(function, []))


@cache
def _own_code(function: Callable[..., Any]) -> str:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
            node.body = node.body[1:] if ast.get_docstring(node) else node.body
    return ast.unparse(tree)


def _reached(function: Any, known: list[Any]) -> list[Any]:
    """Return the function and, in the order of their names, the helpers that it reaches beside it."""
    known.append(function)
    for name in sorted(set(_names(function.__code__))):
        helper = function.__globals__.get(name)
        if inspect.isfunction(helper) and helper not in known and _beside(helper, function):
            _reached(helper, known)
    return known


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _beside(helper: Any, function: Any) -> bool:
    return bool(helper.__module__.rpartition(".")[0] == function.__module__.rpartition(".")[0])
