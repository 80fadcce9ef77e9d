"""The examples at the end of each command's help. A test holds every one against the command's options."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "sample": (
        "alignbench sample --prompt 'Why is the sky blue?' --model demo-base --model demo-aligned",
        "alignbench sample --prompts open-ended --limit 4 --condition few=demo-base,context=fixed-3 -n 10 --json",
    ),
    "run": (
        "alignbench run study.toml --dry-run",
        "alignbench run study.toml --detach",
    ),
    "attach": ("alignbench attach 3",),
    "rerun": ("alignbench rerun 3 --check",),
    "survey": (
        "alignbench survey survey --model demo-base --model demo-aligned --limit 3",
        "alignbench survey questions.jsonl --model demo-aligned --by sample -n 24 --json",
    ),
    "score": (
        "alignbench score 3 --metrics jaccard,embedding_diversity",
        "alignbench score --file responses.jsonl --reference aligned --csv",
    ),
    "report": (
        "alignbench report 3 --investigation diversity",
        "alignbench report 3 --investigation all -o report.html --figures figures",
    ),
    "judge": ("alignbench judge 3 --kind quality --model demo-aligned",),
    "label": ("alignbench label 3 --tags better,worse",),
    "likelihood": ("alignbench likelihood --model demo-base --prompt 'Why?' --response 'Because it is.'",),
    "bits": ("alignbench bits texts.jsonl --model demo-base --model demo-aligned",),
    "audit": (
        "alignbench audit 3",
        "alignbench audit 3 --condition few --reference demo-aligned --json",
    ),
    "ledger": (
        "alignbench ledger --prompts open-ended --limit 4 --teacher demo-aligned --model demo-base",
        "alignbench ledger 3 --teacher demo-aligned --model demo-base --contexts fixed-3,summary --json",
    ),
    "plan": ("alignbench plan 3 --effect .05 --metrics jaccard",),
    "calibrate": (
        "alignbench calibrate --repetitions 100",
        "alignbench calibrate 3 --condition demo-base -n 2 --prompts 20 --json",
    ),
    "metrics": ("alignbench metrics --json",),
    "render": (
        "alignbench render --prompt 'Why?' --context fixed-3",
        "alignbench render --prompt 'Why?' --model demo-aligned --ids",
    ),
    "examples list": ("alignbench examples list",),
    "examples show": ("alignbench examples show urial",),
    "examples build": ("alignbench examples build 3 --condition demo-aligned --name taught",),
    "examples import": ("alignbench examples import examples.jsonl --name mine",),
    "examples select": ("alignbench examples select urial --prompt 'Why?' --select nearest-prompt -k 3",),
    "hints make": ("alignbench hints make 3 --condition demo-aligned --level keywords",),
    "hints list": ("alignbench hints list 3",),
    "sessions list": (
        "alignbench sessions list",
        "alignbench sessions list demo-base '#keep' --json",
    ),
    "sessions show": ("alignbench sessions show 3",),
    "sessions search": ("alignbench sessions search '\"the sky\" blue' --limit 5",),
    "sessions rename": ("alignbench sessions rename 3 'few examples'",),
    "sessions note": ("alignbench sessions note 3 'temperature was too low'",),
    "sessions tag": ("alignbench sessions tag 3 keep",),
    "sessions untag": ("alignbench sessions untag 3 keep",),
    "sessions merge": ("alignbench sessions merge 3 4 --name together",),
    "sessions compare": ("alignbench sessions compare 3 4",),
    "sessions backup": ("alignbench sessions backup copy.db",),
    "sessions delete": ("alignbench sessions delete 3",),
    "versions": (
        "alignbench versions 3",
        "alignbench versions 3 --compare demo-base --compare 'demo-base 2'",
    ),
    "prompts list": ("alignbench prompts list",),
    "prompts show": ("alignbench prompts show open-ended --limit 3 --json",),
    "import overton": ("alignbench import overton data",),
    "import jsonl": ("alignbench import jsonl responses.jsonl",),
    "import csv": ("alignbench import csv responses.csv",),
    "export jsonl": ("alignbench export jsonl 3 --condition demo-base -o samples.jsonl",),
    "export csv": ("alignbench export csv 3 -o samples.csv",),
    "export overton": ("alignbench export overton 3 out",),
    "models list": ("alignbench models list",),
    "models check": (
        "alignbench models check demo-base",
        "alignbench models check openai:http://127.0.0.1:8080/v1#model",
    ),
    "models template": ("alignbench models template demo-aligned > chat.jinja",),
    "doctor": ("alignbench doctor",),
    "tui": (
        "alignbench tui",
        "alignbench tui 3",
    ),
}
