"""Rows of Parquet files, read in small batches: the one module that imports pyarrow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from alignbench.errors import InputError
from alignbench.extras import needed
from alignbench.textfiles import MissingFile

_BATCH = 1024  # rows


def read_parquet(
    path: Path, columns: Collection[str], needed_ones: Sequence[Collection[str]]
) -> Iterator[dict[str, object]]:
    """The rows of a file, by column, of these columns alone; a single one without values where a needed one is missing.

    needed_ones: of each of these groups there has to be a column.
    InputError where it is none or is broken, AlignbenchError where pyarrow is not installed.
    """
    with needed("Parquet files need", "parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

    try:
        with path.open("rb") as begin:
            if begin.read(7) == b"version":
                raise MissingFile(f"{path} is a Git LFS pointer, not the file itself; `git lfs pull` fetches it.")
        with pq.ParquetFile(path, memory_map=True) as file:
            there = file.schema_arrow.names
            if twice := next((name for name in there if there.count(name) > 1 and name in columns), ""):
                raise InputError(f"{path}: column {twice!r} is there twice; expected each column once.")
            wanted = [name for name in there if name in columns]
            if file.metadata.num_rows and not all({*group} & {*there} for group in needed_ones):
                yield dict.fromkeys(there)
                return
            for batch in file.iter_batches(_BATCH, columns=wanted):
                yield from batch.to_pylist()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or _words(error)}.") from None
    except (pa.ArrowException, ValueError, OverflowError, RecursionError) as error:  # OverflowError: of a date
        raise InputError(f"{path} is no Parquet file that can be read: {_words(error)}.") from None


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
