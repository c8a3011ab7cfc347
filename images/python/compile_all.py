"""Compiles the folders given and the standard library, while an image is built. The files are
trusted without a look at their sources, which cannot change in a sandbox."""

import compileall
import py_compile
import re
import sys
import sysconfig

LEFT_OUT = re.compile(r"/(test|tests|idlelib|lib2to3|ensurepip|turtledemo|tkinter|site-packages)/")

for folder in [*sys.argv[1:], sysconfig.get_path("stdlib")]:
    is_good = compileall.compile_dir(
        folder,
        quiet=1,
        rx=LEFT_OUT,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not is_good:
        sys.exit(f"{folder} could not be compiled")
