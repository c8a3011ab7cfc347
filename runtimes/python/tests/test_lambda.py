"""Lambda-style functions, synchronous and asynchronous."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

from harness import Host, frames, started

CASES = """
import json, signal, threading, time

def handler(event, context):
    return CASES[event['case']](event, context)

def fail(event, context):
    raise ValueError('wrong ü')

def chain(event, context):
    try:
        fail(event, context)
    except ValueError as error:
        raise KeyError('key') from error

class Quiet(Exception):
    def __str__(self):
        raise RuntimeError('no text')

def quiet(event, context):
    raise Quiet

def describe(event, context):
    names = ('function_name', 'function_version', 'invoked_function_arn', 'memory_limit_in_mb',
             'aws_request_id', 'log_group_name', 'log_stream_name', 'identity', 'client_context')
    left = context.get_remaining_time_in_millis()
    return {**{n: getattr(context, n) for n in names}, 'left': left}

def huge(event, context):
    raise ValueError('\\u2028' * 100_000)

def main(event, context):
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    return threading.current_thread() is threading.main_thread()

async def later():
    return 'awaited'

CASES = {
    'fail': fail, 'chain': chain, 'quiet': quiet, 'describe': describe,
    'echo': lambda event, context: event,
    'big': lambda event, context: 'x' * event['size'],
    'unjson': lambda event, context: {1, 2},
    'huge': huge, 'main': main,
    'deferred': lambda event, context: later(),
}
"""


class Sync(unittest.TestCase):
    host: Host

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = started({"app.py": CASES})

    @classmethod
    def tearDownClass(cls) -> None:
        cls.host.close()

    def test_ready_says_lambda_and_buffered(self) -> None:
        with Host() as host:
            host.hello()
            frame = host.init({"app.py": CASES})
            self.assertEqual(json.loads(frame.payload), {"kind": "lambda", "buffered": True})

    def test_events_are_answered_with_their_result(self) -> None:
        value = {"case": "echo", "deep": [1, {"ü": None}]}
        answer = self.host.event(value)
        self.assertEqual((answer.status, answer.json), (200, value))
        self.assertEqual(answer.header("content-type"), "application/json")

    def test_an_event_that_is_not_json_is_named(self) -> None:
        error = self.host.call("", b"{", is_event=True).error
        assert error is not None
        self.assertEqual((error["code"], error["type"]), ("function_error", "InvalidEvent"))

    def test_an_exception_comes_back_with_the_frames_of_the_function(self) -> None:
        error = self.host.event({"case": "fail"}).error
        assert error is not None
        self.assertEqual(error["code"], "function_error")
        self.assertEqual((error["type"], error["message"]), ("ValueError", "wrong ü"))
        self.assertIn("in handler", error["stack"])
        self.assertIn("in fail", error["stack"])
        self.assertNotIn("isola_runtime", error["stack"])
        chained = self.host.event({"case": "chain"}).error
        assert chained is not None
        self.assertIn("direct cause", chained["stack"])

    def test_exceptions_that_cannot_be_shown_or_are_too_long_still_fit(self) -> None:
        quiet = self.host.event({"case": "quiet"}).error
        assert quiet is not None
        self.assertEqual(quiet["type"], "Quiet")
        huge = self.host.event({"case": "huge"}).error
        assert huge is not None
        self.assertEqual((huge["type"], huge["message"][:3]), ("ValueError", "\u2028" * 3))

    def test_the_context_has_the_members_of_lambda(self) -> None:
        found = self.host.call("", b'{"case":"describe"}', is_event=True, id="id-7").json
        self.assertEqual(found["function_name"], "hello")
        self.assertEqual(found["function_version"], "3")
        self.assertEqual(found["memory_limit_in_mb"], "256")
        self.assertEqual(found["aws_request_id"], "id-7")
        self.assertEqual(found["log_stream_name"], "sb-1-1")
        self.assertIsNone(found["identity"])
        self.assertTrue(0 < found["left"] <= 30_000)

    def test_the_handler_runs_on_the_main_thread(self) -> None:
        self.assertIs(self.host.event({"case": "main"}).json, True)

    def test_a_coroutine_from_a_plain_function_is_awaited(self) -> None:
        self.assertEqual(self.host.event({"case": "deferred"}).json, "awaited")

    def test_what_json_cannot_express_is_a_bad_response(self) -> None:
        error = self.host.event({"case": "unjson"}).error
        assert error is not None
        self.assertEqual(error["code"], "bad_response")
        self.assertIn("set", error["message"])

    def test_bodies_up_to_the_limit_pass_both_ways_within_the_windows(self) -> None:
        event = {"case": "echo", "text": "y" * 1_000_000}
        data = json.dumps(event).encode()
        stream = self.host.open("", is_event=True)
        window = frames.WINDOW_BYTES
        at = 0
        while at < len(data):
            piece = data[at : at + min(window, 65_536)]
            if not piece:
                (more,) = frames.unpack_u32(self.host.until(frames.CREDIT, stream).payload)
                window += more
                continue
            at += len(piece)
            window -= len(piece)
            end = frames.END if at == len(data) else 0
            self.host.send(frames.frame(frames.BODY, end, stream, piece))
        self.assertEqual(self.host.answer(stream).json, event)

    def test_a_slow_host_gets_no_more_than_the_window(self) -> None:
        self.host.grants_credit = False
        size = 1_000_000
        event = json.dumps({"case": "big", "size": size}).encode()
        stream = self.host.invoke("", event, is_event=True)
        answer = self.host.answers[stream]
        while len(answer.body) < frames.WINDOW_BYTES:
            self.host.next()
        # PONG comes after everything that was sent before it.
        self.host.ping()
        self.assertEqual(len(answer.body), frames.WINDOW_BYTES)
        for _ in range(3):
            self.host.send(frames.credit(stream, 100_000))
        self.host.send(frames.credit(stream, size))
        self.assertEqual(len(self.host.answer(stream).json), size)
        self.host.grants_credit = True

    def test_bodies_beyond_the_limits_are_refused(self) -> None:
        limits = {"requestBodyBytesMax": 1000, "responseBodyBytesMax": 1000}
        with started({"app.py": CASES}, **limits) as host:
            error = host.call("", b" " * 1001, is_event=True).error
            assert error is not None
            self.assertEqual(error["code"], "request_too_large")
            stream = host.open("", is_event=True)
            host.send(frames.body(0, stream, b" " * 1001) + frames.body(frames.END, stream, b"x"))
            self.assertIsNotNone(host.answer(stream).error)
            error = host.event({"case": "big", "size": 999}).error
            assert error is not None
            self.assertEqual(error["code"], "bad_response")
            self.assertEqual(len(host.event({"case": "big", "size": 998}).json), 998)

    def test_cancelling_before_the_body_is_complete_ends_the_call_at_once(self) -> None:
        stream = self.host.open()
        self.host.cancel(stream)
        error = self.host.answer(stream).error
        assert error is not None
        self.assertEqual(error["code"], "cancelled")

    def test_cancelling_while_a_response_waits_for_credit_cuts_it(self) -> None:
        self.host.grants_credit = False
        event = json.dumps({"case": "big", "size": 1_000_000}).encode()
        stream = self.host.invoke("", event, is_event=True)
        self.host.until(frames.BODY, stream)
        self.host.cancel(stream)
        error = self.host.answer(stream).error
        assert error is not None
        self.assertEqual(error["code"], "cancelled")
        self.host.grants_credit = True


class Blocking(unittest.TestCase):
    def test_ping_is_answered_and_cancel_heard_while_the_handler_blocks(self) -> None:
        code = (
            "def handler(event, context):\n"
            "    print('in')\n"
            "    open(event).read()\n"
            "    for _ in range(100_000): pass\n"
        )
        with tempfile.TemporaryDirectory() as folder, started({"app.py": code}) as host:
            import os

            os.mkfifo(folder + "/gate")
            stream = host.invoke("", json.dumps(folder + "/gate").encode(), is_event=True)
            host.log("in")
            self.assertEqual(host.ping()[3], 1)
            host.cancel(stream)
            host.ping()
            Path(folder, "gate").write_text("go")
            error = host.answer(stream).error
            assert error is not None
            self.assertEqual(error["code"], "cancelled")

    def test_ping_is_answered_while_the_code_spins(self) -> None:
        code = "def handler(event, context):\n    print('in')\n    while True: pass\n"
        with started({"app.py": code}) as host:
            host.invoke()
            host.log("in")
            self.assertEqual(host.ping()[3], 1)

    def test_concurrent_calls_run_at_once_and_their_logs_are_told_apart(self) -> None:
        code = (
            "import logging, threading\n"
            "meet = threading.Barrier(3)\n"
            "def handler(event, context):\n"
            "    print('start', end=' ')\n"
            "    meet.wait(30)\n"
            "    print(event)\n"
            "    logging.warning('w%s', event)\n"
            "    return event\n"
        )
        with started({"app.py": code}, concurrency=3) as host:
            for _ in range(2):
                streams = [host.invoke("", json.dumps(n).encode(), is_event=True) for n in range(3)]
                for n, stream in enumerate(streams):
                    self.assertEqual(host.answer(stream).json, n)
                    texts = [(log.text, log.level) for log in host.logs if log.stream == stream]
                    self.assertEqual(texts, [(f"start {n}", "none"), (f"w{n}", "warn")])


ASYNC = """
import asyncio, contextvars

seen = contextvars.ContextVar('seen', default='unset')
seen.set('import')

async def background():
    raise ValueError('in the background')

async def handler(event, context):
    if event == 'wait':
        print('waiting')
        try:
            await asyncio.sleep(600)
        finally:
            print('cleaned')
    if event == 'stubborn':
        print('waiting')
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            return 'late'
    if event == 'fail':
        raise LookupError('nothing')
    if event == 'task':
        asyncio.create_task(background())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        import gc; gc.collect()
    if event == 'big':
        return 'x' * 1_000_000
    if event == 'exit':
        raise SystemExit(4)
    before = seen.get()
    seen.set('changed')
    await asyncio.sleep(0)
    return [event, before]
"""


class Async(unittest.TestCase):
    host: Host

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = started({"app.py": ASYNC}, concurrency=10)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.host.close()

    def test_calls_interleave_and_keep_their_context_variables_apart(self) -> None:
        streams = [self.host.invoke("", json.dumps(n).encode(), is_event=True) for n in range(10)]
        for n, stream in enumerate(streams):
            self.assertEqual(self.host.answer(stream).json, [n, "import"])

    def test_cancelling_cancels_the_task_and_is_answered_once_it_settled(self) -> None:
        for event in ("wait", "stubborn"):
            stream = self.host.invoke("", json.dumps(event).encode(), is_event=True)
            while not any(log == (stream, "waiting", *log[2:]) for log in self.host.logs):
                self.host.next()
            self.host.cancel(stream)
            error = self.host.answer(stream).error
            assert error is not None
            self.assertEqual(error["code"], "cancelled")
        self.assertIn("cleaned", [log.text for log in self.host.logs])

    def test_exceptions_and_large_results_come_back(self) -> None:
        error = self.host.event("fail").error
        assert error is not None
        self.assertEqual((error["type"], error["message"]), ("LookupError", "nothing"))
        self.assertNotIn("isola_runtime", error["stack"])
        self.assertEqual(len(self.host.event("big").json), 1_000_000)

    def test_an_exception_that_no_one_retrieves_is_logged_as_an_error(self) -> None:
        self.host.event("task")
        log = self.host.log("ValueError: in the background")
        self.assertEqual(log.level, "error")

    def test_exit_in_a_task_ends_the_process(self) -> None:
        with started({"app.py": ASYNC}) as host:
            host.invoke("", b'"exit"', is_event=True)
            self.assertEqual(host.end()[0], 4)

    def test_shutdown_ends_the_loop(self) -> None:
        code = "import atexit\natexit.register(lambda: print('bye'))\n" + ASYNC
        with started({"app.py": code}) as host:
            host.event(1)
            host.send(frames.shutdown(10_000))
            self.assertEqual(host.end()[0], 0)
            self.assertEqual(host.logs[-1].text, "bye")
