"""What surrounded the query in the release's conditions, read back from the prompts that were stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from alignbench.contexts.urial import UrialPrompt, parse_urial
from alignbench.importing.values import ImportedCell, ImportedHint
from alignbench.overton.args import neighbours
from alignbench.overton.rows import SUMMARY_OPEN, is_base
from alignbench.spec import Context, Examples, ExampleSet, Hint, Select

# What the name of a file of embeddings says they are of, the more telling part first.
_SELECTED_BY: tuple[tuple[str, Select], ...] = (
    ("format", "nearest-format"),
    ("response", "nearest-response"),
    ("", "nearest-prompt"),
)


def context_of(
    name: str, cells: Sequence[ImportedCell], args: Mapping[str, Any], hints: Sequence[ImportedHint]
) -> Context:
    """The context of a condition called `name`; the chat layout where the prompts are not in URIAL's.

    Examples that differ from prompt to prompt were selected: at random without a seed, or as neighbours, from the
    condition that args.json names. Those shown are in the cells' stored prompts.

    Args:
        name: of the condition
        cells: its prompts as they were stored
        args: args.json
        hints: of the dataset; one that is in the prompts says which sample it came from
    """
    rendered = [cell.rendered for cell in cells if is_base(cell.rendered)]
    if not rendered:
        return Context("chat")
    prompts = [parse_urial(text or "", f"a prompt of {name}") for text in rendered]
    instruction, examples, hint = prompts[0].instruction, _examples(prompts, args), _hint(cells, prompts, hints)
    if not instruction and examples is None and hint is None:
        return Context("plain")
    return Context("plain", name, instruction=instruction, examples=examples, hint=hint)


def _examples(prompts: Sequence[UrialPrompt], args: Mapping[str, Any]) -> Examples | None:
    example_lists = {prompt.examples for prompt in prompts}
    if len(example_lists) == 1:
        items = prompts[0].examples
        return Examples(pool=ExampleSet(items, origin="the release's stored prompts")) if items else None
    side = args.get("side_info_args") or args.get("embedding_args") or {}
    selected_by = str(side.get("embedding_file", ""))
    select: Select = next(select for part, select in _SELECTED_BY if part in selected_by) if selected_by else "random"
    source = PurePosixPath(str(side.get("output_file", ""))).parent.name
    return Examples(condition=source, select=select, k=neighbours(args) or max(map(len, example_lists)))


def _hint(cells: Sequence[ImportedCell], prompts: Sequence[UrialPrompt], hints: Sequence[ImportedHint]) -> Hint | None:
    if cells and (cells[0].rendered or "").endswith(SUMMARY_OPEN):
        return Hint("first")
    if not any(prompt.hint for prompt in prompts):
        return None
    texts = {(hint.prompt.id, hint.text.strip()): hint for hint in hints}
    for cell, prompt in zip(cells, prompts, strict=False):
        if source := texts.get((cell.prompt.id, prompt.hint.strip())):
            return Hint("summary", condition=source.condition, sample=source.sample, maker=source.maker)
    return Hint("summary")
