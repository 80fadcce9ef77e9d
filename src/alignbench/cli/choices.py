"""Options that take one of a few words. A test holds each against what the core knows by it."""

from __future__ import annotations

from typing import Literal

AnswersFrom = Literal["logprob", "sample", "both"]
HintLevel = Literal["keywords", "topics", "outline", "sentence", "summary", "free"]
InvestigationName = Literal["diversity", "recovery", "pluralism", "all"]
JudgeKind = Literal[
    "quality", "stance", "new-information", "topics", "equivalence", "set-topics", "constraints", "option"
]
OptionOrders = Literal["all", "cyclic", "given"]
ReportFormat = Literal["table", "json", "csv", "md", "latex", "html"]
WordCounting = Literal["workbench", "paper"]
