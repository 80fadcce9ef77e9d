"""`alignbench bits`: how well conditions predict the texts of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alignbench import bounds, paths
from alignbench.cli import printing
from alignbench.cli.options import Conditions, Db, Device, GpuLayers, Json, Models, Threads, number
from alignbench.spec import Sampling


def bits(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help='Texts: JSONL or CSV with "text", perhaps "prompt" and "id"; or .txt, paragraphs with blank lines '
            "between them.",
        ),
    ],
    model: Models = None,
    condition: Conditions = None,
    limit: Annotated[int | None, number(bounds.LIMIT, "--limit", help="Only the first texts.")] = None,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Measure bits per byte of texts under conditions.

    Also how the conditions differ, with intervals over texts. A text with a prompt is read as a response to it. One
    without stands alone, or follows the context of its condition.
    """
    from alignbench.api.sampling import make_conditions
    from alignbench.api.text_bits import read_under_conditions
    from alignbench.cli.progress import ProgressBar
    from alignbench.cli.tables import print_sections
    from alignbench.cli.terms import print_terms
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.importing.texts import read_texts
    from alignbench.reports.text_bits import text_bits_json, text_bits_remarks, text_bits_sections

    path = db or paths.default_database()
    given = read_texts(file)
    conditions = [
        each.with_options(device=device, gpu_layers=gpu_layers)
        for each in make_conditions(
            model or (), condition or (), sets=StoredSets(path), sampling=Sampling(max_tokens=1)
        )
    ]
    print_terms(each.model for each in conditions)
    with ProgressBar() as progress:
        read = read_under_conditions(given.texts[:limit], conditions, path, threads=threads, progress=progress)
    for line in text_bits_remarks(read, given.empty):
        printing.say(line)
    if as_json:
        printing.json_data(text_bits_json(read, file.name, given.empty))
    else:
        print_sections(text_bits_sections(read))
    missing = [each.n_texts < len(read.texts) for each in read.conditions.values()]
    if any(missing):
        raise typer.Exit(3 if any(each.n_texts for each in read.conditions.values()) else 1)
