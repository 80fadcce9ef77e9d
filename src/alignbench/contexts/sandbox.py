"""The process that renders Jinja templates: `python -m alignbench.contexts.sandbox`.

A template may come with weights or from anywhere. The sandbox keeps it from attributes it should not read; a process of
its own, with little memory and a clock, keeps it from looping forever or filling the machine. It reads one JSON object
a line, {"source", "layout", "variables": [...]}, and answers each with a line {"texts": [...]} or {"error": ...}.
Without variables it answers with those that the template has: {"names": [...]}.
"""

from __future__ import annotations

import json
import math
import resource
import signal
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from alignbench.child_process import lower_limit
from alignbench.contexts.jinja_dialect import environment
from alignbench.parsing import parse_json

CPU_SECONDS = 2.0  # of one request
MEMORY = 1 << 30
LONGEST = 8_000_000  # characters of one text
LONGEST_MESSAGE = 500  # characters of what a template may say of itself


class _OutOfTime(Exception):
    pass


def _stop(*_: object) -> NoReturn:
    raise _OutOfTime


def render(template: Template, variables: Mapping[str, Any]) -> str:
    """One text. Raises TemplateError, and whatever a template provokes."""
    pieces, length = [], 0
    for piece in template.generate(variables):
        pieces.append(piece)
        length += len(piece)
        if length > LONGEST:
            raise TemplateError(f"it wrote more than {LONGEST:,} characters")
    return "".join(pieces)


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Render a template with each of some sets of variables, or say why it failed."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    # The timer cannot interrupt one long operation, such as a power of large numbers; this limit ends the process.
    lower_limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + CPU_SECONDS) + 1)
    try:
        jinja = environment(datetime.now(), layout=request["layout"])
        if "variables" not in request:
            return {"names": sorted(find_undeclared_variables(jinja.parse(request["source"])) - {*jinja.globals})}
        template = jinja.from_string(request["source"])
        texts = [render(template, variables) for variables in request["variables"]]
    except TemplateSyntaxError as error:
        return {"error": f"line {error.lineno}: {error.message}"}
    except _OutOfTime:
        return {"error": f"it ran for more than {CPU_SECONDS:g} seconds"}
    except MemoryError:
        return {"error": f"it needed more than {MEMORY >> 20} MiB of memory"}
    except RecursionError:
        return {"error": "it calls itself too often"}
    except Exception as error:  # a filter or an operator given what it cannot take
        return {"error": str(error)[:LONGEST_MESSAGE] or type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"texts": texts}


def main() -> None:
    lower_limit(resource.RLIMIT_AS, MEMORY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the front end
    signal.signal(signal.SIGPROF, _stop)
    for line in sys.stdin:
        print(json.dumps(answer(parse_json(line))), flush=True)


if __name__ == "__main__":
    main()
