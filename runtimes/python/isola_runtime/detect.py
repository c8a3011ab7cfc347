"""Which kind of function an object is."""

from __future__ import annotations

from types import FunctionType

from .load import LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable
    from typing import Any

_CO_VARARGS = 0x04
_CO_COROUTINE = 0x80
_WSGI_FIRST = ("environ", "env")
_WSGI_SECOND = "start_response"
_EXPECTED = (
    "expected handler(event, context), an ASGI application (scope, receive, send) "
    "or a WSGI application (environ, start_response)"
)


def detect_kind(name: str, handler: object) -> str:
    """`lambda`, `async-lambda`, `asgi` or `wsgi`. Raises LoadError for what is none of them."""
    if not callable(handler) or isinstance(handler, type):
        what = f"a class ({handler.__name__})" if isinstance(handler, type) else repr(handler)[:200]
        raise LoadError(f"handler {name!r} is {what}; {_EXPECTED}")
    names, takes_two = _parameters(handler)
    if len(names) == 3 and (_is_async(handler) or names[0] == "scope" or names[1] == "receive"):
        return "asgi"
    if len(names) == 2 and (names[1] == _WSGI_SECOND or names[0] in _WSGI_FIRST):
        return "wsgi"
    if not takes_two:
        raise LoadError(f"handler {name!r} takes ({', '.join(names)}); {_EXPECTED}")
    return "async-lambda" if _is_async(handler) else "lambda"


def _parameters(handler: Callable[..., Any]) -> tuple[list[str], bool]:
    """Names of the required positional parameters, and whether two arguments can be given."""
    if type(handler) is FunctionType and not hasattr(handler, "__wrapped__"):
        # The common case, without importing inspect.
        code = handler.__code__
        most = code.co_argcount
        least = most - len(handler.__defaults__ or ())
        if not code.co_kwonlyargcount:
            fits = least <= 2 and (most >= 2 or bool(code.co_flags & _CO_VARARGS))
            return list(code.co_varnames[:least]), fits
    import inspect

    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        # Written in C and without a signature: called as Lambda would, errors and all.
        return [], True
    names = [name for name, parameter in signature.parameters.items() if _is_needed(parameter)]
    try:
        signature.bind(None, None)
    except TypeError:
        return names, False
    return names, True


def _is_needed(parameter: inspect.Parameter) -> bool:
    positional = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    return parameter.kind in positional and parameter.default is parameter.empty


def _is_async(handler: Callable[..., Any]) -> bool:
    if type(handler) is FunctionType:
        return bool(handler.__code__.co_flags & _CO_COROUTINE)
    import inspect

    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004 -- its kind is asked, not whether it is there
    )
