"""A session's report, as the app shows it and as the page that it writes."""

from __future__ import annotations

from pathlib import Path

from alignbench.api.embedding import embedding_cache
from alignbench.config import NOT_IN_USE
from alignbench.engines.embedder import default_embedder
from alignbench.output_files import write_bytes
from alignbench.progress import Progress
from alignbench.reports.contents import Report
from alignbench.reports.options import session_mode, session_options
from alignbench.reports.report import build_report
from alignbench.reports.writing import written
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.store import Store
from alignbench.tui.workbench.backends import Backends


def session_report(backends: Backends, session: int, progress: Progress) -> Report:
    """Both investigations of a session, with what `alignbench report` does where nothing else is said."""
    progress("reading the session", 0, 1)
    with Store.read(backends.db) as store, embedding_cache() as cache:
        mode, _ = session_mode(store, session)
        options = session_options(store, session, mode=mode, investigation="all")
        vectors, pieces = (Embeddings(kept, backends.embed, default_embedder(), NOT_IN_USE) for kept in (store, cache))
        return build_report(store, session, options, vectors, pieces, progress)


def write_page(db: Path, report: Report, path: Path) -> None:
    """The report as a page. AlignbenchError where matplotlib is missing, or where the file cannot be written."""
    with Store.read(db) as store:
        page = written(store, report, "html")
    write_bytes(path, page.encode("utf-8", "surrogatepass"))
