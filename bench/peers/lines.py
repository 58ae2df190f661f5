"""A peer's side of the conversation: a JSON object a line asks, one answers. Knows lines; not what is asked.

What libraries print goes to stderr, so that the answers are alone on stdout.
"""

import importlib
import json
import os
import sys

_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def answer(**fields):
    print(json.dumps(fields), file=_answers, flush=True)


def library(name):
    """The library, or the end of this process, which says why it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        answer(missing=str(error))
        sys.exit()


def serve(version, **handlers):
    """Answers until there are no more lines: `do` names the handler, the rest is what it is called with."""
    answer(version=version)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer(**handlers[asked.pop("do")](**asked))
        except Exception as error:
            answer(error=f"{type(error).__name__}: {error}")
