"""Loads the tokenizer of a model alone, or says in one message why it cannot be done."""

from __future__ import annotations

import transformers

from alignbench.engines.hf.tokenizer import Tokens
from alignbench.errors import EngineError
from alignbench.models.folder_files import check_json
from alignbench.models.hf_source import HfSource
from alignbench.models.hub import fetched_tokenizer, first_line


def load_tokenizer(source: HfSource) -> Tokens:
    """The tokenizer of a folder or of a hub model, which is fetched where the local cache has none of it.

    Code that comes with it is never run. Raises EngineError or InputError.
    """
    if not source.tokenizer_files():
        source = fetched_tokenizer(source)
    check_json(source.tokenizer_files())
    folder = source.folder()
    assert folder is not None
    place = {} if source.is_local else {"revision": folder.name}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source.location, local_files_only=True, trust_remote_code=False, **place
        )
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        raise EngineError(
            f"hf:{source}: its tokenizer could not be loaded: {type(error).__name__}: {first_line(error)}"
        ) from error
    return Tokens(tokenizer, set())
