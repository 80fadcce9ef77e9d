"""A model on vLLM: the OpenAI engine, on a server that is begun for it and ends with it.

What sets it apart from a server that somebody else runs: its tokenizer is asked for the chat template, so that prompts
are rendered here, as for the local engines, and sent as text. Prefills, templates from files and thoughts work alike.
Adapters are served names of the one server, which is begun again where it was begun without room for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.local.adapted import adapted
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.openai.remote_model import RemoteModel
from alignbench.engines.openai.route import Route
from alignbench.engines.openai.server_error import NOT_THERE, ServerError
from alignbench.engines.protocol import (
    Capabilities,
    Event,
    Failed,
    LikelihoodRequest,
    More,
    MoreLikelihoods,
    SampleRequest,
    Scored,
    Tokenized,
    TokenizeRequest,
)
from alignbench.engines.vllm.adapters import ReadAdapter, check_version, read_adapter_for
from alignbench.engines.vllm.command import largest_rank
from alignbench.engines.vllm.log import Stage
from alignbench.engines.vllm.server import VllmServer
from alignbench.errors import AlignbenchError, EngineError, EngineLost
from alignbench.models.adapter import Adapter
from alignbench.models.openai_address import Address
from alignbench.models.reference import own_name, parse_reference, parted_model
from alignbench.models.server_settings import ServerSettings
from alignbench.models.weights import weights_hash
from alignbench.spec import Model

E = TypeVar("E")


class VllmEngine(OpenAIEngine):
    """Implements protocol.Engine. Raises EngineError where the server does not start, EngineLost when it has ended."""

    def __init__(
        self,
        model: Model,
        cancel: Cancellation,
        told: Callable[[Stage], None],
        awaited: Adapter | None = None,
        settings: ServerSettings | None = None,
    ) -> None:
        """
        Args:
            model: that is served
            cancel: which samples were cancelled, and the load
            told: gets the stages that a start of the server comes to
            awaited: an adapter that will be used, so that the server has it from the beginning
            settings: how long an answer is waited for, and how many requests are in flight
        """
        self._model, self._cancel, self._told = parted_model(model)[0], cancel, told
        self._adapters: dict[str, ReadAdapter] = {}  # that the server has, by their places
        self._adapted: dict[str, RemoteModel] = {}  # the model with them
        self._using: Adapter | None = None
        if awaited is not None:
            with suppress(AlignbenchError):  # it is said to who asks for it
                self._adapters[awaited.target] = self._read(awaited)
        self._begin()
        try:
            super().__init__(
                self._model,
                cancel,
                settings,
                address=self._server.address,
                route=self._route,
                why_gone=self._server.why_broken,
            )
            self._base = self._remote
            self._version = str(self._loop.run_until_complete(self._root.get("/version")).get("version", ""))
        except BaseException:
            self._server.close()
            raise

    def _begin(self) -> None:
        """Start a server with the adapters that are known."""
        name = own_name(parse_reference(self._model.reference))
        adapters = [each.served for each in self._adapters.values()]
        self._server = VllmServer(self._model, name, self._cancel, self._told, adapters=adapters)

    def _look_around(self, address: Address) -> RemoteModel:
        """See OpenAIEngine. A server that can get adapters is one that has them."""
        remote = super()._look_around(address)
        if self._server.largest_rank:
            remote.scoring_width = 1
        return remote

    @property
    def _route(self) -> Route:
        bearer = ("Authorization", f"Bearer {self._server.key}")
        return Route(headers=(bearer,), called=f"The vLLM server of {self._model.name}")

    def close(self) -> None:
        """End the server."""
        super().close()
        self._server.close()

    def use(self, adapter: Adapter | None) -> None:
        """Ask for the model by another served name from now on.

        An adapter is added to the server when it is first used. A server that takes none, or none of its rank, is begun
        again with it, which takes as long as a load. Raises EngineLost where it does not come back.
        """
        if adapter is not None:
            if adapter.target not in self._adapters:
                self._add(adapter)
            check_version(self._adapters[adapter.target], self._version)
            if adapter.target not in self._adapted:
                name = self._adapters[adapter.target].served.name
                self._adapted[adapter.target] = self._look_around(replace(self._server.address, name=name))
        self._using = adapter
        self._remote = self._base if adapter is None else self._adapted[adapter.target]

    def _add(self, adapter: Adapter) -> None:
        read = self._read(adapter)
        if self._server.has_room_for(read.served):
            body = {"lora_name": read.served.name, "lora_path": str(read.served.folder)}
            try:
                with self._noticing():
                    self._loop.run_until_complete(self._http.tell("/load_lora_adapter", body))
                self._adapters[adapter.target] = read
                return
            except ServerError as error:
                if error.status not in NOT_THERE or read.served.name in error.detail:  # it has the path, not the folder
                    raise EngineError(f"vLLM could not load {read.served.folder}: {error.detail or error}") from None
        self._begin_again(adapter, read)

    def _begin_again(self, adapter: Adapter, read: ReadAdapter) -> None:
        largest_rank(self._model, [read.served])  # before anything is lost
        replay = self._base.replay
        self._disconnect()
        self._server.close()
        self._adapters[adapter.target] = read
        self._adapted = {}
        try:
            self._begin()
            self._connect(self._server.address, self._settings, self._route, self._server.why_broken)
        except EngineError as error:
            raise EngineLost(str(error)) from None
        self._base = self._remote
        self._base.replay = replay

    def _read(self, adapter: Adapter) -> ReadAdapter:
        """Raises InputError or EngineError where it is not one that this server can have."""
        reference = replace(parse_reference(self._model.reference), adapter=adapter)
        return read_adapter_for(reference, taken={each.served.name for each in self._adapters.values()})

    def capabilities(self) -> Capabilities:
        """As the server says, with the chat template of its tokenizer, or of the adapter."""
        base = replace(
            self._known(self._base),
            device=self._model.options.device,
            description=f"{self._address.name} on vLLM {self._version}".rstrip(),
            file_hash=weights_hash(self._model),
            renders_chat=False,
            arithmetic=" ".join(("vLLM", self._version, *self._model.options.args)),
        )
        adapter = self._using
        return base if adapter is None else adapted(base, adapter, self._adapters[adapter.target].loaded)

    def sample(self, requests: Sequence[SampleRequest], more: More | None = None) -> Iterator[Event]:
        """See OpenAIEngine. Raises EngineLost once the server has ended."""
        return self._until_lost(super().sample(requests, more))

    def score_all(
        self, requests: Sequence[LikelihoodRequest], more: MoreLikelihoods | None = None
    ) -> Iterator[Scored | Failed]:
        """See OpenAIEngine. Raises EngineLost once the server has ended."""
        return self._until_lost(super().score_all(requests, more))

    def _until_lost(self, events: Iterator[E]) -> Iterator[E]:
        for event in events:
            lost = isinstance(event, Failed) and self._server.why_gone()
            yield replace(event, lost=True) if lost and isinstance(event, Failed) else event
            if lost:
                raise EngineLost(lost)

    def tokens(self, request: TokenizeRequest) -> Tokenized:
        """See OpenAIEngine. Raises EngineLost once the server has ended."""
        with self._noticing():
            return super().tokens(request)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except EngineError:
            if why := self._server.why_gone():
                raise EngineLost(why) from None
            raise
