"""ASGI applications without a framework."""

from __future__ import annotations

import json
import unittest

from harness import Host, frames, started

APP = """
import asyncio, json

startups = []

async def handler(scope, receive, send):
    if scope['type'] == 'lifespan':
        while True:
            message = await receive()
            if message['type'] == 'lifespan.startup':
                scope['state']['word'] = 'shared'
                await send({'type': 'lifespan.startup.complete'})
            else:
                print('shutting down')
                await send({'type': 'lifespan.shutdown.complete'})
                return
    await ROUTES[scope['path'].rpartition('/')[2]](scope, receive, send)

async def start(send, status=200, headers=((b'Content-Type', b'text/plain'),)):
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})

async def answer(send, body, more=False):
    await send({'type': 'http.response.body', 'body': body, 'more_body': more})

async def describe(scope, receive, send):
    shown = {k: v for k, v in scope.items() if k != 'headers'}
    shown['headers'] = [[n.decode('latin-1'), v.decode('latin-1')] for n, v in scope['headers']]
    body = json.dumps(shown, default=lambda value: value.decode()).encode()
    await start(send)
    await answer(send, body)

async def empty(scope, receive, send):
    await start(send, 204, [])
    await answer(send, b'')

async def echo(scope, receive, send):
    await start(send)
    while True:
        message = await receive()
        await answer(send, message['body'], True)
        if not message['more_body']:
            break
    await answer(send, b'')

async def slow_reader(scope, receive, send):
    await start(send)
    await answer(send, b'ready', True)
    print('holding')
    while not (await receive()).get('more_body') is False:
        pass
    await answer(send, b'done')

async def flood(scope, receive, send):
    await start(send)
    for n in range(64):
        await answer(send, b'x' * 50_000, True)
        print('sent', n)
    await answer(send, b'')

async def listen(scope, receive, send):
    print('listening')
    while (await receive())['type'] != 'http.disconnect':
        pass
    print('disconnected')
    try:
        await start(send)
    except OSError:
        print('send refused')

async def deaf(scope, receive, send):
    print('deaf')
    await asyncio.sleep(600)

async def fail(scope, receive, send):
    raise ValueError('broken')

async def fail_late(scope, receive, send):
    await start(send)
    await answer(send, b'some', True)
    raise ValueError('broken')

async def fail_after(scope, receive, send):
    await start(send, 500)
    await answer(send, b'told')
    raise ValueError('after the response')

async def silent(scope, receive, send):
    pass

async def bad_header(scope, receive, send):
    await start(send, 200, [(b'x', b'a\\r\\nb')])

async def after(scope, receive, send):
    await empty(scope, receive, send)
    print((await receive())['type'])

ROUTES = {f.__name__: f for f in (describe, empty, echo, slow_reader, flood, listen, deaf, fail,
                                  fail_late, fail_after, silent, bad_header, after)}
"""


class Asgi(unittest.TestCase):
    host: Host

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = started({"app.py": APP}, concurrency=5)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.host.close()

    def error(self, target: str) -> dict[str, str]:
        error = self.host.call(target).error
        assert error is not None
        return error

    def test_ready_says_asgi_and_not_buffered(self) -> None:
        with Host() as host:
            host.hello()
            frame = host.init({"app.py": APP})
            self.assertEqual(json.loads(frame.payload), {"kind": "asgi", "buffered": False})

    def test_the_scope_follows_the_specification(self) -> None:
        headers = [("host", "api.test:8080"), ("x-a", "1"), ("x-a", "caf\u00e9")]
        target = "/a%20b/describe?q=%20"
        scope = self.host.call(target, prefix="/hello", headers=headers, scheme="https").json
        self.assertEqual(scope["path"], "/hello/a b/describe")
        self.assertEqual(scope["raw_path"], "/hello/a%20b/describe")
        self.assertEqual(scope["root_path"], "/hello")
        self.assertEqual(scope["query_string"], "q=%20")
        self.assertEqual(scope["headers"], [list(pair) for pair in headers])
        self.assertEqual(scope["http_version"], "1.1")
        self.assertEqual((scope["method"], scope["scheme"]), ("GET", "https"))
        self.assertEqual(scope["server"], ["api.test", 8080])
        self.assertEqual(scope["client"], ["192.0.2.7", 0])
        self.assertEqual(scope["state"], {"word": "shared"})

    def test_a_response_without_a_body_is_one_frame(self) -> None:
        stream = self.host.invoke("/empty")
        frame = self.host.until(frames.HEAD, stream)
        self.assertEqual((frame.flags, frame.payload), (frames.END, b"204"))

    def test_request_and_response_stream_at_the_same_time(self) -> None:
        stream = self.host.open("/echo", method="POST")
        for piece in (b"one", b"two", b"three"):
            self.host.send(frames.frame(frames.BODY, 0, stream, piece))
            self.assertEqual(self.host.until(frames.BODY, stream).payload, piece)
        self.host.send(frames.frame(frames.BODY, frames.END, stream))
        answer = self.host.answer(stream)
        self.assertEqual(answer.body, b"onetwothree")
        self.assertEqual(answer.headers, [("content-type", "text/plain")])

    def test_an_upload_larger_than_the_window_is_credited_as_it_is_read(self) -> None:
        stream = self.host.open("/slow_reader", method="POST")
        self.host.log("holding")
        sent = 0
        window = frames.WINDOW_BYTES
        while sent < 2_000_000:
            while window < 50_000:
                (more,) = frames.unpack_u32(self.host.until(frames.CREDIT, stream).payload)
                window += more
            self.host.send(frames.frame(frames.BODY, 0, stream, bytes(50_000)))
            sent += 50_000
            window -= 50_000
        self.host.send(frames.frame(frames.BODY, frames.END, stream))
        self.assertEqual(self.host.answer(stream).body, b"readydone")

    def test_a_slow_host_holds_the_application_back(self) -> None:
        self.host.grants_credit = False
        stream = self.host.invoke("/flood")
        answer = self.host.answers[stream]
        while len(answer.body) < frames.WINDOW_BYTES:
            self.host.next()
        self.host.ping()
        sent = [log.text for log in self.host.logs if log.stream == stream]
        self.assertEqual(sent[-1], "sent 4")
        self.assertEqual(len(answer.body), frames.WINDOW_BYTES)
        self.host.grants_credit = True
        self.host.send(frames.credit(stream, frames.WINDOW_BYTES))
        self.assertEqual(len(self.host.answer(stream).body), 64 * 50_000)

    def test_cancel_reaches_the_application_as_disconnect(self) -> None:
        stream = self.host.open("/listen")
        self.host.log("listening")
        self.host.cancel(stream)
        error = self.host.answer(stream).error
        assert error is not None
        self.assertEqual(error["code"], "cancelled")
        texts = [log.text for log in self.host.logs if log.stream == stream]
        self.assertEqual(texts, ["listening", "disconnected", "send refused"])

    def test_an_application_that_does_not_listen_is_cancelled(self) -> None:
        stream = self.host.invoke("/deaf")
        while not any(log.stream == stream for log in self.host.logs):
            self.host.next()
        self.host.cancel(stream)
        error = self.host.answer(stream).error
        assert error is not None
        self.assertEqual(error["code"], "cancelled")

    def test_cancel_frees_an_application_that_waits_for_credit(self) -> None:
        self.host.grants_credit = False
        stream = self.host.invoke("/flood")
        self.host.until(frames.BODY, stream)
        self.host.cancel(stream)
        error = self.host.answer(stream).error
        assert error is not None
        self.assertEqual(error["code"], "cancelled")
        self.host.grants_credit = True

    def test_exceptions_are_function_errors_also_after_the_head(self) -> None:
        self.assertEqual(self.error("/fail")["message"], "broken")
        answer = self.host.call("/fail_late")
        self.assertEqual((answer.status, answer.body), (200, b"some"))
        assert answer.error is not None
        self.assertEqual(answer.error["code"], "function_error")

    def test_an_exception_after_the_response_is_logged(self) -> None:
        answer = self.host.call("/fail_after")
        self.assertEqual((answer.status, answer.body, answer.error), (500, b"told", None))
        self.assertEqual(self.host.log("ValueError: after the response").level, "error")

    def test_incomplete_and_malformed_responses_are_bad_responses(self) -> None:
        for target, text in (("/silent", "without completing"), ("/bad_header", "header 'x'")):
            error = self.error(target)
            self.assertEqual(error["code"], "bad_response")
            self.assertIn(text, error["message"])

    def test_receive_after_the_response_says_disconnect(self) -> None:
        self.host.call("/after")
        self.host.log("http.disconnect")

    def test_events_are_refused(self) -> None:
        error = self.host.event({}).error
        assert error is not None
        self.assertEqual(error["code"], "not_an_event_function")


class Lifespan(unittest.TestCase):
    def test_shutdown_runs_the_lifespan_shutdown(self) -> None:
        with started({"app.py": APP}) as host:
            host.send(frames.shutdown(10_000))
            self.assertEqual(host.end()[0], 0)
            self.assertEqual([log.text for log in host.logs], ["shutting down"])

    def test_a_failed_startup_fails_the_init(self) -> None:
        code = (
            "class App:\n"
            "    async def __call__(self, scope, receive, send):\n"
            "        await receive()\n"
            "        await send({'type': 'lifespan.startup.failed', 'message': 'no database'})\n"
            "app = App()\n"
        )
        with Host() as host:
            host.hello()
            error = json.loads(host.init({"app.py": code}).payload)
            self.assertEqual(error["code"], "init_failed")
            self.assertIn("no database", error["message"])

    def test_applications_without_lifespan_are_served(self) -> None:
        for refusal in ("assert scope['type'] == 'http'", "if scope['type'] != 'http': return"):
            code = (
                "async def handler(scope, receive, send):\n"
                f"    {refusal}\n"
                "    await send({'type': 'http.response.start', 'status': 200})\n"
                "    await send({'type': 'http.response.body', 'body': b'ok'})\n"
            )
            with started({"app.py": code}) as host:
                self.assertEqual(host.call().body, b"ok")
                host.send(frames.shutdown(10_000))
                self.assertEqual(host.end()[0], 0)


class EarlyCancel(unittest.TestCase):
    def test_cancel_that_arrives_with_the_invocation_is_answered(self) -> None:
        lambda_code = "async def handler(event, context):\n    return 'too late'\n"
        for code, target in ((APP, "/deaf"), (lambda_code, "/")):
            with started({"app.py": code}) as host:
                for _ in range(20):
                    stream = host.last_stream + 1
                    cancel = frames.frame(frames.CANCEL, 0, stream)
                    host.open(target, True, sent_with=cancel)
                    answer = host.answer(stream)
                    self.assertTrue(answer.error is not None or answer.body == b"too late")
