"""`alignbench survey` on servers whose distribution of answers is planted."""

from __future__ import annotations

import json
import math
import re
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alignbench as library
from alignbench import paths
from alignbench.metrics.answer_distributions import sampling_floor, total_variation
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.server import MODEL, Reply, ScriptedServer, as_json, response
from tests.support.waiting import LIMIT

PLANTED = {"Bus": 0.7, "Tram": 0.2, "Neither": 0.1}
ANSWER = "# Answer:\n```\n"  # where the plain layout ends
QUESTIONS = [
    {"id": "city", "prompt": "What suits a city?", "options": [*PLANTED], "groups": {"town": [0.7, 0.2, 0.1]}},
    {
        "id": "coast",
        "prompt": "What suits a coast?",
        "options": [{"text": name, "value": i} for i, name in enumerate(PLANTED)],
        "groups": {"town": {"shares": [0.2, 0.3, 0.5], "n": 50}, "coast": [0, 0, 1]},
    },
]
KEYS = {
    "prompt_id", "condition", "by", "options", "p", "outside", "refusals", "unparsed", "n", "entropy",
    "order_consistency", "groups",
}  # fmt: skip


class Voter(ScriptedServer):
    """Answers Bus with .7, Tram with .2 and Neither with .1, whatever letters they have; with a persona that loves
    the sea, Neither alone. It echoes texts with log-probs where `echoes`, each answer as one token: .8 by its letter,
    .1 by its text, the rest on nothing that is an option."""

    echoes = False
    lists: str = ""  # letters whose log-probs it gives as first tokens
    n_first = 0
    met: threading.Barrier | None = None  # where requests for first tokens wait for as many others
    n_echoed = n_judged = 0

    def __init__(self) -> None:
        super().__init__()
        self.times_asked: Counter[str] = Counter()
        self.first_asked: list[str] = []

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if body.get("echo"):
            return self._echo(body["prompt"]) if self.echoes else super().answer(path, body)
        if not body.get("stream"):
            return self._first(body) if self.lists and body["max_tokens"] == 1 else super().answer(path, body)
        chat = path.endswith("/chat/completions")
        asked = "\n".join(each["content"] for each in body["messages"]) if chat else body["prompt"]
        if "You sort replies" in asked:
            return self._judge(asked, chat)
        letters = {text: letter for letter, text in re.findall(r"^([A-C])\. (\w+)$", asked, re.MULTILINE)}
        with self._lock:  # seeds go by the port too, which no two runs have the same
            self.requests.append(body)
            self.times_asked[asked] += 1
            rng = np.random.default_rng([self.times_asked[asked], zlib.crc32(asked.encode())])
        chosen = "Neither" if "loves the sea" in asked else str(rng.choice([*PLANTED], p=[*PLANTED.values()]))
        said = str(
            rng.choice([letters[chosen], f"{letters[chosen]}. {chosen}", f"{chosen}!", f"I choose {letters[chosen]}."])
        )
        if "coast" in asked and rng.random() < 0.2:
            said = str(rng.choice(["I'm sorry, but I cannot choose.", "Who can tell?"]))
        return Reply(pieces=response(said, chat=chat))

    def _first(self, body: dict[str, Any]) -> Reply:
        """.9 by a letter, a fifth of that with a space before it; the rest on words."""
        if self.met is not None:
            self.met.wait(LIMIT)
        self.n_first += 1
        self.first_asked.append("\n".join(each["content"] for each in body["messages"]))
        assert (body["temperature"], body["top_logprobs"]) == (1.0, 20)
        asked = body["messages"][-1]["content"]
        letters = dict(re.findall(r"^([A-C])\. (\w+)$", asked, re.MULTILINE))
        top = {"I": 0.06, "a": 0.04}
        for letter in self.lists:
            chance = 0.9 * PLANTED[letters[letter]]
            top |= {letter: 0.8 * chance, f" {letter}": 0.2 * chance}
        listed = [{"token": token, "logprob": math.log(chance)} for token, chance in top.items()]
        content = [{**listed[2], "top_logprobs": listed}]
        said = {"role": "assistant", "content": listed[2]["token"]}
        return as_json(
            {"choices": [{"index": 0, "message": said, "finish_reason": "length", "logprobs": {"content": content}}]}
        )

    def _judge(self, asked: str, chat: bool) -> Reply:
        """Who can tell, finds Neither."""
        self.n_judged += 1
        letters = {text: letter for letter, text in re.findall(r"^([A-C])\. (\w+)$", asked, re.MULTILINE)}
        said = asked.partition("<reply>")[2].partition("</reply>")[0].strip()
        choice = letters["Neither"] if said == "Who can tell?" else "none"
        return Reply(pieces=response(json.dumps({"rationale": "so", "choice": choice}), chat=chat))

    def _echo(self, prompt: str) -> Reply:
        self.n_echoed += 1
        head, _, said = prompt.rpartition(ANSWER)
        letters = dict(re.findall(r"^([A-C])\. (\w+)$", head, re.MULTILINE))
        chance = 0.8 * PLANTED[letters[said]] if said in letters else 0.1 * PLANTED.get(said, 1.0)
        pieces = [head + ANSWER, *([said] if said else [])]
        chances = [None, math.log(chance)][: len(pieces)]
        tops = [None, {said: math.log(chance)}][: len(pieces)]
        logprobs = {"tokens": pieces, "token_logprobs": chances, "top_logprobs": tops}
        return as_json({"choices": [{"index": 0, "text": prompt, "finish_reason": "length", "logprobs": logprobs}]})


@pytest.fixture
def server() -> Iterator[Voter]:
    server = Voter()
    yield server
    server.close()


@pytest.fixture
def questions(tmp_path: Path) -> str:
    path = tmp_path / "transport.jsonl"
    path.write_text("\n".join(map(json.dumps, QUESTIONS)), "utf-8")
    return str(path)


def lines(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_a_planted_distribution_is_recovered_within_its_floor(server: Voter, questions: str, tmp_path: Path) -> None:
    ask = ("survey", questions, "--condition", f"voter=openai:{server.url}#{MODEL}", "--by", "sample", "--json",
           "--db", str(tmp_path / "a.db"))  # fmt: skip
    ran = alignbench(*ask, "-n", "48")
    assert ran.returncode == 0, ran.stderr
    city, coast = lines(ran.stdout)
    assert city.keys() >= KEYS
    assert (city["prompt_id"], city["condition"], city["by"], city["options"]) == (
        "city",
        "voter",
        "sample",
        [*PLANTED],
    )
    assert (city["n"], city["refusals"], city["unparsed"], city["outside"]) == (48, 0, 0, None)
    floor = sampling_floor([*PLANTED.values()], 48)
    assert total_variation(city["p"], [*PLANTED.values()]) < 1.5 * floor
    assert city["groups"]["town"]["tv"] < 1.5 * floor
    assert city["groups"]["town"]["floor"] == pytest.approx(floor)
    assert city["groups"]["town"]["w1"] is None
    assert abs(city["order_consistency"] - city["expected_consistency"]) < 0.15
    assert coast["n"] == 48
    assert coast["refusals"] > 0
    assert coast["unparsed"] > 0
    assert coast["groups"]["coast"]["w1"] == pytest.approx(2.0 - np.dot(coast["p"], [0, 1, 2]))
    n = len(server.requests)
    assert n == 96
    again = alignbench(*ask, "-n", "48")  # nothing is missing, and nothing is asked
    assert (again.stdout, len(server.requests)) == (ran.stdout, n)
    assert "nothing is missing" in again.stderr
    with Store.read(tmp_path / "a.db") as store:
        assert len(store.sessions()) == 1
        prompts = store.prompts(1)
    assert len(prompts) == 12
    assert {prompt.answers.question for prompt in prompts if prompt.answers} == {"city", "coast"}


def test_a_judge_tells_the_replies_that_letters_and_texts_do_not(server: Voter, questions: str, tmp_path: Path) -> None:
    judge = f"openai:{server.url}#{MODEL}"
    ask = ("survey", questions, "--condition", f"voter={judge}", "--by", "sample", "-n", "30", "--json",
           "--db", str(tmp_path / "a.db"))  # fmt: skip
    plain = lines(alignbench(*ask).stdout)[1]
    assert plain["judged"] == 0
    assert plain["unparsed"] > 0
    ran = alignbench(*ask, "--judge", judge)
    assert ran.returncode == 0, ran.stderr
    city, coast = lines(ran.stdout)
    assert (city["judged"], city["unparsed"], coast["judged"], coast["unparsed"]) == (0, 0, plain["unparsed"], 0)
    assert (coast["refusals"], coast["n"]) == (plain["refusals"], 30)
    told = 30 - plain["refusals"]
    assert coast["p"][2] * told == pytest.approx(plain["p"][2] * (told - coast["judged"]) + coast["judged"])
    assert server.n_judged == coast["judged"]
    shown = alignbench(*(each for each in ask if each != "--json"), "--judge", judge)
    assert server.n_judged == coast["judged"], "what is judged is not judged again"
    assert "by a judge" in shown.stdout
    kept = alignbench("judge", "1", "--kind", "option", "--model", judge, "--json", "--db", str(tmp_path / "a.db"))
    assert json.loads(kept.stdout)["meta"]["counts"]["valid"] == coast["judged"]
    assert server.n_judged == coast["judged"]
    report = alignbench("report", "1", "--format", "json", "--metrics", "words", "--db", str(tmp_path / "a.db"))
    assert json.loads(report.stdout)["survey"]["answers"] == [city, coast]


def test_a_chat_server_is_read_by_the_first_token_and_both_ways_stand_beside_each_other(
    server: Voter, questions: str, tmp_path: Path
) -> None:
    server.lists = "ABC"
    ask = ("survey", questions, "--condition", f"voter=openai:{server.url}#{MODEL}", "--json",
           "--db", str(tmp_path / "a.db"))  # fmt: skip
    ran = alignbench(*ask)
    assert ran.returncode == 0, ran.stderr
    assert "voter: its server scores no given text; read by the letter as first token" in ran.stderr
    for row in lines(ran.stdout):
        assert row["by"] == "first_token"
        assert row["p"] == pytest.approx([*PLANTED.values()])
        assert row["outside"] == pytest.approx(0.1)
        assert row["order_consistency"] == row["expected_consistency"] == pytest.approx(1.0)
        assert (row["n"], row["judged"]) == (None, None)
    assert not server.requests
    assert server.n_first == 12, "one request for each order of each question"
    summary = tmp_path / "summary.json"
    both = alignbench(*ask, "--by", "both", "-n", "6", "--summary", str(summary))
    assert [(row["prompt_id"], row["by"]) for row in lines(both.stdout)] == [
        (id, way) for id in ("city", "coast") for way in ("first_token", "sample")
    ]
    (ways,) = json.loads(summary.read_text("utf-8"))["ways"]
    assert (ways["by"], ways["other"]) == ("first_token", "sample")
    assert len([*library.open(tmp_path / "a.db").session(1).survey()["by"]]) == 4
    assert sum(body["messages"][-1]["content"].startswith("What suits") for body in server.requests) == 12


def test_a_chat_server_gets_all_orders_of_a_question_at_once(server: Voter, questions: str, tmp_path: Path) -> None:
    server.lists, server.met = "ABC", threading.Barrier(6)
    ran = alignbench("survey", questions, "--condition", f"voter=openai:{server.url}#{MODEL}", "--json",
                     "--db", str(tmp_path / "a.db"))  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert {row["by"] for row in lines(ran.stdout)} == {"first_token"}
    assert server.n_first == 12


def test_a_letter_that_the_server_does_not_list_has_replies_drawn(
    server: Voter, questions: str, tmp_path: Path
) -> None:
    server.lists = "AC"
    ran = alignbench("survey", questions, "--condition", f"voter=openai:{server.url}#{MODEL}", "-n", "6", "--json",
                     "--db", str(tmp_path / "a.db"))  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert (
        "voter: no log-probs of its options (its server renders chats itself, and of the first token: the letter B is "
        "not among the 6 likeliest first tokens); replies are drawn in their place"
    ) in ran.stderr
    assert {row["by"] for row in lines(ran.stdout)} == {"sample"}
    assert {row["n"] for row in lines(ran.stdout)} == {6}


def test_a_server_without_log_probs_is_asked_for_replies_and_that_is_said(
    server: Voter, questions: str, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.json"
    persona = tmp_path / "coast.txt"
    persona.write_text("You are somebody who loves the sea.", "utf-8")
    ran = alignbench(
        "survey", questions, "--condition", f"voter=openai:{server.url}#{MODEL}", "--by", "logprob", "-n", "6",
        "--orders", "given", "--persona", str(persona), "--summary", str(summary), "--json",
        "--db", str(tmp_path / "a.db"),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "voter: no log-probs of its options (its server renders chats itself" in ran.stderr
    rows = lines(ran.stdout)
    assert [(row["prompt_id"], row["condition"], row["by"]) for row in rows] == [
        (id, name, "sample") for id in ("city", "coast") for name in ("voter", "voter as coast")
    ]
    assert {row["order_consistency"] for row in rows} == {None}  # of one order
    told = json.loads(summary.read_text("utf-8"))
    steering = {row["group"]: row for row in told["steering"]}
    assert (steering["coast"]["persona"], steering["coast"]["named"], steering["town"]["named"]) == (
        "coast",
        True,
        False,
    )
    assert steering["coast"]["difference"] < 0 < steering["town"]["difference"]
    assert [(row["condition"], row["other"]) for row in told["between"]] == [("voter", "voter as coast")]


def test_log_probs_of_an_echoing_server_are_exact(server: Voter, questions: str, tmp_path: Path) -> None:
    server.echoes = True
    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text(f'[models.echo]\nreference = "openai:{server.url}#{MODEL}"\nkind = "base"\n')
    ran = alignbench("survey", questions, "--model", "echo", "--json", "--db", str(tmp_path / "a.db"))
    assert ran.returncode == 0, ran.stderr
    for row in lines(ran.stdout):
        assert row.keys() >= KEYS
        assert row["by"] == "logprob"
        assert row["p"] == pytest.approx([*PLANTED.values()])
        assert row["outside"] == pytest.approx(0.1)
        assert row["order_consistency"] == pytest.approx(1.0)
        assert (row["n"], row["refusals"], row["unparsed"]) == (None, None, None)
    assert not server.requests
    n = server.n_echoed
    shown = alignbench("survey", questions, "--model", "echo", "--db", str(tmp_path / "a.db"))
    assert server.n_echoed == n  # nothing is read anew
    assert "Bus 0.70, Tram 0.20, Neither 0.10" in shown.stdout
    assert "Distance to people" in shown.stdout
    server.close()  # the session has it all
    reported = alignbench("report", "1", "--format", "json", "--db", str(tmp_path / "a.db"))
    assert reported.returncode == 0, reported.stderr
    assert [{**row} for row in json.loads(reported.stdout)["survey"]["answers"]] == lines(ran.stdout)
    kept = json.loads(alignbench("sessions", "show", "1", "--json", "--db", str(tmp_path / "a.db")).stdout)
    assert len(kept["option_masses"]) == 12
    assert sum(kept["option_masses"][0]["masses"]) == pytest.approx(0.9)
    frame = library.open(tmp_path / "a.db").session(1).survey()
    assert [*frame["by"]] == ["logprob", "logprob"]


def test_a_language_is_a_condition_and_a_question_in_it_a_paraphrase(server: Voter, tmp_path: Path) -> None:
    server.lists = "ABC"
    german = {**QUESTIONS[0], "id": "stadt", "prompt": "Was passt zu einer Stadt?", "paraphrase_of": "city"}
    path, persona = tmp_path / "both.jsonl", tmp_path / "german.txt"
    path.write_text("\n".join(map(json.dumps, [QUESTIONS[0], german])), "utf-8")
    persona.write_text("Antworte auf Deutsch.", "utf-8")
    summary, db = tmp_path / "summary.json", str(tmp_path / "a.db")
    voter = f"voter=openai:{server.url}#{MODEL}"
    ask = ("survey", str(path), "--condition", voter, "--persona", str(persona), "--db", db)
    ran = alignbench(*ask, "--summary", str(summary), "--json")
    assert ran.returncode == 0, ran.stderr
    rows = {(row["prompt_id"], row["condition"]): row for row in lines(ran.stdout)}
    assert [*rows] == [(id, name) for id in ("city", "stadt") for name in ("voter", "voter as german")]
    assert {row["paraphrase_of"] for row in rows.values()} == {None, "city"}
    assert rows["city", "voter"]["paraphrase_consistency"] == pytest.approx(1.0)
    assert rows["stadt", "voter"]["paraphrase_consistency"] is None
    for row in json.loads(summary.read_text("utf-8"))["answering"]:
        assert row["paraphrase_consistency"]["value"] == pytest.approx(1.0)
        assert row["expected_paraphrase_consistency"]["value"] == 1.0
        assert row["entropy"]["n"] == 1, "two wordings are one question"
    report = alignbench("report", "1", "--format", "json", "--db", db)
    assert json.loads(report.stdout)["survey"]["answers"] == lines(ran.stdout)
    assert "paraphrase consistency" in alignbench(*ask).stdout
    assert any("Antworte auf Deutsch." in text and "Was passt" in text for text in server.first_asked)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.jsonl", "--model", "demo-base"], "There is no prompt set or file 'nowhere.jsonl'."),
        (["contested", "--model", "demo-base"], 'has no field "options"; expected survey questions'),
        (["survey"], "No --model given."),
        (["survey", "--model", "demo-base", "--persona", "nobody.txt"], "There is no file nobody.txt."),
        (["survey", "--model", "demo-base", "--model", "demo-base"], "Two conditions would be called 'demo-base'"),
    ],
)
def test_bad_input_is_one_message(arguments: list[str], says: str, tmp_path: Path) -> None:
    ran = alignbench("survey", *arguments, "--db", str(tmp_path / "a.db"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
