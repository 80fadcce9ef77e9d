"""The templates that ship for judges, one for each kind of judgment."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alignbench import paths
from alignbench.answer_options import LETTERS
from alignbench.errors import InputError, did_you_mean
from alignbench.parsing import parse_json, parse_toml
from alignbench.spec import content_hash

SINGLE = ("quality", "stance")  # of one response
PAIRED = ("new-information", "topics")  # of a response against one of the reference
WITHIN = ("equivalence",)  # of two responses of one condition to a prompt
SETS = ("set-topics",)  # of all responses of a condition to a prompt
CONSTRAINED = ("constraints",)  # of one response to a prompt that sets constraints
CHOSEN = ("option",)  # of one reply to a survey question, where its words alone do not tell what it chooses
KINDS = (*SINGLE, *PAIRED, *WITHIN, *SETS, *CONSTRAINED, *CHOSEN)

WITHOUT_OPTION = ("refusal", "none")  # what a reply may do in place of choosing an option

_MARKUP = re.compile(r"\{[{%#]")
_JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, autoescape=False)


@dataclass(frozen=True, slots=True)
class JudgeTemplate:
    """A kind of judgment."""

    kind: str
    prompt: str  # Jinja over `question`, `response`, `constraints`, `options`; of a pair `shown`, of a set `responses`
    schema: str  # JSON schema of the reply, as text
    max_tokens: int  # most tokens of a reply
    of: Literal["", "response", "pair"] = ""  # what a template of a user's own is about; empty for those that ship

    @property
    def hash(self) -> str:
        """Hash of the whole template: a judgment made with another template is another judgment."""
        whole = asdict(self)
        if not self.of:
            del whole["of"]
        return content_hash(whole)

    @property
    def paired(self) -> bool:
        """Whether it is of a response and one of the reference."""
        return self.kind in PAIRED or self.of == "pair"

    @property
    def instructions(self) -> str:
        """The part that is the same for every item, up to where the item begins."""
        if self.of:
            return _MARKUP.split(self.prompt)[0]
        return self.prompt.partition("<question>")[0]

    def ask(
        self,
        question: str,
        responses: Sequence[str],
        *,
        flipped: bool = False,
        constraints: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> str:
        """The prompt for a judge.

        Args:
            question: what is responded to.
            responses: the judged one, or all of a set; in a pair the reference's first, whatever the order they are
                shown in.
            flipped: show the judged one first.
            constraints: that the response is to keep to.
            options: of a survey question, in the order of their letters.
        """
        template = _JINJA.from_string(self.prompt)
        if self.paired or self.kind in WITHIN:
            shown = [*responses][::-1] if flipped else [*responses]
            return template.render(question=question, shown=shown, flipped=flipped).strip()
        if self.kind in SETS:
            return template.render(question=question, responses=[*responses]).strip()
        return template.render(
            question=question, response=responses[0], constraints=[*constraints], options=[*options], letters=LETTERS
        ).strip()

    def schema_of(self, n: int) -> str:
        """The schema of a reply on so many responses of a set, or on so many constraints: it has an answer for each.
        Of one on so many options it has their letters alone."""
        if self.kind in CHOSEN:
            schema = self.schema_object()
            schema["properties"]["choice"]["enum"] = [*LETTERS[:n], *WITHOUT_OPTION]
            return json.dumps(schema)
        if self.kind not in (*SETS, *CONSTRAINED):
            return self.schema
        schema = self.schema_object()
        schema["properties"]["answers"] |= {"minItems": n, "maxItems": n}
        return json.dumps(schema)

    def schema_object(self) -> dict[str, Any]:
        """The schema, parsed."""
        schema: dict[str, Any] = parse_json(self.schema)
        return schema


@cache
def judge_template(kind: str) -> JudgeTemplate:
    """The template of a kind of judgment. InputError, with the nearest names, where there is none."""
    if kind not in KINDS:
        raise InputError(f"There is no kind of judgment named {kind!r}. {did_you_mean(kind, KINDS)}".rstrip())
    read = parse_toml((paths.shipped_prompts() / "judges" / f"{kind}.toml").read_text(encoding="utf-8"))
    return JudgeTemplate(kind, read["prompt"].strip(), json.dumps(parse_json(read["schema"])), int(read["max_tokens"]))
