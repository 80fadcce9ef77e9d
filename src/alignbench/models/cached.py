"""What the cache of huggingface_hub has of models, and how each is named in a reference."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from alignbench.extras import needed
from alignbench.models.hf_source import hub_cache
from alignbench.models.hub_gguf import SUFFIX, first_parts


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model in the cache.

    Attributes:
        repository: org/name
        revision: a branch or a tag of it, else the commit
        commit: its revision for good
        size: bytes of the files that belong to it; those of other revisions may be the same
        path: the folder of the revision, or the GGUF file
        reference: what names it, empty where none can: its weights are of another kind, or not all here
    """

    repository: str
    revision: str
    commit: str
    size: int
    path: Path
    reference: str


def cached_models() -> tuple[list[CachedModel], list[str]]:
    """The models of the cache by name, and what could not be read of it. AlignbenchError without huggingface_hub."""
    with needed("The cache of hubs needs", "hub"):
        from huggingface_hub import scan_cache_dir
        from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(hub_cache())
    except CacheNotFound:
        return [], []
    found: list[CachedModel] = []
    for repo in sorted(cache.repos, key=lambda each: each.repo_id):
        if repo.repo_type == "model":
            for revision in sorted(repo.revisions, key=lambda each: each.commit_hash):
                names = sorted(revision.refs) or [revision.commit_hash]
                folder = revision.snapshot_path
                sizes = {str(file.file_path.relative_to(folder)): file.size_on_disk for file in revision.files}
                name = "main" if "main" in names else names[0]
                found += _models(repo.repo_id, name, revision.commit_hash, sizes, folder)
    return found, [str(warning) for warning in cache.warnings]


def _models(repository: str, revision: str, commit: str, sizes: dict[str, int], folder: Path) -> Iterator[CachedModel]:
    """Of a revision: a model for each GGUF file, and the one that its other files make."""
    at = "" if revision == "main" else f"@{revision}"
    ggufs = first_parts(sizes)
    for name, parts in ggufs.items():
        size = sum(sizes[each] for each in parts)
        yield CachedModel(repository, revision, commit, size, folder / name, f"llama:{repository}{at}:{name}")
    others = {name: size for name, size in sizes.items() if not name.endswith(SUFFIX)}
    if others and (_has_weights(others) or not ggufs):
        reference = f"hf:{repository}{at}" if _has_weights(others) else ""
        yield CachedModel(repository, revision, commit, sum(others.values()), folder, reference)


def _has_weights(names: Collection[str]) -> bool:
    return any(name.endswith(".safetensors") for name in names)
