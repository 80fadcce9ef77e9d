"""Experiment files: what they give, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignbench.contexts.hints import example_hint
from alignbench.errors import InputError
from alignbench.experiments.experiment import Experiment, experiment_path, read_experiment

PROMPTS = '[prompts]\nsets = ["open-ended"]\nlimit = 3\n'
ONE = PROMPTS + '[[conditions]]\nmodel = "demo-base"\n'


def read(folder: Path, text: str) -> Experiment:
    file = folder / "mine.toml"
    file.write_text(text)
    return read_experiment(file)


def test_a_file_says_what_to_draw(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("Why rivers?\n")
    experiment = read(
        tmp_path,
        'n = 2\nseed = 7\nmode = "fast"\nreference = "chat"\n'
        '[prompts]\nsets = ["open-ended"]\nfiles = ["more.txt"]\n'
        '[models]\nraw = "demo-base"\n[sampling]\nmax_tokens = 9\nstop = ["END"]\n'
        '[[conditions]]\nmodel = "raw"\n'
        '[[conditions]]\nname = "chat"\nmodel = "demo-smollm2"\nseed = 100\nsampling = { temperature = 0 }\n'
        '[scores]\nmetrics = ["jaccard"]\n[output]\nreport = "out.md"\n',
    )
    assert (experiment.name, experiment.n, experiment.reference, experiment.floor) == ("mine", 2, "chat", "raw")
    assert len(experiment.prompts) == 61
    assert experiment.prompts[-1].text == "Why rivers?"
    raw, chat = experiment.conditions
    assert (raw.name, raw.model.reference, raw.context.template, raw.seed) == ("raw", "demo-base", "plain", 7)
    assert (raw.sampling.max_tokens, raw.sampling.stop, raw.mode) == (9, ("END",), "fast")
    assert (chat.context.template, chat.seed, chat.sampling.temperature) == ("chat", 100, 0.0)
    assert chat.sampling.max_tokens == 9
    assert (experiment.metrics, experiment.report) == (("jaccard",), Path("out.md"))


def test_prompts_of_several_files_are_there_once_and_keep_their_ids(tmp_path: Path) -> None:
    (tmp_path / "ids.jsonl").write_text("".join(
        json.dumps({"id": id, "prompt": text}) + "\n" for id, text in (("a", "Why?"), ("b", "Why?"), ("c", "Who?"))
    ))  # fmt: skip
    (tmp_path / "lines.txt").write_text("When?\nWhy?\n")
    (tmp_path / "more.txt").write_text("When?\n")
    files = '[prompts]\nfiles = ["lines.txt", "ids.jsonl", "more.txt"]\n[[conditions]]\nmodel = "demo-base"\n'
    prompts = read(tmp_path, files).prompts
    assert [(prompt.id[:6], prompt.text) for prompt in prompts] == [
        ("lines-", "When?"), ("a", "Why?"), ("b", "Why?"), ("c", "Who?"),
    ]  # fmt: skip
    (tmp_path / "more.csv").write_text("id,prompt\nc,Whose?\n")
    with pytest.raises(InputError, match=r"mine\.toml.*'c' stands for two texts in ids and more"):
        read(tmp_path, files.replace("more.txt", "more.csv"))


def test_a_cross_product(tmp_path: Path) -> None:
    cross = '[cross]\nmodels = ["demo-base", "demo-smollm2"]\ntemperatures = [0.3, 1]\n'
    experiment = read(tmp_path, PROMPTS + cross)
    assert [(c.name, c.sampling.temperature) for c in experiment.conditions] == [
        ("demo-base@temp0.3", 0.3),
        ("demo-base@temp1", 1.0),
        ("demo-smollm2@temp0.3", 0.3),
        ("demo-smollm2@temp1", 1.0),
    ]
    assert experiment.reference == "demo-smollm2@temp0.3"
    assert experiment.floor is None


def test_a_ladder_is_a_condition_for_each_stage(tmp_path: Path) -> None:
    experiment = read(
        tmp_path,
        PROMPTS + '[models]\nolmo = "hf:org/olmo"\n'
        '[[conditions]]\nmodel = "olmo"\nrevisions = ["step1", "main"]\nseed = 3\n'
        '[[conditions]]\nname = "stages"\nmodels = ["hf:org/olmo@sft", "hf:org/olmo-Instruct"]\n'
        '[[conditions]]\nmodel = "demo-base"\n',
    )
    assert [(c.name, c.model.reference, c.model.kind, c.seed) for c in experiment.conditions] == [
        ("olmo@step1", "hf:org/olmo@step1", "base", 3),
        ("olmo@main", "hf:org/olmo@main", "base", 3),
        ("stages: olmo@sft", "hf:org/olmo@sft", "base", 0),
        ("stages: olmo-Instruct", "hf:org/olmo-Instruct", "aligned", 0),
        ("demo-base", "demo-base", "base", 0),
    ]
    assert experiment.ladders == (("olmo@step1", "olmo@main"), ("stages: olmo@sft", "stages: olmo-Instruct"))
    assert experiment.reference == "stages: olmo-Instruct"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('model = "demo-base"\nrevisions = ["a"]', r"conditions\[0\]\.revisions: demo-base has no revisions"),
        ('model = "hf:org/m@a"\nrevisions = ["b"]', r"hf:org/m@a has no revisions .* expected hf:org/name without"),
        ('model = "hf:org/m"\nmodels = ["hf:org/n"]', r"conditions\[0\]\.models: .*; expected either models, or one"),
        ('models = ["hf:org/m", "hf:org/m"]', "two conditions are called 'm'"),
    ],
)
def test_what_is_no_ladder(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, f"{PROMPTS}[[conditions]]\n{lines}\n")


def test_contexts_are_for_base_models(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('template = "plain"\ninstruction = "Answer in verse."\n')
    cross = '[cross]\nmodels = ["demo-base", "demo-smollm2"]\ncontexts = ["zero-shot", "own.toml"]\n'
    one = '[[conditions]]\nmodel = "demo-base"\ncontext = "fixed-3"\n'
    experiment = read(tmp_path, PROMPTS + one + cross)
    assert [c.name for c in experiment.conditions] == [
        "demo-base + fixed-3",
        "demo-base",
        "demo-base + own",
        "demo-smollm2",
    ]
    assert experiment.conditions[2].context.instruction == "Answer in verse."
    assert (experiment.reference, experiment.floor) == ("demo-smollm2", "demo-base")


def test_a_context_may_stand_in_the_file(tmp_path: Path) -> None:
    experiment = read(
        tmp_path,
        PROMPTS + '[models]\nteacher = "demo-smollm2"\n[[conditions]]\nmodel = "teacher"\n'
        '[[conditions]]\nname = "told"\nmodel = "demo-base"\n[conditions.context]\ntemplate = "plain"\n'
        'hint = { level = "summary", source = { condition = "teacher" }, maker = "teacher" }\n',
    )
    context = experiment.conditions[1].context
    assert context.name == "told"
    assert context.hint is not None
    assert (context.hint.condition, context.hint.maker) == ("teacher", "demo-smollm2")
    with pytest.raises(InputError, match=r"conditions\[0\].context, field shape: unknown"):
        read(tmp_path, ONE + 'context = { template = "plain", shape = 1 }\n')


def test_a_seed_draws_prompts_at_random_and_again_the_same(tmp_path: Path) -> None:
    drawn = [p.id for p in read(tmp_path, ONE.replace("limit = 3", "limit = 3\nseed = 1")).prompts]
    assert drawn == [p.id for p in read(tmp_path, ONE.replace("limit = 3", "limit = 3\nseed = 1")).prompts]
    assert len(drawn) == 3
    assert drawn != [p.id for p in read(tmp_path, ONE).prompts] == ["open-001", "open-002", "open-003"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n = [", "not TOML"),
        ("nn = 3\n" + ONE, r"mine\.toml, field nn: unknown\. Did you mean n"),
        ("n = 0\n" + ONE, "field n: 0; expected 1 to 10,000"),
        ('mode = "quick"\n' + ONE, "field mode: 'quick'; expected one of strict, fast"),
        ('reference = "demo-bse"\n' + ONE, "field reference: 'demo-bse'.*Did you mean demo-base"),
        (PROMPTS, "no conditions"),
        ('[[conditions]]\nmodel = "demo-base"\n', "no prompts; expected"),
        (PROMPTS + '[[conditions]]\nname = "a"\n', r"field conditions\[0\].model: missing; expected a text"),
        (ONE + "top = 1\n", r"field conditions\[0\].top: unknown"),
        (PROMPTS + '[[conditions]]\nmodel = "demo-bse"\n', r"conditions\[0\].model: .*Did you mean demo-base"),
        (
            ONE + 'context = "keywords"\n',
            "made of samples of 'demo-aligned', which is no condition here. Did you mean|Known: demo-base",
        ),
        (
            ONE + 'context = "fixed-4"\n',
            r"conditions\[0\].context: .*file 'fixed-4'. Did you mean fixed-3",
        ),
        (ONE + "sampling = { temperature = -1 }\n", r"conditions\[0\].sampling: temperature is -1.0"),
        (ONE + 'sampling = { top_k = "x" }\n', "sampling.top_k: 'x'; expected a whole number"),
        (ONE + "sampling = { heat = 1 }\n", r"conditions\[0\].sampling.heat: unknown"),
        (ONE + '[[conditions]]\nmodel = "demo-base"\nseed = 1\n', "two conditions are called 'demo-base'"),
        (ONE + '[[conditions]]\nname = "b"\nmodel = "demo-base"\n', "are the same condition"),
        (ONE + '[scores]\nmetrics = ["jacard"]\n', "field scores.metrics: 'jacard'.*Did you mean jaccard"),
        (ONE + '[output]\nreport = "x.md"\nreprot = "x.md"\n', "output.reprot: unknown. Did you mean report"),
        (ONE + '[output]\nreport = "x.pdf"\n', "output.report: 'x.pdf'; expected a name that ends in .json"),
        (ONE + 'context = "summary"\n', "made of samples of 'demo-aligned', which is no condition here"),
        (ONE + '[cross]\nmodels = "demo-base"\n', "field cross.models: 'demo-base'; expected a list"),
        ("prompts = 4\n" + ONE.replace(PROMPTS, ""), "prompts: 4; expected a table"),
    ],
)
def test_faults_name_the_field(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_an_imported_model_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be sampled"):
        read(tmp_path, ONE.replace("demo-base", "imported:old"))


def test_the_files_that_ship_are_sound() -> None:
    shipped = sorted(experiment_path("quick").parent.glob("*.toml"))
    assert [path.stem for path in shipped if read_experiment(path).name != path.stem] == []


def test_the_papers_study_plans_its_nine_conditions_and_the_headline_one() -> None:
    study = read_experiment(experiment_path("overton"))
    by_name = {condition.name: condition for condition in study.conditions}
    assert len(by_name) == 10
    headline = by_name["teacher examples, summary"].context
    assert headline.examples is not None
    assert (headline.examples.condition, headline.examples.hints) == ("teacher", True)
    assert headline.hint is not None
    assert headline.hint.condition == "teacher"
    made = example_hint(headline)
    assert made is not None
    assert (made.level, made.maker, made.template) == ("summary", headline.hint.maker, headline.hint.template)
    nearest = [c.context.examples for c in by_name.values() if c.context.examples and "nearest" in c.name]
    assert {examples.order for examples in nearest} == {"similar-first"}


def test_files_with_fields_of_other_names_and_values(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "q.csv").write_text("question,key\nWhy {{ x }}?,a\n")
    (tmp_path / "sub" / "values.csv").write_text("x,id\ntea,t\n")
    (tmp_path / "more.yaml").write_text("prompts:\n- Who?\n")
    files = '[prompts]\nfiles = ["sub/q.csv?field=question&id=key&values=values.csv", "more.yaml"]\n'
    experiment = read(tmp_path, files + '[[conditions]]\nmodel = "demo-base"\n')
    assert [(prompt.id[:5], prompt.text) for prompt in experiment.prompts] == [("a#t", "Why tea?"), ("more-", "Who?")]
    with pytest.raises(InputError, match=r"there is no prompt set|q\.csv, line 1: .*expected one called kee"):
        read(tmp_path, files.replace("id=key", "id=kee") + '[[conditions]]\nmodel = "demo-base"\n')
