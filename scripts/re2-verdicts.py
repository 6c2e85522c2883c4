#!/usr/bin/env python3
"""Asks RE2 itself about the expressions of src/config/re2/verdicts.jsonl, and writes down what it says.

The first line of the file has names; each other an expression and those of the names that it fits, or null where RE2
refuses it. A test holds our filters to that. To ask about another expression, put a line `["…", null]` at the end.

Needs the Python package google-re2; nothing else runs this.
"""

import json
import pathlib

import re2

FILE = pathlib.Path(__file__).parent.parent / "src/config/re2/verdicts.jsonl"


def fitted(expression, names):
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(expression, options)
    except re2.error:
        return None
    return [name for name in names if compiled.search(name)]


def main():
    names, *lines = map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
    said = [names] + [[expression, fitted(expression, names)] for expression, _ in lines]
    text = "".join(json.dumps(line) + "\n" for line in said)
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
