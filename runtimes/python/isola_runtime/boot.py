"""Start of the process: HELLO first, then everything else; the other way round where there is a
gate. Imported before HELLO: keep it free of slow imports."""

from __future__ import annotations

import os
import sys
from _thread import start_new_thread

from . import frames
from .connection import Connection, open_control

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .session import Session

USAGE_EXIT_CODE = 64


def main() -> None:
    place = os.environ.pop("ISOLA_CONTROL", None)
    gate = os.environ.pop("ISOLA_GATE", None)
    if place is None:
        _refuse("ISOLA_CONTROL is not set; expected fd:N, stdio, unix:/path or file:/path")
    if gate is not None:
        from .gate import pass_gate
        from .preload import preload_whole
        from .rehearsal import rehearse

        preload_whole()
        rehearse(_serve)
        pass_gate(gate, is_control=gate == place)
    try:
        connection = Connection(*open_control(place or ""))
    except (ValueError, OSError) as error:
        _refuse(f"ISOLA_CONTROL cannot be opened: {error}")
    connection.send(frames.frame(frames.HELLO, 0, 0, hello_payload()))
    if gate is None:
        from .preload import preload

        preload(connection)
    _serve(connection)


def hello_payload() -> bytes:
    major, minor, micro = sys.version_info[:3]
    text = '{"protocol":%d,"runtime":"python%d.%d","version":"%d.%d.%d","pid":%d}'
    values = (frames.PROTOCOL_VERSION, major, minor, major, minor, micro, os.getpid())
    return (text % values).encode()


def _serve(connection: Connection) -> None:
    from .session import Session

    session = Session(connection)
    session.read_until_loading()
    start_new_thread(session.read_forever, ())
    _load(session)


def _load(session: Session) -> None:
    from .load import LoadError
    from .log_hooks import install_hooks
    from .logs import LogSink, install_streams
    from .service import run_function

    connection = session.connection
    sink = LogSink(connection, session.settings.log_line_bytes_max, session.lone_exchange)
    install_streams(sink)
    install_hooks(sink, connection)
    _add_exit_functions()
    try:
        if session.unpack_error is not None:
            raise LoadError(f"the code could not be unpacked: {session.unpack_error}")
        run_function(session, sink)
    except LoadError as error:
        sink.end_all()
        session.refuse(error.failure())
    # The host ends a sandbox whose init has failed; until then PING is answered.
    from threading import Event

    Event().wait()


def _add_exit_functions() -> None:
    """`exit` and `quit`, which Python's `site` would have defined."""
    import _sitebuiltins
    import builtins

    for name in ("exit", "quit"):
        if not hasattr(builtins, name):
            setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))


def _refuse(reason: str) -> None:
    os.write(2, f"isola: {reason}\n".encode())
    os._exit(USAGE_EXIT_CODE)
