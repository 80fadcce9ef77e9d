"""How a server is asked for JSON of a schema, and what is done where it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.protocol import Failed, SampleRequest
from alignbench.spec import Model
from tests.support.driving import SCHEMA, plain_request, results
from tests.support.server import MODEL, Reply, ScriptedServer, refusal

JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "reply", "schema": json.loads(SCHEMA)}}
WITH_SCHEMA = {"type": "json_object", "schema": json.loads(SCHEMA)}
ANY_JSON = {"type": "json_object"}


class PickyServer(ScriptedServer):
    """Takes only some forms of response_format, and says so as `says`."""

    def __init__(self, *takes: dict[str, Any], says: str = "response_format is not supported") -> None:
        super().__init__()
        self.takes, self.says = takes, says

    def _refused(self, body: dict[str, Any]) -> Reply | None:
        form = body.get("response_format")
        return refusal(400, self.says) if form is not None and form not in self.takes else super()._refused(body)


def held(n: int = 1, **given: Any) -> SampleRequest:
    return replace(plain_request(n, stops=(), **given), messages=(("user", "Grade it."),), schema=SCHEMA)


def asked(server: ScriptedServer, *requests: SampleRequest) -> list[dict[str, Any] | None]:
    """The forms that a server was asked for, in order."""
    engine = OpenAIEngine(Model("m", f"openai:{server.url}#{MODEL}", "aligned"), Cancellation())
    try:
        for request in requests:
            assert set(results(list(engine.sample([request])))) == set(request.samples)
    finally:
        engine.close()
        server.close()
    return [body.get("response_format") for body in server.requests]


def test_a_schema_is_sent_and_nothing_without_one() -> None:
    assert asked(PickyServer(JSON_SCHEMA), held(), replace(held(), schema="")) == [JSON_SCHEMA, None]
    completion = replace(held(), messages=())
    assert asked(PickyServer(JSON_SCHEMA), completion) == [JSON_SCHEMA]


@pytest.mark.parametrize(
    ("takes", "forms"),
    [
        ((WITH_SCHEMA,), [JSON_SCHEMA, WITH_SCHEMA]),
        ((ANY_JSON,), [JSON_SCHEMA, WITH_SCHEMA, ANY_JSON]),
        ((), [JSON_SCHEMA, WITH_SCHEMA, ANY_JSON, None]),
    ],
)
def test_a_server_that_refuses_is_asked_in_another_form_from_then_on(
    takes: tuple[dict[str, Any], ...], forms: list[Any]
) -> None:
    assert asked(PickyServer(*takes), held(), held()) == [*forms, forms[-1]]


def test_samples_that_are_refused_at_once_skip_no_form() -> None:
    forms = asked(PickyServer(WITH_SCHEMA), held(4, temperature=1.0))
    assert forms.count(WITH_SCHEMA) == 4
    assert ANY_JSON not in forms


def test_a_refusal_of_something_else_leaves_the_form_alone() -> None:
    server = PickyServer(JSON_SCHEMA)
    server.script.append(refusal(400, "This model's maximum context length is 4096 tokens."))
    engine = OpenAIEngine(Model("m", f"openai:{server.url}#{MODEL}", "aligned"), Cancellation())
    try:
        assert isinstance(list(engine.sample([held()]))[-1], Failed)
    finally:
        engine.close()
    assert asked(server, held()) == [JSON_SCHEMA, JSON_SCHEMA]


@pytest.mark.models
def test_a_real_server_holds_its_responses_to_the_schema(llama_url: str) -> None:
    engine = OpenAIEngine(Model("m", f"openai:{llama_url}#smol", "aligned"), Cancellation())
    try:
        samples = results(list(engine.sample([held(2, max_tokens=400, temperature=1.0)])))
    finally:
        engine.close()
    for result in samples.values():
        assert list(json.loads(result.text, strict=False)) == ["why", "grade"]
