"""What the code writes, and to whom it is attributed."""

from __future__ import annotations

import unittest
from typing import Any

from harness import Host, started

CODE = """
import logging, os, sys, threading, warnings

print('on import')

def handler(event, context):
    exec(event['code'], globals())
    return None
"""


class Logs(unittest.TestCase):
    host: Host

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = started({"app.py": CODE}, logLineBytesMax=200_000)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.host.close()

    def run_code(self, code: str) -> list[Any]:
        """Runs a piece of code as an invocation; text, level and file of each line it logged."""
        answer = self.host.event({"code": code})
        self.assertIsNone(answer.error, answer.error)
        stream = self.host.last_stream
        return [
            (log.text, log.level, log.is_stderr) for log in self.host.logs if log.stream == stream
        ]

    def test_what_is_written_on_import_belongs_to_no_invocation(self) -> None:
        self.assertEqual(self.host.log("on import").stream, 0)

    def test_print_and_write_are_assembled_to_lines(self) -> None:
        found = self.run_code(
            "print('a', 'b'); print('x', end=''); sys.stderr.write('e\\n'); print('y\\nz', end='')"
        )
        expected = [("a b", "none", False), ("e", "none", True), ("xy", "none", False)]
        self.assertEqual(found, [*expected, ("z", "none", False)])

    def test_bytes_written_to_the_buffer_join_the_same_lines(self) -> None:
        found = self.run_code("print('a', end=''); sys.stdout.buffer.write('é\\n'.encode())")
        self.assertEqual(found, [("aé", "none", False)])

    def test_flush_sends_what_there_is_of_a_line(self) -> None:
        self.run_code("print('half', end='', flush=True); print(' whole')")
        stream = self.host.last_stream
        found = [(log.text, log.is_partial) for log in self.host.logs if log.stream == stream]
        self.assertEqual(found, [("half", True), (" whole", False)])

    def test_logging_carries_levels_and_one_frame_per_line(self) -> None:
        found = self.run_code(
            "logging.getLogger().setLevel(1)\n"
            "for level in (5, 10, 20, 30, 40, 50): logging.log(level, 'at %d\\nnext', level)"
        )
        levels = ["trace", "debug", "info", "warn", "error", "fatal"]
        numbers = [5, 10, 20, 30, 40, 50]
        expected = []
        for level, number in zip(levels, numbers):
            expected += [(f"at {number}", level, True), ("next", level, True)]
        self.assertEqual(found, expected)

    def test_a_wrong_log_call_is_reported_and_does_not_fail_the_call(self) -> None:
        found = self.run_code("logging.error('%d', 'x')")
        self.assertIn("--- Logging error ---", [text for text, _, _ in found])

    def test_a_thread_is_attributed_to_the_only_running_invocation(self) -> None:
        found = self.run_code(
            "thread = threading.Thread(target=lambda: print('threaded'))\n"
            "thread.start(); thread.join()"
        )
        self.assertEqual(found, [("threaded", "none", False)])

    def test_an_exception_in_a_thread_is_an_error_line(self) -> None:
        found = self.run_code(
            "thread = threading.Thread(target=lambda: 1 / 0, name='mine')\n"
            "thread.start(); thread.join()"
        )
        self.assertEqual(found[0], ("Exception in thread mine:", "error", True))
        self.assertEqual(found[-1], ("ZeroDivisionError: division by zero", "error", True))

    def test_an_exception_in_a_destructor_is_an_error_line(self) -> None:
        found = self.run_code(
            "class Bad:\n    def __del__(self): raise ValueError('in del')\nbad = Bad(); del bad"
        )
        self.assertIn(("ValueError: in del", "error", True), found)

    def test_an_exception_in_a_thread_after_the_response_is_logged(self) -> None:
        self.run_code(
            "gate = threading.Event()\n"
            "def late():\n    gate.wait(30); raise ValueError('too late')\n"
            "threading.Thread(target=late).start()"
        )
        self.run_code("gate.set()")
        self.assertEqual(self.host.log("ValueError: too late").level, "error")

    def test_a_long_line_is_cut_at_the_limit(self) -> None:
        self.run_code("print('x' * 250_000); print('next')")
        stream = self.host.last_stream
        logs = [log for log in self.host.logs if log.stream == stream]
        self.assertEqual(sum(len(log.text) for log in logs[:-1]), 200_000)
        self.assertEqual([log.is_partial for log in logs], [True, True, True, False, False])
        self.assertEqual([log.is_truncated for log in logs], [False, False, False, True, False])
        self.assertEqual(logs[-1].text, "next")

    def test_text_that_utf8_cannot_carry_is_escaped(self) -> None:
        found = self.run_code("print('\\ud800')")
        self.assertEqual(found, [("\\ud800", "none", False)])

    def test_the_streams_offer_what_libraries_ask_of_them(self) -> None:
        found = self.run_code(
            "assert (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)\n"
            "assert sys.stdout.encoding == 'utf-8' and not sys.stdout.isatty()\n"
            "assert sys.stdout.writable() and not sys.stdout.readable()\n"
            "sys.stdout.reconfigure(line_buffering=True); sys.stdout.close()\n"
            "sys.stdout.writelines(['a\\n', 'b\\n']); warnings.warn('careful')"
        )
        self.assertEqual([text for text, _, _ in found[:2]], ["a", "b"])
        self.assertIn("UserWarning: careful", found[2][0])

    def test_lines_are_sent_before_a_crash_right_after_them(self) -> None:
        with started({"app.py": CODE}) as host:
            host.event({"code": "pass"})
            host.invoke("", b'{"code":"print(\'last\'); os.abort()"}', is_event=True)
            code, _ = host.end()
            self.assertEqual(code, -6)
            self.assertEqual(host.logs[-1].text, "last")

    def test_raw_writes_reach_the_real_descriptors(self) -> None:
        with started({"app.py": CODE}) as host:
            host.event({"code": "os.write(1, b'raw\\n'); os.write(2, b'err\\n')"})
            host.socket.close()
            out, errors = host.process.communicate(timeout=30)
            self.assertEqual((out, errors), (b"raw\n", b"err\n"))
