"""The JSON Schema of a context: what `contexts.files` reads."""

from __future__ import annotations

from alignbench import bounds
from alignbench.contexts.example_files import EXAMPLE_FIELDS
from alignbench.file_schemas.parts import (
    Schema,
    choice,
    flag,
    has,
    none_of,
    number,
    says,
    table,
    text,
    text_or_file,
    texts,
    where,
    whole,
)
from alignbench.spec import Draw, Level, Order, Overflow, Select


def context_schema() -> Schema:
    """The schema of a context's own file."""
    return whole("alignbench: context", context_table())


def context_table() -> Schema:
    """The schema of a context, also where it stands in an experiment."""
    hints_of_examples = has("examples", has("hints", {"const": True}))
    return table(
        {
            "name": text("In the condition's name; the file's name where it is left out."),
            "template": {
                "description": "plain, chat (the model's own) or a .jinja file.",
                "anyOf": [{"enum": ["plain", "chat"]}, {"type": "string", "pattern": r"\.jinja$"}],
            },
            "instruction": text_or_file("In the chat layout it is the system message."),
            "examples": _examples(),
            "hint": _hint(),
            "prefill": _prefill(),
            "stop": texts("Texts that end a response, beside those of the layout."),
            "arguments": {
                "description": "Variables for the template.",
                "type": "object",
                "propertyNames": {"not": {"const": "messages"}},
            },
            "overflow": choice(
                Overflow, "Whether the farthest examples go where not all fits, or the prompt is refused."
            ),
            "thinking_end": text("What a reasoning model writes between its thoughts and its answer."),
            "verbalized": number(bounds.VERBALIZED, "Answers with probabilities that one reply gives."),
        },
        where(
            has("verbalized"),
            none_of(
                has("prefill"), has("thinking_end", {"minLength": 1}), has("hint", has("level", {"const": "first"}))
            ),
        ),
        where(hints_of_examples, has("hint", none_of({"allOf": [has("level", {"const": "free"}), says("text")]}))),
        where(
            {"allOf": [hints_of_examples, has("hint", none_of(says("maker"), has("source")))]},
            has("examples", has("set", {"type": "object", "not": has("session")})),
        ),
        where(
            {"allOf": [has("hint", {"allOf": [says("maker"), none_of(has("source"))]}), {"not": hints_of_examples}]},
            {"not": {}},
        ),
        required=["template"],
    )


def _examples() -> Schema:
    item = {name: text(blank=name == "hint") for name in EXAMPLE_FIELDS}
    source = table(
        {"condition": _condition(), "session": {"type": ["integer", "string"], "description": "Its number or name."}},
        required=["condition"],
    )
    nearest = has("select", {"enum": ["nearest-prompt", "nearest-response", "nearest-format"]})
    embedded = has("select", {"enum": ["nearest-prompt", "nearest-response"]})
    return table(
        {
            "set": {
                "description": "A set that ships, one of the database, a file, or a condition's responses.",
                "anyOf": [text(), source],
            },
            "items": {
                "description": "Examples that are written here, in place of a set.",
                "type": "array",
                "items": table(item, required=["prompt", "response"]),
            },
            "select": choice(Select, "Which of them come before a prompt."),
            "k": number(bounds.EXAMPLES, "How many; all of a fixed list where it is left out."),
            "seed": number(bounds.SEED, "Of a random selection and of a shuffled order."),
            "order": choice(Order, "In which order they stand."),
            "draw": choice(Draw, "Whether a random selection is made for each prompt, or once for all."),
            "mmr": number(bounds.FRACTION, "Weight of similarity in maximal marginal relevance."),
            "near_duplicate": number(bounds.FRACTION, "Examples at least this similar to the prompt are left out."),
            "teacher": text("The condition whose response nearest-response and nearest-format go by."),
            "sample": number(bounds.SAMPLE, "Which of its samples."),
            "embedder": text("A folder with a sentence-transformers model."),
            "embedder_prompt": {
                "description": "What is written before the texts that it embeds.",
                "anyOf": [text(), table({"query": text(), "document": text()})],
            },
            "hints": flag("Whether a hint is made of each example that has none."),
        },
        {"oneOf": [has("set"), has("items")]},
        where(has("select", {"not": {"const": "fixed"}}), has("k")),
        where(has("order", {"enum": ["similar-first", "similar-last"]}), nearest),
        where(has("mmr"), nearest),
        where({"anyOf": [has("embedder"), has("embedder_prompt")]}, embedded),
        where(has("draw"), has("select", {"const": "random"})),
        where(has("teacher", {"minLength": 1}), has("select", {"enum": ["nearest-response", "nearest-format"]})),
    )


def _hint() -> Schema:
    template = {"anyOf": [has("template", {"type": "string", "minLength": 1}), has("template", {"type": "object"})]}
    return table(
        {
            "level": choice(Level, "How much of the response it says."),
            "text": text("Written by hand, the same for every prompt."),
            "source": _source(),
            "maker": text("The model that makes it; the source's where it is left out."),
            "template": text_or_file("What the maker is asked, with {prompt} and {response}."),
        },
        where(
            has("level", {"const": "first"}),
            none_of(says("text"), has("source"), template),
            {"oneOf": [says("text"), has("source")]},
        ),
        where(says("text"), {"not": template}),
        where({"allOf": [has("source"), has("level", {"const": "free"})]}, template),
        required=["level"],
    )


def _prefill() -> Schema:
    return table(
        {
            "text": text("How every response begins."),
            "source": _source(),
            "tokens": number(bounds.MAX_TOKENS, "How many tokens of the source's sample."),
        },
        {"oneOf": [says("text"), {"required": ["source", "tokens"]}]},
        where(says("text"), none_of(has("tokens"))),
    )


def _source() -> Schema:
    return table(
        {"condition": _condition(), "sample": number(bounds.SAMPLE, "Which of its samples, from 0.")},
        required=["condition"],
        about="A sample of a condition of the same session.",
    )


def _condition() -> Schema:
    return {"type": "string", "minLength": 1, "description": "Name of a condition."}
