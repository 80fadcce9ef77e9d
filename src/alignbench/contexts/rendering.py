"""From a prompt and its context to the exact text a model gets."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alignbench.engines.protocol import Capabilities
from alignbench.errors import InputError
from alignbench.spec import Context, Prompt

FENCE = "```"


@dataclass(frozen=True, slots=True)
class Rendered:
    """context: the text that every prompt under this context shares. query: the rest, up to where the response
    begins. stops: what ends a response in this layout, beside the end-of-sequence token. messages: what a server that
    applies the chat template itself gets in place of the text."""

    context: str
    query: str
    stops: tuple[str, ...]
    messages: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        return self.context + self.query


def render(prompt: Prompt, context: Context, model: Capabilities) -> Rendered:
    """Render a prompt for a model. Neither text holds a BOS unless the layout itself writes one.

    Raises InputError when the prompt is empty, the layout is unknown or the model has no chat template.
    """
    query = prompt.text.strip()
    if not query:
        raise InputError("The prompt is empty.")
    if context.template == "plain":
        return _plain(query)
    if context.template == "chat":
        return _chat(query, model)
    raise InputError(f"Unknown template {context.template!r}; expected plain or chat.")


def _plain(query: str) -> Rendered:
    """URIAL's layout (Lin et al. 2023) without instruction and examples: fenced query, open answer fence."""
    return Rendered(
        context=f"# Query:\n{FENCE}\n",
        query=f"{query}\n{FENCE}\n\n# Answer:\n{FENCE}\n",
        stops=(FENCE,),
    )


def _chat(query: str, model: Capabilities) -> Rendered:
    if model.renders_chat:
        return Rendered(context="", query=query, stops=(), messages=(("user", query),))
    if model.chat_template is None:
        raise InputError(f"{model.description} has no chat template; use the plain template for it.")
    text = _apply_chat_template(model.chat_template, [{"role": "user", "content": query}], model)
    at = text.rfind(query)
    if at < 0:  # a template that rewrites the message: nothing is known to be shared
        at = 0
    return Rendered(context=text[:at], query=text[at:], stops=())


def _apply_chat_template(source: str, messages: list[dict[str, str]], model: Capabilities) -> str:
    """Render a model's own chat template, in a sandbox: it came with the weights, not from us."""

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.loopcontrols"],
    )
    environment.globals["raise_exception"] = refuse
    try:
        return environment.from_string(source).render(
            messages=messages, add_generation_prompt=True, bos_token=model.bos, eos_token=model.eos
        )
    except TemplateError as error:
        raise InputError(f"The chat template of {model.description} failed: {error}") from error
