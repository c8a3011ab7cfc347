"""Starts the runtime: `python3 -I -S -B -u -X utf8 main.py`, with `ISOLA_CONTROL` naming the
control stream."""

import sys

# -I keeps this folder off the path of the functions; it is there only while the package is found.
sys.path.insert(0, __file__.rpartition("/")[0] or ".")
from isola_runtime.boot import main

del sys.path[0]
main()
