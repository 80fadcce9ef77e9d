"""How a question and its answer are laid out for training, and as tokens.

Words that the base has read often, and its own end token: what it can learn in a hundred steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alignbench.contexts.example_files import shipped_example_set

TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] | trim }}\n\n"
    "{% elif message['role'] == 'user' %}Question: {{ message['content'] | trim }}\n\nAnswer:\n"
    "{% else %}{{ message['content'] | trim }}{{ eos_token }}\n\n{% endif %}"
    "{% endfor %}"
)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A question with one response to it, as tokens; the response has the end token as its last."""

    prompt: tuple[int, ...]
    response: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.response)


def dialogue(tokenizer: Any, question: str, answer: str, *, ended: bool = True) -> Dialogue:
    """ended: whether the end token follows, as it does where an answer ended by itself."""
    shown = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], chat_template=TEMPLATE, tokenize=False
    )
    prompt = tokenizer(shown, add_special_tokens=False)["input_ids"]
    response = tokenizer(answer.strip(), add_special_tokens=False)["input_ids"]
    return Dialogue(tuple(prompt), (*response, *([tokenizer.eos_token_id] if ended else [])))


def dialogues(tokenizer: Any, name: str) -> list[Dialogue]:
    """Those of an example set that ships."""
    return [dialogue(tokenizer, item.prompt, item.response) for item in shipped_example_set(name).items]
