"""One model of a server, by the name that it is served by: what it is, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alignbench.engines.openai.echo_scoring import Echo
from alignbench.engines.openai.first_token import FirstToken
from alignbench.engines.openai.http import Http
from alignbench.engines.openai.model_list import list_with
from alignbench.engines.openai.prompt_tokens import PromptTokens, find_prompt_tokens
from alignbench.engines.openai.request import Requests, server_of
from alignbench.engines.openai.token_scoring import TokenScorer, scorer_of
from alignbench.engines.openai.trials import Trials
from alignbench.engines.protocol import LikelihoodRequest, Replay, Scored
from alignbench.models.openai_address import Address
from alignbench.models.server_settings import LIMITS, ServerSettings


@dataclass(slots=True)
class RemoteModel:
    """Attributes:
    entry: of the server's list
    width: requests that are in flight at once
    scoring_width: of those for log-probs. One on a vLLM that has adapters: 0.32 ends on prompt_logprobs of several
    requests: what they look like
    trials: what the server can do
    first_token: asks for the likeliest first tokens
    prompts: how its prompts become tokens
    scorer: of given texts
    replay: what was measured of its seeds
    """

    entry: dict[str, Any]
    width: int
    scoring_width: int
    requests: Requests
    trials: Trials
    first_token: FirstToken
    prompts: PromptTokens
    scorer: Echo | TokenScorer
    replay: Replay = ""

    async def score(self, request: LikelihoodRequest) -> Scored:
        """Answer a request for log-probs, of what is given or of first tokens. Raises EngineError."""
        return await (self.first_token.ask(request) if request.first else self.scorer.score(request))


async def find_remote_model(http: Http, root: Http, address: Address, settings: ServerSettings) -> RemoteModel:
    """Ask a server what it is and what it tells of a model. root: of what it has beside the API.

    Raises EngineError where it does not serve the model, InputError as `find_prompt_tokens`.
    """
    name = address.name
    models = await list_with(http, address)
    entry = models.entries.get(name, {})
    server = server_of(str(entry.get("owned_by") or ""))
    requests = Requests(name, server, settings.max_tokens_field or LIMITS[0])
    prompts = await find_prompt_tokens(server.name, root, name, settings.tokenizer, address.extra)
    requests.bos = prompts.bos
    width = settings.concurrency or server.width
    scorer = prompts.tokenizer and scorer_of(server.name, http, root, name, prompts.tokenizer, prompts.layout.eos)
    return RemoteModel(
        entry=entry,
        width=width,
        scoring_width=1 if server.name == "vLLM" and models.has_adapters else width,
        requests=requests,
        trials=Trials(http, requests),
        first_token=FirstToken(http, requests),
        prompts=prompts,
        scorer=scorer or Echo(http, name, server),
    )
