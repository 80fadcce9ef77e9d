"""Chat templates give the bytes that transformers' own renderer gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.contexts.rendering import render
from alignbench.errors import InputError
from alignbench.spec import Context, Example, Examples, ExampleSet, Prompt
from tests.support.fakes import CAPABILITIES
from tests.support.later import later

renderer = later("transformers.utils.chat_template_utils")

QUERY = "Is it <b>5 > 3</b> & 'so' é 😀?\n\n\"Yes\" \\ \u2028 no"
MODEL = replace(
    CAPABILITIES["aligned"],
    bos="<s>",
    eos="</s>",
    special_tokens=(("pad_token", "<pad>"), ("unk_token", "<unk>"), ("image_token", "<img>")),
)
EACH = "{%- for m in messages %}{{ '<' ~ m.role ~ '>' ~ m.content ~ '\\n' }}{% endfor %}"

TEMPLATES = {
    "date": "{{ 'Today: ' + strftime_now('%d %B %Y') + '\\n' }}" + EACH,
    "date where there is one": (
        "{% if strftime_now is defined %}{% set d = strftime_now('%Y-%m-%d %A') %}{% else %}{% set d = 'long ago' %}"
        "{% endif %}{% if date_string is defined %}{% set d = date_string %}{% endif %}{{ d }}|" + EACH
    ),
    "date in a condition": "{% if strftime_now('%Y') | int > 2000 %}this millennium{% endif %}" + EACH,
    "generation": (
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}\n{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    ),
    "generation with dashes": (
        "{%- for m in messages -%}\n  {%- generation -%}  {{ m.content }}  {%- endgeneration -%}\n{%- endfor %}\n\n"
    ),
    "generation is a scope": (
        "{% set x = 'out' %}{% set n = namespace(x='out') %}{% generation %}{% set x = 'in' %}{% set n.x = 'in' %}"
        "{{ x }}{% endgeneration %}{{ x }}{{ n.x }}"
    ),
    "generation in generation": (
        "{% generation %}a{% generation %}{{ messages[0].content }}{% endgeneration %}b{% endgeneration %}"
    ),
    "no tools": "{% if tools is none %}none{% elif tools %}{{ tools | tojson }}{% endif %}" + EACH,
    "tools are defined": (
        "{{ tools is defined }} {{ documents is defined }} {{ documents is none }} {{ tools }}"
        "{% if not tools %}-{% endif %}" + EACH
    ),
    "tools set to none": "{%- if not tools is defined %}{% set tools = none %}{% endif %}{{ tools }}" + EACH,
    "documents": "{% if documents %}{% for d in documents %}{{ d.text }}{% endfor %}{% else %}alone{% endif %}" + EACH,
    "tojson": "{% for m in messages %}{{ m | tojson }}\n{% endfor %}",
    "tojson of texts": "{{ messages[-1].content | tojson }}{{ 'é' | tojson }}{{ [1, 2.5, none, true] | tojson }}",
    "tojson in ASCII": "{{ messages | tojson(ensure_ascii=True) }}",
    "tojson indented": "{{ messages | tojson(indent=2) }}{{ messages | tojson(true, 4) }}",
    "tojson indented by a text": "{{ messages | tojson(indent='\\t') }}",
    "tojson with separators": "{{ messages | tojson(separators=(',', ':')) }}",
    "tojson sorted": "{{ {'b': 1, 'a': {'d': 2, 'c': 3}} | tojson(sort_keys=True) }}",
    "tojson as it comes": "{{ {'b': 1, 'a': {'d': 2, 'c': 3}} | tojson }}",
    "tojson of infinity": "{{ [1e999, -1e999] | tojson }}",
    "tojson is text": "{{ ({'a': '<'} | tojson) ~ '<' }}{{ {'a': '<'} | tojson | length }}",
    "break": "{% for m in messages %}{% if loop.index0 == 1 %}{% break %}{% endif %}{{ m.content }}{% endfor %}",
    "continue": "{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}{{ m.role }}{% endfor %}",
    "line ends": "a\n{% if true %}\n  b\n  {% endif %}\n    {# c #}\n  d{{ messages[0].content }}\n{% set x = 1 %}\n",
    "one line end at the end": "{{ messages[0].content }}\n",
    "two line ends at the end": "{{ messages[0].content }}\n\n",
    "a line end of Windows": "a\r\n{{ messages[0].content }}\r\n",
    "line statements are none": "# for\n% for\n## not\n{{ messages[0].content }}",
    "special tokens": "{{ bos_token }}{{ pad_token }}{{ unk_token }}{{ image_token }}" + EACH + "{{ eos_token }}",
    "special tokens that there are not": (
        "{{ cls_token is defined }}{{ sep_token }}{{ mask_token is none }}{{ bos_token is defined }}"
    ),
    "what is not there": (
        "{{ nothing }}{{ messages[0].tool_calls }}{% if messages[0].name %}x{% endif %}{{ nothing is defined }}"
        "{% if 'tool_calls' in messages[0] %}y{% endif %}{{ messages[0].get('tool_calls', 'none') }}"
    ),
    "generation prompt": (
        EACH + "{% if add_generation_prompt is defined and add_generation_prompt %}<assistant>{% endif %}"
    ),
    "namespace": (
        "{% set ns = namespace(last=-1, tools=none) %}{% for m in messages %}{% if m.role == 'user' %}"
        "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{{ ns.last }}{{ ns.tools }}"
    ),
    "namespace that is filled": (
        "{% set ns = namespace() %}{% set ns.n = 0 %}"
        "{% set users = messages | selectattr('role', 'equalto', 'user') | list %}"
        "{% for m in messages | rejectattr('tool_calls', 'defined') if m.role != 'tool' %}{% set ns.n = ns.n + 1 %}"
        "{{ ns.n }}{% if m == users[-1] %}last: {% endif %}{{ m.content | string }}{% endfor %}{{ ns.none }}"
    ),
    "namespace called self": "{% set n = namespace(self='me', a=1) %}{{ n.self }}{{ n.a }}",
    "dict": "{{ dict(role='x', a=[1]) }}{{ dict.fromkeys(['a', 'b'], 1) }}{{ dict is defined }}",
    "slices and methods": (
        "{% for m in messages[::-1] %}{{ m['content'].split('?')[0].strip() | upper }}{{ m.content | trim | length }}"
        "{{ m.content.startswith('Is') }}{{ m.content.replace('5', '6').rstrip('\\n') }}{% endfor %}"
    ),
    "filters and tests": (
        "{{ messages | map(attribute='role') | join(', ') }}{{ messages | selectattr('role', 'equalto', 'user') | list "
        "| length }}{{ messages | length }}{{ messages[0].content is string }}{{ messages is mapping }}"
        "{{ messages[0] | items | list }}{{ 'x' | default('y') }}{{ zz | default('y') }}{{ ['b', 'a'] | sort | first }}"
    ),
    "macros": (
        "{% macro turn(m, end='|') %}{{ m.role }}:{{ m.content }}{{ end }}{{ caller() if caller }}{% endmacro %}"
        "{% for m in messages %}{{ turn(m) }}{% call turn(m, '!') %}called{% endcall %}{% endfor %}"
    ),
    "globals": (
        "{{ range(3) | list }}{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{% set j = joiner(',') %}"
        "{{ j() }}{{ j() }}{{ raise_exception is defined }}{{ lipsum is defined }}"
    ),
    "arithmetic": "{{ 7 // 2 }} {{ 7 % 3 }} {{ 2 ** 10 }} {{ 1 / 3 }} {{ 'a' * 3 }} {{ '%s-%05d' | format('x', 7) }}",
    "nothing is escaped": (
        "{{ messages[0].content }}{{ '<&>' }}{{ '<' | e }}{% autoescape true %}{{ '<' }}{% endautoescape %}"
    ),
    "an exception that is not raised": "{% if messages | length > 99 %}{{ raise_exception('long') }}{% endif %}" + EACH,
    "raw and comments": "{% raw %}{{ x }}{% endraw %}{# {{ y }} #}{{ messages[0].content }}{##}",
    "blocks that shadow": (
        "{% with a = 1 %}{{ a }}{% endwith %}{{ a }}{% filter upper %}{{ messages[0].role }}{% endfilter %}"
    ),
}  # fmt: skip

CONTEXTS = {
    "alone": Context("chat"),
    "instructed": Context("chat", instruction="Be <kind>."),
    "with examples": Context("chat", examples=Examples(ExampleSet((Example("How?", "Thus."), Example("Who?", "é"))))),
}


def theirs(source: str, context: Context) -> str:
    """What transformers makes of the conversation of a context."""
    messages = [{"role": "system", "content": context.instruction}] if context.instruction else []
    for example in context.examples.pool.items if context.examples else ():
        messages.append({"role": "user", "content": example.prompt})
        messages.append({"role": "assistant", "content": example.response})
    messages.append({"role": "user", "content": QUERY})
    tokens = {"bos_token": MODEL.bos, "eos_token": MODEL.eos, **dict(MODEL.special_tokens)}
    texts, _ = renderer.render_jinja_template([messages], chat_template=source, add_generation_prompt=True, **tokens)
    return str(texts[0])


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize("source", TEMPLATES.values(), ids=TEMPLATES)
def test_the_same_bytes_as_transformers(source: str, context: Context) -> None:
    before = theirs(source, context)
    ours = render(Prompt.typed(QUERY), context, replace(MODEL, chat_template=source)).text
    assert ours in (before, theirs(source, context))  # a day may begin between the two


REFUSING = {
    "raised": ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
    "raised in many words": ("{{ raise_exception('x' * 100000) }}", "x{500}$"),
    "raised without words": ("{{ raise_exception('') }}", "TemplateError"),
    "no such filter": ("{{ messages | tojsonn }}", "line 1: No filter named 'tojsonn'"),
    "wrong arguments": ("{{ messages | tojson(indnt=1) }}", "indnt"),
    "undefined and added to": ("{{ sep_token + 'x' }}", "'sep_token' is undefined"),
    "no way out by namespace": ("{% set n = namespace(_x=1) %}", "underscore"),
    "no way out by dict": ("{{ dict.__class__.__mro__ }}", "unsafe"),
    "generation that does not end": ("{% generation %}", "line 1"),
    "no files": ("{% include 'x' %}", "no loader"),
    "no changes": ("{{ messages.append(1) }}", "unsafe"),
    "no endless json": ("{% set x = namespace(a=1) %}{% set x.b = [x] %}{{ x.b | tojson }}", "not JSON serializable"),
}


@pytest.mark.parametrize(("source", "message"), REFUSING.values(), ids=REFUSING)
def test_both_refuse_and_it_is_one_message(source: str, message: str) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - jinja2's, Python's or transformers' own
        theirs(source, CONTEXTS["alone"])
    with pytest.raises(InputError, match=f"^The chat template of fake aligned failed: .*{message}"):
        render(Prompt.typed(QUERY), CONTEXTS["alone"], replace(MODEL, chat_template=source))


def test_arguments_are_variables_of_the_template() -> None:
    source = "{{ enable_thinking }}{{ date_string }}{{ tools | tojson }}{{ bos_token }}{{ add_generation_prompt }}"
    arguments = (
        '{"add_generation_prompt": false, "bos_token": "<b>", "date_string": "1 May", "enable_thinking": false, '
        '"tools": [{"type": "function", "name": "f"}]}'
    )
    ours = render(Prompt.typed("Why?"), Context("chat", arguments=arguments), replace(MODEL, chat_template=source)).text
    assert ours == 'False1 May[{"type": "function", "name": "f"}]<b>False'


def test_a_model_without_bos_has_no_such_variable() -> None:
    model = replace(MODEL, bos="", chat_template="{{ bos_token is defined }}{{ eos_token is defined }}")
    assert render(Prompt.typed("Why?"), Context("chat"), model).text == "FalseTrue"


def test_a_layout_of_the_users_own_has_the_same_at_hand_and_keeps_its_last_line_end() -> None:
    source = (
        "{{ {'q': query, 'b': '<'} | tojson }}{% generation %}{{ strftime_now('%Y') | length }}{% endgeneration %}"
        "{{ tools }}{{ bos_token }}\n"
    )
    rendered = render(Prompt.typed("é?"), Context("mine.jinja", source=source), CAPABILITIES["base"])
    assert rendered.text == f'{{"q": "é?", "b": "<"}}4None{CAPABILITIES["base"].bos}\n'


VALUES = (
    "messages", "messages[0]", "messages[-1].content", "messages[0]['role']", "m", "m.content", "bos_token", "tools",
    "nothing", "none", "true", "1", "'é<'", "[1, 'a']", "{'b': '\u2028', 'a': none}", "strftime_now('%Y')",
    "loop.index", "x", "ns.x", "messages[::-1]", "range(2)", "add_generation_prompt", "documents", "dict(a=1)",
    "raise_exception('no')",
)  # fmt: skip
FILTERS = (
    "", "|tojson", "|tojson(indent=1)", "|tojson(ensure_ascii=True, separators=(',', ':'))", "|trim", "|length",
    "|list", "|string", "|upper", "|join(',')", "|first", "|default('d')", "|items|list", "|sort", "|safe", "|e",
    "|int",
    ".x", "[0]", " is defined", " is none", " is string", " is mapping", " is iterable", " ~ 'z'", " + 'z'", " == 1",
)  # fmt: skip
BLOCKS = (
    "{%% for m in messages %%}%s{%% endfor %%}", "{%%- if %s -%%}\ny\n{%%- else %%} n {%% endif %%}\n",
    "{%% generation %%}%s{%% endgeneration %%}", "{%%- set x = %s %%}", "{%% set ns = namespace(x=%s) %%}\n",
    "{%% for m in messages %%}{%% if loop.last %%}{%% break %%}{%% endif %%}%s{%% endfor %%}",
    "{%% macro f(m) %%}%s{%% endmacro %%}{{ f(messages[0]) }}", "{%% filter upper %%}%s{%% endfilter %%}",
    "  {%%- with x = %s %%}{{ x }}{%%- endwith %%}\n\n", "{%% autoescape true %%}%s{%% endautoescape %%}",
)  # fmt: skip


@st.composite
def made(draw: st.DrawFn) -> str:
    """A template of random parts, many of which do not go together."""
    value = st.builds("{}{}".format, st.sampled_from(VALUES), st.sampled_from(FILTERS))
    shown = st.one_of(value.map("{{{{ {} }}}}".format), st.sampled_from(("\n", "  ", "<|a|>", "{# c #}\n", "\r\n")))
    source = ""
    for _ in range(draw(st.integers(1, 5))):
        block = draw(st.sampled_from(BLOCKS))
        inner = draw(value if block.count("{%") and "%s" in block.split("%%}")[0] else shown)
        source += draw(shown) + block % inner
    return source


@given(made())
def test_whatever_the_template_the_outcome_is_that_of_transformers(source: str) -> None:
    try:
        expected = theirs(source, CONTEXTS["instructed"])
    except Exception:  # whatever it is, ours has to refuse too
        with pytest.raises(InputError, match=r"^The chat template of fake aligned failed: "):
            render(Prompt.typed(QUERY), CONTEXTS["instructed"], replace(MODEL, chat_template=source))
        return
    assert render(Prompt.typed(QUERY), CONTEXTS["instructed"], replace(MODEL, chat_template=source)).text == expected
