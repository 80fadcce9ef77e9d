"""A server's list of models, in the forms in which servers give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alignbench.engines.openai.http import Http, retrying
from alignbench.engines.openai.server_error import ServerError
from alignbench.errors import EngineError, did_you_mean
from alignbench.models.openai_address import Address

_NO_LIST = (404, 405, 501)  # statuses of a server that does not say which models it has
_LISTS = ("data", "models", "items", "result")
_NAMES = ("id", "name", "model", "slug")
_MORE = ("has_more", "next", "next_page", "next_page_token", "nextPageToken", "next_cursor")


@dataclass(frozen=True, slots=True)
class ModelList:
    """Attributes:
    entries: by name
    whole: whether a model that is not among them is not served
    """

    entries: dict[str, dict[str, Any]]
    whole: bool

    @property
    def has_adapters(self) -> bool:
        """Whether one of them is another one with an adapter, as vLLM says."""
        return any(isinstance(entry.get("parent"), str) for entry in self.entries.values())


_UNKNOWN = ModelList({}, whole=False)  # the server has no list


async def list_with(http: Http, address: Address) -> ModelList:
    """A server's list, which has a model unless there is none, or not all in it.

    Raises EngineError where the model is not served.
    """
    models = await _models(http, address)
    if models.whole and address.name not in models.entries:
        serves = did_you_mean(address.name, models.entries) or f"It serves {len(models.entries)} models."
        raise EngineError(f"The server at {address.base_url} serves no {address.name!r}. {serves}")
    return models


async def _models(http: Http, address: Address) -> ModelList:
    async def attempt() -> Any:
        try:
            return await http.get("/models")
        except ServerError as error:
            # Nobody waits for a server that is not there; while one is loading (503) it answers.
            error.retry = error.retry and error.status > 0
            raise

    try:
        answer = await retrying(attempt)
    except ServerError as error:
        if error.status not in _NO_LIST or await _is_above_v1(http, address):
            raise
        return _UNKNOWN
    models = read_models(answer)
    if models is None:
        raise EngineError(
            f"The server at {address.base_url} answered /models without a list of models. Is it an OpenAI-compatible "
            "server?"
        )
    return models


async def _is_above_v1(http: Http, address: Address) -> bool:
    """Whether the API is found below this address."""
    if address.base_url.endswith("/v1"):
        return False
    try:
        return read_models(await http.get("/v1/models")) is not None
    except ServerError:
        return False


def read_models(answer: object) -> ModelList | None:
    """The list in an answer; None where there is none."""
    listed = answer
    if isinstance(answer, dict):
        listed = next((answer[name] for name in _LISTS if isinstance(answer.get(name), list | dict)), None)
    if isinstance(listed, dict):
        listed = [{"id": name, **(entry if isinstance(entry, dict) else {})} for name, entry in listed.items()]
    if not isinstance(listed, list):
        return None
    entries: dict[str, dict[str, Any]] = {}
    for item in listed:
        entry = item if isinstance(item, dict) else {"id": item}
        if name := next((entry[name] for name in _NAMES if entry.get(name)), None):
            entries.setdefault(str(name), entry)
    more = isinstance(answer, dict) and any(answer.get(name) for name in _MORE)
    return ModelList(entries, whole=not more and len(entries) >= bool(listed))


def whole_number(value: object) -> int:
    """A count of a server's; 0 where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    return value if isinstance(value, int) and 0 < value < 2**40 else 0
