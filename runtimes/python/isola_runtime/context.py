"""The `context` argument of Lambda-style handlers."""

from __future__ import annotations

import time

from .heads import InvocationHead
from .settings import InitSettings


class LambdaContext:
    """AWS Lambda's context object. `identity` and `client_context` are always None."""

    __slots__ = (
        "__dict__",
        "_deadline",
        "_head",
        "aws_request_id",
        "client_context",
        "function_name",
        "function_version",
        "identity",
        "invoked_function_arn",
        "log_group_name",
        "log_stream_name",
        "memory_limit_in_mb",
    )

    def __init__(self, settings: InitSettings, head: InvocationHead, deadline: float) -> None:
        """`deadline` is a moment of `time.monotonic()`."""
        self.function_name = settings.function
        self.function_version = str(settings.revision)
        self.invoked_function_arn = (
            f"arn:isola:lambda:local:{settings.project}:function:{settings.function}"
        )
        # Text, as in Lambda.
        self.memory_limit_in_mb = str(settings.memory_mib)
        self.aws_request_id = head.id
        self.log_group_name = f"/isola/{settings.function}"
        self.log_stream_name = settings.sandbox
        self.identity = None
        self.client_context = None
        self._head = head
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Until the run is killed; 0 once the moment has passed."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    @property
    def traceparent(self) -> str | None:
        """Its place in a trace, as in the header of this name, which events have not."""
        return self._head.header("traceparent")

    @property
    def tracestate(self) -> str | None:
        return self._head.header("tracestate")
