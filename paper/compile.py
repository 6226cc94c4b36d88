"""Compiles the paper with the `typst` package of PyPI, where no typst program is installed.

Usage: compile.py ROOT SOURCE FONTS OUTPUT
"""

import sys

import typst

root, source, fonts, output = sys.argv[1:]
typst.compile(source, output=output, root=root, font_paths=[fonts])
