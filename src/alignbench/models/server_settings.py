"""What models.toml says of a model behind a server: how it is reached, and what is sent along with every request.

    [models.NAME]
    reference = "openai:https://host/v1#served-name"
    key_env = "HOST_KEY"                  # the environment variable that holds the key
    headers = { X-Team = "evals" }        # sent along; their values are stored nowhere
    extra_body = { top_a = 0.2 }          # fields of every request, part of the model's reference
    concurrency = 32                      # most requests in flight at once
    timeout = 600                         # seconds of silence until a request is given up
    max_tokens_field = "max_completion_tokens"    # or max_tokens
    tokenizer = "hf:org/name"             # that texts are scored with, where the server has none to ask

What changes a text has to be in a condition's hash, so extra_body becomes part of the reference. The rest is looked up
where a model is loaded, and kept by nothing else: the values of headers may be secrets. The tokenizer decides scores
alone, and is part of what they are kept by.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignbench import bounds
from alignbench.errors import InputError
from alignbench.masking import hide, hide_variable
from alignbench.models.hf_source import HfSource, parse_source

TABLES = ("headers", "extra_body")
SERVER_FIELDS = ("key_env", *TABLES, "concurrency", "timeout", "max_tokens_field", "tokenizer")
LIMITS = ("max_tokens", "max_completion_tokens")  # names of one field

OWN_FIELDS = frozenset(
    (
        *LIMITS,
        *("model", "messages", "prompt", "stop", "n", "seed", "stream", "stream_options", "response_format"),
        *("temperature", "top_p", "top_k", "min_p", "typical_p"),
        *("repetition_penalty", "repeat_penalty", "repeat_last_n"),
        *("logprobs", "top_logprobs", "prompt_logprobs", "echo"),
    )
)
"""Fields of requests that conditions decide: in extra_body they would make a condition say what is not so."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110
_OWN_HEADERS = ("content-type", "content-length", "transfer-encoding", "connection")
_SECRET = re.compile(r"auth|key|token|secret|cookie|passw|credential", re.IGNORECASE)
_KEYS = re.compile(r"(?:api|access|auth|secret)?[-_]?(?:key|token|secret|password)|authorization", re.IGNORECASE)
_AUTHORIZATION = "authorization"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the server of a model is reached.

    Attributes:
        key_env: name of the environment variable that holds the key; empty where nobody says
        headers: (name, value), sent along with every request to the server
        concurrency: most requests in flight at once; 0: as many as the kind of server works on
        timeout: seconds of silence until a request is given up; 0: the usual ones
        max_tokens_field: what the field for the most tokens is called; empty: it is found out
        tokenizer: whose tokenizer and chat template given texts are scored with, where the server has none to ask
    """

    key_env: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    concurrency: int = 0
    timeout: float = 0.0
    max_tokens_field: str = ""
    tokenizer: HfSource | None = None

    @property
    def authorizes(self) -> bool:
        """Whether a header takes the place of the key."""
        return any(name.lower() == _AUTHORIZATION for name, _ in self.headers)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values of headers that are secrets by their names; of `Bearer KEY` the key too."""
        values = [value for name, value in self.headers if _SECRET.search(name)]
        return tuple(dict.fromkeys(part for value in values for part in (value, value.split()[-1])))

    def hide(self) -> None:
        """Have this process mask the secrets in all that it says."""
        if self.key_env:
            hide_variable(self.key_env)
        for secret in self.secrets:
            hide(secret)


def unknown_table(key: str) -> str:
    """Which table of an entry of models.toml was meant; empty where none is near."""
    near = difflib.get_close_matches(key, TABLES, n=1, cutoff=0.6)
    return near[0] if near else ""


def read_server_settings(where: str, table: Mapping[str, object], folder: Path) -> ServerSettings:
    """The settings in an entry of models.toml. Raises InputError.

    where: file and table, for messages, which repeat no value that may be a secret. folder: of models.toml, at which
    relative paths start.
    """
    key_env = table.get("key_env", "")
    if not isinstance(key_env, str) or ("key_env" in table and not _VARIABLE.fullmatch(key_env)):
        raise InputError(
            f"{where}: key_env is no name of an environment variable; expected one in capital letters, such as "
            "HOST_KEY, and the key in that variable."
        )
    concurrency, timeout = table.get("concurrency", 0), table.get("timeout", 0.0)
    if "concurrency" in table:
        _check(where, "concurrency", concurrency, bounds.CONCURRENCY)
    if "timeout" in table:
        _check(where, "timeout", timeout, bounds.TIMEOUT)
    limit = table.get("max_tokens_field", "")
    if "max_tokens_field" in table and limit not in LIMITS:
        raise InputError(f"{where}: max_tokens_field is {limit!r}; expected {' or '.join(LIMITS)}.")
    assert isinstance(concurrency, int)
    assert isinstance(timeout, int | float)
    headers = tuple(_headers(where, table.get("headers", {})))
    tokenizer = _tokenizer(where, table["tokenizer"], folder) if "tokenizer" in table else None
    settings = ServerSettings(key_env, headers, concurrency, float(timeout), str(limit), tokenizer)
    if key_env and settings.authorizes:
        raise InputError(f"{where}: both key_env and headers have a key (Authorization); expected one of them.")
    return settings


def _check(where: str, name: str, value: object, bound: bounds.Bound) -> None:
    if not bound.has(value):
        raise bound.error(f"{where}: {name}", value)


def _tokenizer(where: str, value: object, folder: Path) -> HfSource:
    expected = f'{where}: tokenizer is {value!r}; expected "hf:org/name[@revision]" or "hf:/path/folder".'
    if not isinstance(value, str) or not value.startswith("hf:"):
        raise InputError(expected)
    try:
        source = parse_source(value.removeprefix("hf:"), folder)
    except InputError:
        raise InputError(expected) from None
    if source.gguf_file:
        raise InputError(expected)
    return source


def _headers(where: str, table: object) -> Iterator[tuple[str, str]]:
    if not isinstance(table, Mapping):
        raise InputError(f'{where}: headers is no table; expected headers = {{ X-Name = "value" }}.')
    seen: set[str] = set()
    for name, value in table.items():
        if not _HEADER.fullmatch(name) or name.lower() in (*_OWN_HEADERS, *seen):
            why = "is there twice" if name.lower() in seen else "is no header that can be sent along"
            raise InputError(f"{where}: headers: {name!r} {why}.")
        if not isinstance(value, str) or not value.strip() or not all(" " <= each <= "~" for each in value):
            raise InputError(f"{where}: the value of header {name} cannot be sent; expected a text in ASCII, one line.")
        seen.add(name.lower())
        yield name, value.strip()


def read_extra_body(where: str, table: Mapping[str, object]) -> str:
    """The canonical JSON of extra_body in an entry of models.toml; empty where there is none. Raises InputError."""
    if "extra_body" not in table:
        return ""
    extra = table["extra_body"]
    if not isinstance(extra, Mapping):
        raise InputError(f"{where}: extra_body is no table; expected one, such as {{ top_a = 0.2 }}.")
    try:
        return written_extra(extra)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def written_extra(extra: Mapping[str, Any]) -> str:
    """The canonical JSON of fields that requests get; empty where there are none. InputError for what they may not
    have."""
    if own := next((name for name in extra if name in OWN_FIELDS), None):
        raise InputError(f"extra_body has {own}, which conditions decide; expected other fields.")
    if key := next(_named_as_keys(extra), None):
        raise InputError(
            f"extra_body has {key}, and is stored with every sample; a key goes into key_env, or into headers."
        )
    if not extra:
        return ""
    try:
        return json.dumps(extra, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        raise InputError("extra_body has a value that JSON has not, such as a date, inf or nan.") from None


def _named_as_keys(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, content in value.items():
            if _KEYS.fullmatch(name):
                yield name
            yield from _named_as_keys(content)
    elif isinstance(value, list):
        for content in value:
            yield from _named_as_keys(content)
