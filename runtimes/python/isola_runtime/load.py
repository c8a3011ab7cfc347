"""Finds what `handler` names, and says what was there when it does not exist."""

from __future__ import annotations

import importlib
import os
import sys

from .failure import Failure, failure_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

DEFAULT_HANDLER = "app.handler"
# Where a build has installed what the package needs.
_DEPENDENCIES = ".isola/python"
_FALLBACK_NAMES = ("app", "application")
_NAMES_SHOWN_MAX = 20


class LoadError(Exception):
    """The code cannot be loaded; the message names what was looked for and what was found."""

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.cause = cause

    def failure(self) -> Failure:
        if self.cause is None:
            return Failure("init_failed", "LoadError", str(self))
        failure = failure_of("init_failed", self.cause)
        failure.message = str(self)
        return failure


def add_dependencies(root: str) -> None:
    """Before anything of the package is imported."""
    dependencies = os.path.join(root, _DEPENDENCIES)
    if os.path.isdir(dependencies):
        # Last, as Python has what is installed: the package's own modules win.
        sys.path.append(dependencies)


def load_handler(handler: str, root: str) -> object:
    """`app.handler`, `pkg.mod.fn` or `dir/mod.fn`. Raises LoadError."""
    module_path, dot, attribute = handler.rpartition(".")
    module_name = module_path.strip("/").replace("/", ".")
    if not dot or not attribute or not all(module_name.split(".")):
        raise LoadError(f"handler {handler!r} must be of the form module.function")
    module = _import(handler, module_name, root)
    try:
        return getattr(module, attribute)
    except AttributeError:
        pass
    if handler == DEFAULT_HANDLER:
        found = [name for name in _FALLBACK_NAMES if hasattr(module, name)]
        if len(found) == 1:
            return getattr(module, found[0])
    names = _listed(sorted(name for name in vars(module) if not name.startswith("_")))
    place = getattr(module, "__file__", None) or module_name
    text = f"handler {handler!r}: {_below(place, root)} has no {attribute!r}; it has: {names}"
    raise LoadError(text)


def _import(handler: str, name: str, root: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise LoadError(_missing(handler, name, root)) from None
        raise LoadError(_failed(handler, name, error), error) from None
    except SystemExit as error:
        text = f"handler {handler!r}: module {name!r} called sys.exit({error.code!r}) on import"
        raise LoadError(text, error) from None
    except BaseException as error:
        raise LoadError(_failed(handler, name, error), error) from None


def _failed(handler: str, name: str, error: BaseException) -> str:
    return f"handler {handler!r}: importing {name!r} failed: {type(error).__name__}: {error}"


def _missing(handler: str, name: str, root: str) -> str:
    looked_for = name.replace(".", "/")
    folder = os.path.join(root, os.path.dirname(looked_for))
    if not os.path.isdir(folder):
        folder = root
    try:
        entries = sorted(
            entry.name + "/" if entry.is_dir() else entry.name for entry in os.scandir(folder)
        )
    except OSError as error:
        entries = [f"<unreadable: {error.strerror}>"]
    sought = f"looked for {looked_for}.py and {looked_for}/__init__.py below {root}"
    return f"handler {handler!r}: no module {name!r}; {sought}; {folder} holds: {_listed(entries)}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN_MAX]) or "nothing"
    more = len(names) - _NAMES_SHOWN_MAX
    return f"{shown} and {more} more" if more > 0 else shown


def _below(path: str, root: str) -> str:
    return path[len(root) + 1 :] if path.startswith(root + "/") else path
