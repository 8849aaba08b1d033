"""What differs between two canonical forms, field by field, with no secret in it.

First the two trees are settled: what must not or can't be compared is made equal, secrets become
tokens. Then equality is decided by our own typed walk, and deepdiff explains what is unequal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from deepdiff import DeepDiff

from reconciler.core import redact
from reconciler.core.connector import escape
from reconciler.core.model import KEEP, UNSET, Json, Secret, Unset, is_mask
from reconciler.core.normalize import canonical_json, stream_label

_NOTHING: Final = object()
_OTHER: Final = "(another secret)"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`pointer` is a JSON pointer; a stream stands in it as `streams[ns.name]`. UNSET: not there.

    Values are already fit to be shown; `secret` says that at least one was hidden.
    `why` is who changed it: git | live | both | unknown (no record).
    """

    pointer: str
    before: Json | Unset
    after: Json | Unset
    secret: bool = False
    stream: str = ""
    why: str = "unknown"


@dataclass(slots=True)
class Settling:
    """What settling two trees learned; filled while it walks. `hidden`: values that git calls secret,
    which live may show in other places.

    `uncompared` are pointers of secrets whose live value the server hides; `lost` of masked live
    values that git no longer has; `broken_keeps` of `${keep}` where no mask is live.
    """

    ignored: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    is_default: Callable[[str, Json], bool] = lambda _pointer, _value: False
    uncompared: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    broken_keeps: list[str] = field(default_factory=list)


def settle(desired: Json, live: Json, notes: Settling, pointer: str = "") -> tuple[Json, Json]:
    """(before, after): plain trees whose inequality is exactly what would change."""
    if pointer in notes.ignored:
        return (redact.tokens(live), redact.tokens(live))
    if isinstance(desired, Secret) and (isinstance(live, Mapping) or _is_list(live)):
        desired = redact.spread(desired)
    if _is_secret(desired) or isinstance(live, Secret) or is_mask(live):
        return _settle_secret(desired, live, notes, pointer)
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        return _settle_mapping(desired, live, notes, pointer)
    if _is_list(desired) and _is_list(live) and len(desired) == len(live):
        pairs = [
            settle(d, v, notes, f"{pointer}/{i}")
            for i, (d, v) in enumerate(zip(desired, live, strict=True))
        ]
        return [before for before, _ in pairs], [after for _, after in pairs]
    if json_equal(desired, live):
        return live, live
    return _settle_whole(desired, live, notes, pointer)


def _settle_mapping(
    desired: Mapping[str, Json], live: Mapping[str, Json], notes: Settling, pointer: str
) -> tuple[Json, Json]:
    before: dict[str, Json] = {}
    after: dict[str, Json] = {}
    for key in sorted({*desired, *live}):
        at = f"{pointer}/{escape(key)}"
        ours, theirs = desired.get(key, _NOTHING), live.get(key, _NOTHING)
        if ours is _NOTHING and (_is_servers_own(theirs) or notes.is_default(at, theirs)):
            continue
        was, becomes = settle(ours, theirs, notes, at)
        if was is not _NOTHING:
            before[key] = was
        if becomes is not _NOTHING:
            after[key] = becomes
    return before, after


def _settle_secret(desired: Json, live: Json, notes: Settling, pointer: str) -> tuple[Json, Json]:
    """A secret on one side at least. Unknown is no change; a visible difference is one, unseen."""
    if desired is KEEP:
        return _settle_keep(live, notes, pointer)
    if desired is _NOTHING:
        notes.lost += [pointer] if is_mask(live) else []
        return redact.token(redact.HIDDEN), _NOTHING
    if isinstance(desired, Mapping) or _is_list(desired):
        return _settle_whole(desired, live, notes, pointer)
    label = redact.token(desired.label if isinstance(desired, Secret) else redact.HIDDEN)
    if live is _NOTHING:
        return _NOTHING, label
    ours = redact.reveal(desired)
    if is_mask(live) or ours is UNSET:
        notes.uncompared[pointer] = redact.shown(label)
        return label, label
    return (label if json_equal(ours, redact.reveal(live)) else _other_than(label)), label


def _other_than(label: str) -> str:
    """A stand-in for a visible value that is not the one `label` stands for."""
    hidden = redact.token(redact.HIDDEN)
    return hidden if hidden != label else redact.token(_OTHER)


def _settle_keep(live: Json, notes: Settling, pointer: str) -> tuple[Json, Json]:
    if live is _NOTHING or not is_mask(live) or _is_servers_own(live):
        notes.broken_keeps.append(pointer)
    else:
        notes.uncompared[pointer] = KEEP.value
    return redact.token(KEEP.value), redact.token(KEEP.value)


def _settle_whole(desired: Json, live: Json, notes: Settling, pointer: str) -> tuple[Json, Json]:
    """A value that is replaced as a whole; a keep in it needs a mask at just its place."""
    ours = {} if desired is _NOTHING else dict(redact.leaves(desired))
    theirs = {} if live is _NOTHING else dict(redact.leaves(live))
    for at, leaf in ours.items():
        if leaf is KEEP:
            _settle_keep(theirs.get(at, _NOTHING), notes, pointer + at)
    notes.lost += [pointer + at for at, leaf in theirs.items() if is_mask(leaf) and at not in ours]
    return _unseen(redact.tokens(live), notes.hidden), redact.tokens(desired)


def _unseen(live: Json, hidden: frozenset[str]) -> Json:
    """A live tree without the values that git calls secret, wherever live shows them."""
    if isinstance(live, Mapping):
        return {key: _unseen(child, hidden) for key, child in live.items()}
    if _is_list(live):
        return [_unseen(child, hidden) for child in live]
    return redact.token(redact.HIDDEN) if isinstance(live, str) and live in hidden else live


def _is_secret(value: object) -> bool:
    return isinstance(value, Secret) or value is KEEP


def _is_servers_own(value: object) -> bool:
    """Six asterisks: an OAuth value of the server's (PUB §3.5), never ours to compare or send."""
    return value == "******"


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def json_equal(left: Json, right: Json) -> bool:
    """JSON equality with types: true is not 1; 1 and 1.0 are the same number. UNSET equals itself."""
    if type(left) is str and type(right) is str:
        return left == right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(json_equal(left[k], right[k]) for k in left)
    if _is_list(left) and _is_list(right):
        return len(left) == len(right) and all(map(json_equal, left, right))
    if any(isinstance(side, bool) or side is UNSET for side in (left, right)):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    return type(left) is type(right) and bool(left == right)


def explain(before: Json, after: Json, pointer: str = "") -> Iterator[FieldChange]:
    """The changed leaves of two settled trees; a changed list is one change, shown whole."""
    if json_equal(before, after):
        return
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        yield change(pointer, before, after)
        return
    for path in sorted(_changed_paths(before, after)):
        at = pointer + "".join(f"/{escape(key)}" for key in path)
        yield change(at, _value_at(before, path), _value_at(after, path))


def _changed_paths(before: Json, after: Json) -> set[tuple[str, ...]]:
    found = DeepDiff(
        _with_whole_lists(before),
        _with_whole_lists(after),
        ignore_order=False,
        ignore_private_variables=False,
        ignore_numeric_type_changes=False,
        threshold_to_diff_deeper=0,
        verbose_level=2,
        view="tree",
    )
    paths: set[tuple[str, ...]] = set()
    for level in (item for items in found.values() for item in items):
        path: list[str] = []
        for key in level.path(output_format="list"):
            if not isinstance(key, str):
                break
            path.append(key)
        if not json_equal(_value_at(before, path), _value_at(after, path)):
            paths.update(_leaf_paths(before, after, tuple(path)))
    return paths


def _with_whole_lists(tree: Json) -> Json:
    """Lists as one leaf each, with types: deepdiff aligns list items by ==, for which true is 1."""
    if isinstance(tree, Mapping):
        return {key: _with_whole_lists(child) for key, child in tree.items()}
    return (json.dumps(canonical_json(tree)),) if _is_list(tree) else tree


def _leaf_paths(before: Json, after: Json, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """An object that came or went as a whole counts leaf by leaf."""
    was, becomes = _value_at(before, path), _value_at(after, path)
    whole = becomes if was is UNSET else was if becomes is UNSET else None
    if isinstance(whole, Mapping) and whole:
        for key in whole:
            yield from _leaf_paths(before, after, (*path, key))
    else:
        yield path


def _value_at(tree: Json, path: Sequence[str]) -> Json:
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return UNSET
        tree = tree[key]
    return tree


def change(pointer: str, before: Json, after: Json, stream: str = "") -> FieldChange:
    was = UNSET if before is _NOTHING else before
    becomes = UNSET if after is _NOTHING else after
    return FieldChange(
        pointer=pointer,
        before=was if was is UNSET else canonical_json(redact.shown(was)),
        after=becomes if becomes is UNSET else canonical_json(redact.shown(becomes)),
        secret=redact.holds_token(was) or redact.holds_token(becomes),
        stream=stream,
    )


def explain_streams(
    before: Mapping[tuple[str, str], Json], after: Mapping[tuple[str, str], Json]
) -> Iterator[FieldChange]:
    """Keyed first, so that order never matters: streams gone, new, and changed field by field."""
    for key in sorted({*before, *after}):
        label = stream_label(key)
        pointer = f"/streams[{label}]"
        if key not in after or key not in before:
            yield change(pointer, before.get(key, UNSET), after.get(key, UNSET), label)
            continue
        if before[key] == after[key] and not before[key].get("mappers"):
            continue  # only mappers hold values whose type plain equality would overlook
        for name in sorted({*before[key], *after[key]}):
            was, becomes = before[key].get(name, UNSET), after[key].get(name, UNSET)
            if was is UNSET or becomes is UNSET or not json_equal(was, becomes):
                yield change(f"{pointer}/{name}", was, becomes, label)
