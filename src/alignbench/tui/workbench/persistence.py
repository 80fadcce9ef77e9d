"""A Bench as a session in the database, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from alignbench.errors import AlignbenchError, InputError
from alignbench.experiments.versions import kept_columns, rebuilt, written_condition
from alignbench.spec import DEFAULT_SAMPLES, Condition, ExampleSet, Prompt
from alignbench.tui.workbench.cell import BenchCell, BenchSample
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.prompt_history import typed_before
from alignbench.tui.workbench.state import NO_PROMPT, THIS_SESSION, TYPED_BEFORE, Bench

if TYPE_CHECKING:
    from alignbench.store import SampleRow, Store

LAYOUT_VERSION = 2


def layout(bench: Bench) -> dict[str, object]:
    """What the app shows, as JSON: columns with all their parameters, the prompt and its set."""
    return {
        "version": LAYOUT_VERSION,
        "columns": [
            {
                "n": column.n,
                "condition": written_condition(column.condition),
                "versions": [written_condition(condition) for condition in column.versions],
            }
            for column in bench.columns
        ],
        "selected": bench.selected,
        "prompt": asdict(bench.prompt),
        "prompt_set": bench.prompt_set,
        "typed": [asdict(prompt) for prompt in bench.typed],
    }


def pools(bench: Bench) -> list[ExampleSet]:
    """The example sets of all versions on the Bench; a layout names them by their hashes."""
    contexts = [condition.context for column in bench.columns for condition in column.history]
    named = [context.examples.pool for context in contexts if context.examples is not None]
    return list({pool.hash: pool for pool in named if pool.items}.values())


def create(store: Store, bench: Bench) -> int:
    """A session for this bench."""
    session = store.create_session(reference=bench.reference)
    save(store, session, layout(bench), bench.reference, pools(bench))
    return session


def save(
    store: Store, session: int, view: Mapping[str, object], reference: str | None, sets: Sequence[ExampleSet]
) -> None:
    """Keep what the app shows, and the example sets that it names.

    Args:
        store: The database.
        session: Its number.
        view: As `layout` gives it.
        reference: Name of the column that the others are compared with.
        sets: As `pools` gives them.
    """
    known = {info.hash for info in store.example_sets()} if sets else set()
    for pool in sets:
        if pool.hash not in known:
            store.keep_example_set(replace(pool, name=""))  # its name may belong to another set of the database
    store.set_layout(session, view)
    store.set_reference(session, reference)


def restore(store: Store, session: int) -> tuple[Bench, list[SampleRow]]:
    """A session as it was left, and its samples. A session of the command line gets a column per condition."""
    from alignbench.models.stored_models import as_known

    info = store.session(session)
    conditions = {
        condition.name: replace(condition, model=as_known(condition.model)) for condition in store.conditions(session)
    }
    prompts = store.prompts(session)
    view = store.layout(session)
    bench = Bench(session=session, name=info.name, used=dict(conditions), asked=prompts)
    if not (view and _show_as_left(bench, view, store)):
        asked: dict[str, int] = {}
        for each in store.cells(session):
            if each.n:  # it is 0 where log-probs of options were read and nothing was drawn
                asked[each.condition] = max(each.n, asked.get(each.condition, 0))
        n = asked.get(info.reference or "", DEFAULT_SAMPLES)  # of a condition that was never asked for a sample
        bench.columns = [Column(condition, asked.get(name, n)) for name, condition in conditions.items()]
        bench.prompt = prompts[0] if prompts else NO_PROMPT
        bench.prompts, bench.prompt_set = bench.asked, THIS_SESSION
    for column in bench.columns:
        for condition in column.history:
            bench.used.setdefault(condition.name, condition)
    names = [column.name for column in bench.columns]
    bench.reference = info.reference if info.reference in names else (names[0] if names else None)
    keys = {prompt.id: prompt.key for prompt in prompts}
    rows = list(store.samples(session))
    for row in rows:
        key = (keys[row.prompt_id], conditions[row.condition].hash)
        cell = bench.cells.setdefault(key, BenchCell())
        cell.id = row.cell_id
        cell.put(BenchSample.stored(row))
    return bench, rows


def _show_as_left(bench: Bench, view: Mapping[str, Any], store: Store) -> bool:
    """Show what was shown when the session was left; whether that can be read."""
    try:
        columns = [Column(*kept) for kept in kept_columns(view, store, bench.used.values())]
        selected, shown, prompt_set = int(view["selected"]), rebuilt(Prompt, view["prompt"]), str(view["prompt_set"])
        typed = [rebuilt(Prompt, prompt) for prompt in view.get("typed", ())]
        same = [prompt for prompt in bench.asked if prompt.hash == shown.hash]
    except (AttributeError, InputError, LookupError, TypeError, ValueError) as error:
        store.leave_out(f"how session {bench.session} was left", error)
        return False
    bench.columns, bench.prompt_set, bench.typed = columns, prompt_set, typed
    # Older versions kept the samples of a text under the id that it had first.
    bench.prompt = next((prompt for prompt in same if prompt.id == shown.id), next(iter(same), shown))
    bench.selected = max(0, min(selected, len(columns) - 1))
    bench.prompts = _prompt_set(prompt_set) or bench.own_prompts
    return True


def _prompt_set(name: str) -> Sequence[Prompt]:
    """The prompts of a set, or none where the set is not there any more, or is a hub's: nobody has to wait for one."""
    from alignbench.prompts import load_prompts, prompt_source

    try:
        if name == TYPED_BEFORE:
            return typed_before()
        return load_prompts(name) if name not in ("", THIS_SESSION) and prompt_source(name).is_local else ()
    except AlignbenchError:
        return ()


def free_names(store: Store, session: int, conditions: Sequence[Condition]) -> None:
    """Forget conditions without samples that stand in the way: under a wanted name, or under an old one."""
    wanted = {condition.name: condition.hash for condition in conditions}
    for stored in store.conditions(session):
        taken = stored.name in wanted and wanted[stored.name] != stored.hash
        renamed = stored.hash in wanted.values() and wanted.get(stored.name) != stored.hash
        if taken or renamed:
            store.drop_condition_if_empty(session, stored.name)
