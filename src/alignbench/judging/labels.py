"""What a person says of pairs of samples, without knowing where they come from."""

from __future__ import annotations

import getpass
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from alignbench.errors import InputError, did_you_mean
from alignbench.judging.plan import JudgeItem, pair_reference, pairs
from alignbench.spec import content_hash
from alignbench.store import Judgment, Store

HUMAN = "human"  # the judge where no name is known
PREFERENCE, TAG = "preference", "tag"  # kinds of judgments
LABELS = (PREFERENCE, TAG)
PREFERRED = ("a", "b", "same")  # the reference's sample, the other one, neither
MOST_TAGS = 9  # a key each


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """Pairs to label, in the order in which they are shown.

    Attributes:
        tags: of which a pair gets one; none where it is asked which sample is better
        items: what this person has not labelled of n pairs
        labeller: who labels; the judge of the judgments
    """

    session: int
    reference: str
    tags: tuple[str, ...]
    items: tuple[JudgeItem, ...]
    n: int
    labeller: str = HUMAN

    @property
    def kind(self) -> str:
        return TAG if self.tags else PREFERENCE

    @property
    def choices(self) -> tuple[str, ...]:
        """What each key says, from 1 on."""
        return self.tags or ("the first is better", "the second is better", "no difference")

    def label(self, item: JudgeItem, choice: int) -> Judgment:
        """The judgment that a choice of `choices`, by its place, comes to."""
        if self.tags:
            fields = {"tag": self.tags[choice]}
        else:
            preferred = ("b", "a", "same") if item.flipped else PREFERRED
            fields = {"preferred": preferred[choice]}
        return Judgment(
            kind=self.kind,
            judge=self.labeller,
            template_hash=_template(self.tags),
            sample_id=item.sample_id,
            reference_sample_id=item.reference_sample_id,
            status="valid",
            fields=fields,
            flipped=item.flipped,
        )


def user_name() -> str:
    """Who labels where nobody is named: the user that is logged in."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return HUMAN


def plan_labels(
    store: Store,
    session: int,
    *,
    reference: str | None = None,
    conditions: Collection[str] = (),
    tags: Sequence[str] = (),
    seed: int = 0,
    labeller: str = HUMAN,
) -> LabelPlan:
    """The pairs of a session that a person has not labelled, shuffled by seed: their order gives no condition away.

    A pair is sample i of a condition and sample i of the reference, to the same prompt; half of them, by seed, are
    shown the other way round. InputError where there is nothing to compare, or a tag or a condition cannot be.

    Args:
        reference: the session's own without one
        conditions: only these, all where none is named
        labeller: who labels; what others have labelled is asked again
    """
    labeller = labeller.strip()
    if not labeller:
        raise InputError("--as is empty; expected the name of who labels.")
    wanted = _tags(tags)
    own = store.session(session).reference
    against = pair_reference(store, session, reference or own)
    known = [condition.name for condition in store.conditions(session) if condition.name != against]
    for name in conditions:
        if name not in known:
            near = did_you_mean(name, known)
            raise InputError(
                f"--condition: session {session} has none named {name!r} beside {against}. {near}".rstrip()
            )
    items = [item for item in pairs(store, session, against, seed) if not conditions or item.condition in conditions]
    if not items:
        raise InputError(f"Session {session} has no sample to compare with one of {against}.")
    items.sort(key=lambda item: content_hash([seed, item.prompt_id, item.condition, item.sample]))
    done = store.judged(session, TAG if wanted else PREFERENCE, labeller, _template(wanted))
    missing = tuple(item for item in items if (item.sample_id, item.reference_sample_id) not in done)
    return LabelPlan(session, against, wanted, missing, len(items), labeller)


def _template(tags: Sequence[str]) -> str:
    """Other tags are another question, and their answers other judgments."""
    return content_hash([TAG, *tags] if tags else [PREFERENCE, *PREFERRED])


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(tag.strip() for tag in tags)
    if wanted and not 2 <= len({*wanted} - {""}) == len(wanted) <= MOST_TAGS:
        raise InputError(f"--tags {','.join(tags)!r}: expected 2 to {MOST_TAGS} different ones, with commas between.")
    return wanted
