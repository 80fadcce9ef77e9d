"""From a prompt and its context to the exact text a model gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from alignbench.contexts.selection import own_examples
from alignbench.contexts.templates import render_template
from alignbench.engines.protocol import CHAT_PROBE, Capabilities
from alignbench.engines.thoughts import THINK, THINK_END, ThoughtMarks
from alignbench.errors import InputError
from alignbench.parsing import parse_json
from alignbench.prompt_parts import Turn, transcript
from alignbench.spec import Context, Example, Level, Prompt

FENCE = "```"

# What stands for a model where none is loaded: enough for layouts that are not the model's own.
NO_MODEL = Capabilities(
    kind="base",
    chat_template=None,
    bos="",
    eos="",
    adds_bos=False,
    n_ctx_train=0,
    n_vocab=0,
    device="",
    description="no model",
)

PartKind = Literal["template", "instruction", "example", "turn", "hint", "query", "prefill"]

# What the plain layout calls the block of a hint.
HEADINGS: dict[Level, str] = {
    "keywords": "Keywords",
    "topics": "Topics",
    "outline": "Outline",
    "sentence": "Summary",
    "summary": "Summary",
    "free": "Hint",
    "first": "Summary",
}

# How the chat layout leads a hint in, below the query.
_LEADS: dict[Level, str] = {
    "keywords": "Keywords of the answer",
    "topics": "Topics of the answer",
    "outline": "Outline of the answer",
    "sentence": "The answer in one sentence",
    "summary": "Summary of the answer",
    "free": "About the answer",
}

_QUERY = f"# Query:\n{FENCE}\n"
_ANSWER = f"# Answer:\n{FENCE}\n"
_CLOSE = f"\n{FENCE}\n\n"


@dataclass(frozen=True, slots=True)
class Content:
    """What a context holds for one prompt: its examples in the order in which they stand, hint and prefill."""

    examples: tuple[Example, ...] = ()
    hint: str = ""
    prefill: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The query, and what user and assistant said before it."""

    query: str
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the rendered text."""

    kind: PartKind
    text: str
    number: int = 0  # of an example or an earlier turn, from 1


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt in a context, as text.

    Attributes:
        context: the text that every prompt under this context shares
        query: the rest, up to where the response begins
        stops: what ends a response in this layout, beside the end-of-sequence token
        messages: what a server that applies the chat template itself gets in place of the text
        passes: how many stops a response may run over before one ends it
        parts: the same text in pieces
        thoughts: how a response holds thoughts in this layout, None where it does not
    """

    context: str
    query: str
    stops: tuple[str, ...]
    messages: tuple[tuple[str, str], ...] = ()
    passes: int = 0
    parts: tuple[Part, ...] = ()
    thoughts: ThoughtMarks | None = None

    @property
    def text(self) -> str:
        return self.context + self.query

    @property
    def closings(self) -> tuple[str, ...]:
        """The texts that close a response in this layout."""
        return closings(self.stops)


def stops(context: Context) -> tuple[str, ...]:
    """What ends a response in a context's layout, beside the end-of-sequence token: its fence, and stops of its own."""
    fence = (FENCE,) if context.template == "plain" and not context.source else ()
    return (*fence, *context.stops)


def closings(stops: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that close a response where these strings end one: each on the spot, or on the line below."""
    return tuple(dict.fromkeys(closing for stop in stops for closing in (stop, f"\n{stop}")))


def own_content(prompt: Prompt, context: Context) -> Content:
    """What a context holds that needs neither a teacher nor an embedding model.

    Raises InputError where the context has to be prepared for its prompts first.
    """
    examples: tuple[Example, ...] = ()
    if context.examples is not None:
        examples = own_examples(prompt.text, context.examples)
        if context.examples.hints and not all(example.hint for example in examples):
            raise InputError(f"The hints of the examples of {context.name or 'this context'} are made of each of them.")
    hint, prefill = context.hint, context.prefill
    if hint is not None and not hint.text and hint.level != "first":
        raise InputError(f"The hint of {context.name or 'this context'} is made from a sample of {hint.condition!r}.")
    if prefill is not None and not prefill.text:
        raise InputError(f"The prefill of {context.name or 'this context'} is a sample of {prefill.condition!r}.")
    return Content(examples, hint.text if hint else "", prefill.text if prefill else "")


def render(
    prompt: Prompt,
    context: Context,
    model: Capabilities,
    content: Content | None = None,
    *,
    may_be_empty: bool = False,
    as_text: bool = False,
) -> Rendered:
    """Render a prompt for a model. Neither text holds a BOS unless the layout itself writes one.

    Raises InputError when the prompt is empty, the layout cannot be rendered, or the content is not known.

    Args:
        prompt: the query, perhaps after earlier messages; a system message joins the instruction
        context: surrounds it
        model: has the chat template and the BOS and EOS texts
        content: the examples, hint and prefill of this prompt; without it, those that the context itself holds
        may_be_empty: whether the layout is written around no prompt too
        as_text: whether a chat is wanted as text, also where the model is sampled with messages; see `why_no_text`
    """
    query = prompt.text.strip()
    if not (query or may_be_empty):
        raise InputError("The prompt is empty.")
    if content is None:
        content = own_content(prompt, context)
    if context.verbalized:
        instruction = context.instruction.replace("{answers}", str(context.verbalized))
        context = replace(context, instruction=instruction)
    if prompt.system:
        context = replace(context, instruction=f"{context.instruction.strip()}\n\n{prompt.system}".strip())
    asked = _Asked(query, prompt.turns)
    content = Content(content.examples, content.hint.strip(), content.prefill.strip())
    if context.source:
        rendered = _from_file(asked, context, content, model)
    elif context.template == "plain":
        rendered = _plain(asked, context, content)
    elif context.template == "chat":
        rendered = _chat(asked, context, content, model, as_text)
    else:
        raise InputError(f"Unknown template {context.template!r}; expected plain, chat or a .jinja file.")
    if prompt.earlier and not rendered.messages:
        _check_earlier(prompt, rendered, context, model)
    return replace(rendered, stops=stops(context), thoughts=_thoughts(rendered, context, model))


def _thoughts(rendered: Rendered, context: Context, model: Capabilities) -> ThoughtMarks | None:
    """As the context says; else as the layout shows: it ends inside of thoughts, or is of a model that opens some."""
    if context.thinking_end:
        return ThoughtMarks(context.thinking_end)
    if rendered.text.rstrip().endswith(THINK):
        return ThoughtMarks()
    own = context.template == "chat" and not context.source
    thinks = model.renders_chat or THINK_END in (model.chat_template or "")
    return ThoughtMarks(opened=False) if own and thinks else None


# The plain layout


def _plain(asked: _Asked, context: Context, content: Content) -> Rendered:
    """URIAL's layout (Lin et al. 2023): instruction, fenced examples, fenced query, open answer fence."""
    level = context.hint.level if context.hint else None
    shared = context.examples is None or context.examples.shared
    before: list[Part] = []
    if context.instruction.strip():
        before.append(Part("instruction", f"# Instructions:\n\n{context.instruction.strip()}\n\n"))
    examples = [_plain_example(example, level, i) for i, example in enumerate(content.examples, start=1)]
    turns = [_plain_turn(turn, i) for i, turn in enumerate(asked.turns, start=1)]
    ending = [Part("query", f"{asked.query}{_CLOSE}")]
    if level == "first":
        ending.append(Part("template", f"# {HEADINGS[level]}:\n{FENCE}\n"))
    else:
        if level is not None:
            ending.append(Part("hint", _plain_hint(level, content.hint)))
        ending.append(Part("template", _ANSWER))
    if content.prefill:
        ending.append(Part("prefill", content.prefill))
    opening = Part("template", _QUERY)
    parts = (*before, *examples, *turns, opening, *ending)
    if shared or not examples:
        context_text = _text([*before, *examples, opening])
    else:  # an example begins as a query does, and so does an earlier turn
        context_text = _text([*before, opening])
    # A hint that is written first ends with a fence of its own, and the answer begins with one.
    return Rendered(context_text, _text(parts)[len(context_text) :], (), (), 2 if level == "first" else 0, parts)


def _plain_example(example: Example, level: Level | None, number: int) -> Part:
    hint = _plain_hint(level, example.hint) if level is not None and example.hint else ""
    return Part("example", f"{_QUERY}{example.prompt}{_CLOSE}{hint}{_ANSWER}{example.response}{_CLOSE}", number)


def _plain_turn(turn: Turn, number: int) -> Part:
    return Part("turn", f"{_QUERY if turn.role == 'user' else _ANSWER}{turn.content}{_CLOSE}", number)


def _plain_hint(level: Level, hint: str) -> str:
    return f"# {HEADINGS[level]}:\n{FENCE}\n{hint}{_CLOSE}"


# The chat layout and templates from files


def why_no_text(rendered: Rendered, model: Capabilities) -> str:
    """Why it is not known what stands before a response, in words that go after "because"; empty where it is."""
    if not rendered.messages:
        return ""
    how = f" ({model.no_template})" if model.no_template else ""
    return f"its server renders chats itself and does not say how{how}"


def _chat(asked: _Asked, context: Context, content: Content, model: Capabilities, as_text: bool) -> Rendered:
    if context.hint is not None and context.hint.level == "first":
        raise InputError("A hint that the model writes first needs the plain template or one of your own, not chat.")
    messages = _messages(asked, context, content)
    if model.renders_chat and as_text and model.chat_template is not None:
        _check_like_its_server(model)
    elif model.renders_chat:
        if content.prefill:
            raise InputError(f"{model.description} applies its chat template itself and takes no prefill.")
        pairs = tuple((message["role"], message["content"]) for message in messages)
        text = transcript([*asked.turns, Turn("user", asked.query)]) if asked.turns else asked.query
        return Rendered("", text, (), pairs, 0, (Part("query", text),))
    if model.chat_template is None:
        raise InputError(f"{model.description} has no chat template; use the plain template for it.")
    variants = [{"messages": messages}, {"messages": _messages(*_others(asked, context, content))}]
    return _split(model.chat_template, variants, asked, context, content, model, _called(context, model))


def _check_like_its_server(model: Capabilities) -> None:
    """InputError where a server renders a chat otherwise than the template that it gave is rendered here."""
    if not model.chat_probe:
        return
    assert model.chat_template is not None
    specials = tuple(_special_tokens(Context("chat"), model).items())
    if _probe(model.chat_template, specials, model.chat_fields, _called(Context("chat"), model)) != model.chat_probe:
        raise InputError(
            f"{_called(Context('chat'), model)} is rendered otherwise there than here, so what stands before a "
            "response is not known."
        )


@lru_cache(maxsize=8)
def _probe(template: str, special_tokens: tuple[tuple[str, str], ...], chat_fields: str, called: str) -> str:
    messages = [{"role": role, "content": content} for role, content in CHAT_PROBE]
    fixed = {"tools": None, "documents": None, "add_generation_prompt": True, **dict(special_tokens)}
    fixed |= parse_json(chat_fields) if chat_fields else {}
    return render_template(template, [{**fixed, "messages": messages}], layout=False, called=called)[0]


def _from_file(asked: _Asked, context: Context, content: Content, model: Capabilities) -> Rendered:
    variants = [_fields(asked, context, content)]
    variants.append(_fields(*_others(asked, context, content)))
    return _split(context.source, variants, asked, context, content, model, _called(context, model))


def _called(context: Context, model: Capabilities) -> str:
    """What messages call a template."""
    return f"The template {context.template}" if context.source else f"The chat template of {model.description}"


def _check_earlier(prompt: Prompt, rendered: Rendered, context: Context, model: Capabilities) -> None:
    """InputError where a template leaves out a message that comes before the prompt."""
    at = 0
    for turn in prompt.earlier:
        found = rendered.text.find(turn.content, at)
        if found < 0:
            use = "uses `messages`" if context.source else "has them, or the plain template"
            raise InputError(
                f"{_called(context, model)} leaves out a message of the {turn.role} before the prompt; expected a "
                f"template that {use}."
            )
        at = found + len(turn.content)


def _split(
    source: str,
    variants: Sequence[dict[str, Any]],
    asked: _Asked,
    context: Context,
    content: Content,
    model: Capabilities,
    called: str,
) -> Rendered:
    """Render the text and one for another query: what both begin with is what all prompts share."""
    arguments = parse_json(context.arguments) if context.arguments else {}
    fixed = {"tools": None, "documents": None, "add_generation_prompt": True, **_special_tokens(context, model)}
    if model.chat_fields and not context.source:
        fixed |= parse_json(model.chat_fields)
    variables = [{**fixed, **variant, **arguments} for variant in variants]
    text, other = render_template(source, variables, layout=bool(context.source), called=called)
    cut = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    parts = [*_found(text, asked, context, content)]
    if content.prefill:
        parts.append(Part("prefill", content.prefill))
    passes = 2 if context.hint is not None and context.hint.level == "first" else 0
    return Rendered(text[:cut], text[cut:] + content.prefill, (), (), passes, tuple(parts))


def _special_tokens(context: Context, model: Capabilities) -> dict[str, str]:
    """Special tokens by the names that templates call them; a chat template finds those alone that the model has."""
    named = {"bos_token": model.bos, "eos_token": model.eos}
    return {name: text for name, text in named.items() if text or context.source} | dict(model.special_tokens)


def _messages(asked: _Asked, context: Context, content: Content) -> list[dict[str, str]]:
    """The conversation of the chat layout; the hint stands below its query."""
    level = context.hint.level if context.hint else None
    messages = []
    if context.instruction.strip():
        messages.append({"role": "system", "content": context.instruction.strip()})
    for example in content.examples:
        messages.append({"role": "user", "content": _with_hint(example.prompt, level, example.hint)})
        messages.append({"role": "assistant", "content": example.response})
    messages += [{"role": turn.role, "content": turn.content} for turn in asked.turns]
    messages.append({"role": "user", "content": _with_hint(asked.query, level, content.hint)})
    return messages


def _with_hint(query: str, level: Level | None, hint: str) -> str:
    if level is None or not hint:
        return query
    return f"{query}\n\n{_LEADS.get(level, _LEADS['summary'])}:\n{hint}"


def _fields(asked: _Asked, context: Context, content: Content) -> dict[str, Any]:
    """What a template from a file may use."""
    level = context.hint.level if context.hint else "summary"
    return {
        "instruction": context.instruction.strip(),
        "examples": [{"prompt": e.prompt, "response": e.response, "hint": e.hint} for e in content.examples],
        "query": asked.query,
        "hint": content.hint,
        "level": level,
        "heading": HEADINGS[level],
        "messages": _messages(asked, context, content) if level != "first" else [],
    }


def _others(asked: _Asked, context: Context, content: Content) -> tuple[_Asked, Context, Content]:
    """The same context around another query, whose text differs from this one at its first character; earlier turns
    differ as well."""
    if context.hint is not None and not context.hint.text:
        content = replace(content, hint=_parting(content.hint))
    if context.examples is not None and not context.examples.shared:
        examples = tuple(replace(example, prompt=_parting(example.prompt)) for example in content.examples)
        content = replace(content, examples=examples)
    turns = tuple(replace(turn, content=_parting(turn.content)) for turn in asked.turns)
    return _Asked(_parting(asked.query), turns), context, content


def _parting(text: str) -> str:
    return ("b" if text.startswith("a") else "a") + text


def _found(text: str, asked: _Asked, context: Context, content: Content) -> Iterator[Part]:
    """The pieces of a text that a template wrote, as far as its contents are in it unchanged and in order."""
    wanted: list[tuple[PartKind, str, int]] = [("instruction", context.instruction.strip(), 0)]
    for number, example in enumerate(content.examples, start=1):
        wanted += [("example", piece, number) for piece in (example.prompt, example.hint, example.response)]
    wanted += [("turn", turn.content, number) for number, turn in enumerate(asked.turns, start=1)]
    wanted += [("query", asked.query, 0), ("hint", content.hint, 0)]
    at = 0
    for kind, piece, number in wanted:
        start = text.find(piece, at) if piece else -1
        if start < 0:
            continue
        if start > at:
            yield Part("template", text[at:start])
        at = start + len(piece)
        yield Part(kind, piece, number)
    if at < len(text):
        yield Part("template", text[at:])


def _text(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts)
