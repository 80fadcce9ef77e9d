"""Prompts that were typed in the app, kept across sessions in the configuration folder."""

from __future__ import annotations

from contextlib import suppress

from alignbench import paths
from alignbench.errors import AlignbenchError, InputError
from alignbench.json_text import json_text
from alignbench.output_files import plain_write_errors, write_text
from alignbench.prompt_fields import messages_beside, prompt_json
from alignbench.spec import Prompt
from alignbench.textfiles import json_lines, read_utf8

MOST = 200


def typed_before() -> list[Prompt]:
    """Newest first; what cannot be read of the file is left out."""
    path = paths.typed_prompts_file()
    prompts: list[Prompt] = []
    with suppress(InputError):
        for number, line in json_lines(path, read_utf8(path)):
            if isinstance(text := line.get("prompt"), str) and text.strip():
                prompts.append(Prompt.typed(text, messages_beside(line, text, f"{path}, line {number}")))
    return [*dict.fromkeys(reversed(prompts))]


def remember_typed(prompt: Prompt) -> str:
    """Put a prompt at the end of the file; what there is to say where it cannot be kept."""
    path = paths.typed_prompts_file()
    kept = [prompt, *(other for other in typed_before() if other.hash != prompt.hash)][:MOST]
    try:
        with plain_write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        lines = ({"prompt": each.text, **prompt_json(each)} for each in reversed(kept))
        write_text(path, "".join(f"{json_text(line)}\n" for line in lines))
    except (AlignbenchError, FileExistsError) as error:
        return f"This prompt is not kept for other sessions: {error}"
    return ""
