"""The Python side of a sandbox: speaks protocol/README.md with the host and runs the function's
code."""
