"""What the code finds around it: variables, search path, folder, time zone."""

from __future__ import annotations

import os
import sys
import time

from .settings import InitSettings

# Variables of the process that stay as the driver set them.
_KEPT = frozenset(("PATH", "HOME", "LANG", "TMPDIR"))


def platform_variables(settings: InitSettings) -> dict[str, str]:
    """Set by Isola; the function's own variables cannot replace them."""
    revision = str(settings.revision)
    memory = str(settings.memory_mib)
    return {
        "AWS_LAMBDA_FUNCTION_NAME": settings.function,
        "AWS_LAMBDA_FUNCTION_VERSION": revision,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory,
        "_HANDLER": settings.handler,
        "LAMBDA_TASK_ROOT": settings.task_root,
        "ISOLA_FUNCTION_NAME": settings.function,
        "ISOLA_FUNCTION_VERSION": revision,
        "ISOLA_FUNCTION_MEMORY_SIZE": memory,
        "ISOLA_HANDLER": settings.handler,
        "ISOLA_TASK_ROOT": settings.task_root,
        "ISOLA_PROJECT": settings.project,
        "ISOLA_SANDBOX": settings.sandbox,
    }


def apply_environment(settings: InitSettings) -> None:
    for name in list(os.environ):
        if name not in _KEPT:
            del os.environ[name]
    os.environ["TZ"] = ":UTC"
    os.environ.update(settings.env)
    os.environ.update(platform_variables(settings))
    time.tzset()
    sys.dont_write_bytecode = True
    sys.path.insert(0, settings.task_root)
    os.chdir(settings.task_root)
