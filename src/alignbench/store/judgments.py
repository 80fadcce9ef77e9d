"""What judges say of samples and of pairs of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from alignbench.errors import InputError
from alignbench.store.encoding import decode_json, decode_text, encode_json, encode_text, label, now
from alignbench.store.named import NamedMixin
from alignbench.store.rows import Judgment, JudgmentRow, JudgmentStatus

Item = tuple[int, int | None]  # judged sample, and in a pair the reference's sample


class JudgmentsMixin(NamedMixin):
    """Judgments of samples."""

    def add_judgments(self, session_id: int, judgments: Sequence[Judgment]) -> None:
        """Commit judgments of samples of a session, all or none.

        One that is there already for the same item, judge and template is replaced. InputError where a sample is not
        of this session.
        """
        created = now()
        with self._write():
            self._touch(session_id)
            for judgment in judgments:
                self._refuse_foreign(session_id, judgment)
                self._execute(
                    """
                    INSERT INTO judgments (session_id, kind, judge, template_hash, sample_id, reference_sample_id,
                        flipped, status, reason, fields, reply, created)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (kind, judge, template_hash, sample_id, coalesce(reference_sample_id, 0))
                    DO UPDATE SET flipped = excluded.flipped, status = excluded.status, reason = excluded.reason,
                        fields = excluded.fields, reply = excluded.reply, created = excluded.created
                    """,
                    session_id,
                    judgment.kind,
                    encode_text(judgment.judge),
                    judgment.template_hash,
                    judgment.sample_id,
                    judgment.reference_sample_id,
                    int(judgment.flipped),
                    judgment.status,
                    encode_text(judgment.reason),
                    encode_json(judgment.fields),
                    encode_text(judgment.reply),
                    created,
                )

    def judgments(self, session_id: int, *, kind: str | None = None, judge: str | None = None) -> Iterator[JudgmentRow]:
        """The judgments of a session, oldest first; of one kind or one judge where they are named."""
        hidden, hidden_prompts = self._unreadable_conditions(session_id), self._unreadable_prompts(session_id)
        last = 0
        while True:  # a page at a time, and no cursor stays open between rows
            rows = self._rows(
                """
                SELECT * FROM judgment_details WHERE session_id = ?1 AND id > ?2
                    AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR judge = ?4)
                ORDER BY id LIMIT 1000
                """,
                session_id,
                last,
                kind,
                None if judge is None else encode_text(judge),
            )
            if not rows:
                return
            for row in self._readable(rows, _judgment_row, lambda row: f"judgment {row['id']} of session {session_id}"):
                if not hidden & {row.condition, row.reference} and row.prompt_id not in hidden_prompts:
                    yield row
            last = rows[-1]["id"]

    def judged(self, session_id: int, kind: str, judge: str, template_hash: str) -> set[Item]:
        """The items that this judge has judged with this template."""
        rows = self._rows(
            """
            SELECT sample_id, reference_sample_id FROM judgments
            WHERE session_id = ? AND kind = ? AND judge = ? AND template_hash = ?
            """,
            session_id,
            kind,
            encode_text(judge),
            template_hash,
        )
        return {(row["sample_id"], row["reference_sample_id"]) for row in rows}

    def judgment_kinds(self, session_id: int) -> list[str]:
        """The kinds of judgments that a session has, in order of first use."""
        rows = self._rows("SELECT kind FROM judgments WHERE session_id = ? GROUP BY kind ORDER BY min(id)", session_id)
        return list(self._readable(rows, lambda row: decode_text(row["kind"]), lambda _: "a kind of judgment"))

    def judges(self, session_id: int, kind: str) -> list[str]:
        """Who has judged a session in this way: who has judged the most comes first, then who did so last."""
        rows = self._rows(
            """
            SELECT judge FROM judgments WHERE session_id = ? AND kind = ?
            GROUP BY judge ORDER BY count(*) DESC, max(id) DESC
            """,
            session_id,
            kind,
        )
        return list(self._readable(rows, lambda row: decode_text(row["judge"]), lambda _: "the name of a judge"))

    def _refuse_foreign(self, session_id: int, judgment: Judgment) -> None:
        for sample_id in (judgment.sample_id, judgment.reference_sample_id):
            if sample_id is not None and not self._row(
                "SELECT 1 FROM samples JOIN cells ON cells.id = samples.cell_id "
                "WHERE samples.id = ? AND cells.session_id = ?",
                sample_id,
                session_id,
            ):
                raise InputError(f"Session {session_id} in {self.path} has no sample {sample_id}.")


def _judgment_row(row: dict[str, Any]) -> JudgmentRow:
    if row["status"] not in get_args(JudgmentStatus):
        raise ValueError(f"status is {row['status']!r}")
    return JudgmentRow(
        id=row["id"],
        session=row["session_id"],
        prompt_id=decode_text(row["prompt_name"]),
        condition=decode_text(row["condition"]),
        sample=row["sample"],
        reference=None if row["reference"] is None else decode_text(row["reference"]),
        reference_sample=row["reference_sample"],
        judgment=Judgment(
            kind=decode_text(row["kind"]),
            judge=decode_text(row["judge"]),
            template_hash=decode_text(row["template_hash"]),
            sample_id=row["sample_id"],
            reference_sample_id=row["reference_sample_id"],
            status=row["status"],
            fields=decode_json(row["fields"]),
            reason=label(row["reason"]),
            reply=label(row["reply"]),
            flipped=bool(row["flipped"]),
        ),
        created=label(row["created"]),
    )
