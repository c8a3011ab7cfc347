"""WSGI applications without a framework."""

from __future__ import annotations

import json
import unittest

from harness import Host, frames, started

APP = """
import json, sys

def app(environ, start_response):
    return ROUTES[environ['PATH_INFO'].rpartition('/')[2]](environ, start_response)

PLAIN = [('Content-Type', 'text/plain'), ('X-L', 'caf\\xe9')]

def describe(environ, start_response):
    start_response('200 OK', PLAIN)
    shown = {k: v for k, v in environ.items() if isinstance(v, (str, bool, tuple))}
    return [json.dumps(shown).encode()]

def empty(environ, start_response):
    start_response('304 Not Modified', [])
    return []

class Closing:
    def __init__(self, chunks):
        self.chunks = iter(chunks)
    def __iter__(self):
        return self
    def __next__(self):
        return next(self.chunks)
    def close(self):
        print('closed')

def echo(environ, start_response):
    start_response('200 OK', PLAIN)
    source = environ['wsgi.input']
    def lines():
        while True:
            line = source.readline()
            if not line:
                return
            yield line
    return Closing(lines())

def read(environ, start_response):
    source = environ['wsgi.input']
    found = [source.read(3), source.readline(2), source.readline(), source.read(0), source.read()]
    start_response('200 OK', PLAIN)
    return [repr(found).encode(), repr(source.read(5)).encode()]

def upload(environ, start_response):
    total = 0
    while True:
        data = environ['wsgi.input'].read(10_000)
        total += len(data)
        if len(data) < 10_000:
            break
    start_response('200 OK', PLAIN)
    return [b'%d' % total]

def flood(environ, start_response):
    start_response('200 OK', PLAIN)
    def chunks():
        for n in range(64):
            print('making', n)
            yield b'x' * 50_000
    return Closing(chunks())

def write(environ, start_response):
    send = start_response('200 OK', PLAIN)
    send(b'written ')
    return [b'returned']

def replaced(environ, start_response):
    start_response('200 OK', PLAIN)
    try:
        raise ValueError('before the body')
    except ValueError:
        start_response('500 No', [], sys.exc_info())
    return [b'replaced']

def fail(environ, start_response):
    print('to errors', file=environ['wsgi.errors'])
    raise ValueError('broken')

def fail_late(environ, start_response):
    start_response('200 OK', PLAIN)
    yield b'some'
    raise ValueError('broken')

def silent(environ, start_response):
    return [b'x']

def text(environ, start_response):
    start_response('200 OK', PLAIN)
    return iter(['text'])

def wait(environ, start_response):
    print('waiting')
    environ['wsgi.input'].read()

ROUTES = {f.__name__: f for f in (describe, empty, echo, read, upload, flood, write, replaced, fail,
                                  fail_late, silent, text, wait)}
"""


class Wsgi(unittest.TestCase):
    host: Host

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = started({"app.py": APP})

    @classmethod
    def tearDownClass(cls) -> None:
        cls.host.close()

    def error(self, target: str) -> dict[str, str]:
        error = self.host.call(target).error
        assert error is not None
        return error

    def test_ready_says_wsgi_and_not_buffered(self) -> None:
        with Host() as host:
            host.hello()
            frame = host.init({"app.py": APP})
            self.assertEqual(json.loads(frame.payload), {"kind": "wsgi", "buffered": False})

    def test_the_environ_follows_the_specification(self) -> None:
        headers = [
            ("host", "api.test"),
            ("content-type", "text/x"),
            ("content-length", "1"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("x_a", "spoofed"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
        ]
        answer = self.host.call("/%C3%A9/describe?q=1", b"x", prefix="/hello", headers=headers)
        environ = answer.json
        for name, value in {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "/hello",
            "PATH_INFO": "/\u00c3\u00a9/describe",
            "QUERY_STRING": "q=1",
            "SERVER_NAME": "api.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7",
            "CONTENT_TYPE": "text/x",
            "CONTENT_LENGTH": "1",
            "HTTP_X_A": "1,2",
            "HTTP_COOKIE": "a=1; b=2",
            "wsgi.version": [1, 0],
            "wsgi.multithread": False,
        }.items():
            self.assertEqual(environ[name], value, name)
        self.assertEqual(answer.headers, [("content-type", "text/plain"), ("x-l", "caf\u00e9")])

    def test_a_response_without_a_body_is_one_frame(self) -> None:
        stream = self.host.invoke("/empty")
        frame = self.host.until(frames.HEAD, stream)
        self.assertEqual((frame.flags, frame.payload), (frames.END, b"304"))

    def test_request_and_response_stream_at_the_same_time(self) -> None:
        stream = self.host.open("/echo", method="POST")
        for line in (b"one\n", b"two\n"):
            self.host.send(frames.frame(frames.BODY, 0, stream, line))
            self.assertEqual(self.host.until(frames.BODY, stream).payload, line)
        self.host.send(frames.frame(frames.BODY, frames.END, stream, b"three"))
        self.assertEqual(self.host.answer(stream).body, b"one\ntwo\nthree")
        self.host.log("closed")

    def test_reads_of_every_sort_see_the_body_in_order(self) -> None:
        stream = self.host.open("/read", method="POST")
        for piece in (b"ab", b"cdef\ngh", b"i\nrest", b" of it"):
            self.host.send(frames.frame(frames.BODY, 0, stream, piece))
        self.host.send(frames.frame(frames.BODY, frames.END, stream))
        expected = repr([b"abc", b"de", b"f\n", b"", b"ghi\nrest of it"]) + "b''"
        self.assertEqual(self.host.answer(stream).body.decode(), expected)

    def test_an_upload_larger_than_the_window_is_credited_as_it_is_read(self) -> None:
        stream = self.host.open("/upload", method="POST")
        window = frames.WINDOW_BYTES
        for _ in range(40):
            while window < 50_000:
                (more,) = frames.unpack_u32(self.host.until(frames.CREDIT, stream).payload)
                window += more
            self.host.send(frames.frame(frames.BODY, 0, stream, bytes(50_000)))
            window -= 50_000
        self.host.send(frames.frame(frames.BODY, frames.END, stream))
        self.assertEqual(self.host.answer(stream).body, b"2000000")

    def test_a_slow_host_holds_the_application_back(self) -> None:
        self.host.grants_credit = False
        stream = self.host.invoke("/flood")
        answer = self.host.answers[stream]
        while len(answer.body) < frames.WINDOW_BYTES:
            self.host.next()
        self.host.ping()
        made = [log.text for log in self.host.logs if log.stream == stream]
        self.assertEqual(made[-1], "making 5")
        self.host.grants_credit = True
        self.host.send(frames.credit(stream, frames.WINDOW_BYTES))
        self.assertEqual(len(self.host.answer(stream).body), 64 * 50_000)

    def test_cancel_ends_reads_and_writes_that_wait(self) -> None:
        self.host.grants_credit = False
        for target, first in (("/flood", frames.BODY), ("/wait", frames.LOG)):
            stream = self.host.open(target)
            self.host.until(first, stream)
            self.host.cancel(stream)
            error = self.host.answer(stream).error
            assert error is not None
            self.assertEqual(error["code"], "cancelled")
        self.host.grants_credit = True
        self.assertEqual(self.host.call("/write").body, b"written returned")

    def test_the_head_can_be_replaced_until_it_is_sent(self) -> None:
        answer = self.host.call("/replaced")
        self.assertEqual((answer.status, answer.body), (500, b"replaced"))

    def test_exceptions_are_function_errors_also_after_the_head(self) -> None:
        self.assertEqual(self.error("/fail")["message"], "broken")
        self.assertTrue(self.host.log("to errors").is_stderr)
        answer = self.host.call("/fail_late")
        self.assertEqual((answer.status, answer.body), (200, b"some"))
        assert answer.error is not None
        self.assertEqual(answer.error["code"], "function_error")

    def test_malformed_responses_are_bad_responses(self) -> None:
        for target, text in (("/silent", "start_response"), ("/text", "must be bytes, not str")):
            error = self.error(target)
            self.assertEqual(error["code"], "bad_response")
            self.assertIn(text, error["message"])

    def test_events_are_refused(self) -> None:
        error = self.host.event({}).error
        assert error is not None
        self.assertEqual(error["code"], "not_an_event_function")

    def test_calls_run_at_once_on_threads(self) -> None:
        code = (
            "import threading\n"
            "meet = threading.Barrier(4)\n"
            "def app(environ, start_response):\n"
            "    meet.wait(30)\n"
            "    print(environ['PATH_INFO'])\n"
            "    start_response('200 OK', [])\n"
            "    return [str(environ['wsgi.multithread']).encode()]\n"
        )
        with started({"app.py": code}, concurrency=4) as host:
            streams = [host.invoke(f"/{n}") for n in range(4)]
            for n, stream in enumerate(streams):
                self.assertEqual(host.answer(stream).body, b"True")
                texts = [log.text for log in host.logs if log.stream == stream]
                self.assertEqual(texts, [f"/{n}"])
