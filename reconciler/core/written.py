"""What git has written with a change, value by value, so that a reviewed plan can be held against one of now.

No value can be read back from it: what stands in git or is no secret stands as a digest, a secret that git
only refers to as where it is taken from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from reconciler.core import redact
from reconciler.core.connector import described_pointers, unescape
from reconciler.core.lookalikes import brings_secret, hidden_pointers
from reconciler.core.model import (
    KEEP,
    Connection,
    Destination,
    Json,
    Resource,
    Secret,
    Source,
    Spec,
)
from reconciler.core.normalize import canonical_connection, digest, naming_for, stream_label
from reconciler.core.parse import MAPPER_SECRET

STREAMS: Final = "/streams"
_CONFIGURATION: Final = "/configuration"
_ROUNDS: Final = 10_000
"""Of the digest of what may be worth guessing: dear to guess, a few milliseconds to make."""


@dataclass(frozen=True, slots=True)
class Written:
    """`label`: where git takes it from, `(secret)` for a secret that stands in git itself, empty for any
    other plain value. `digest`: of the value; empty where that is a secret, may be one, or is not known.
    `stated`: digest of what git states of it and the label does not show: that secret itself, text around
    a reference, its default, what a target's variable stands for; empty where there is nothing of it."""

    pointer: str
    label: str = ""
    digest: str = ""
    stated: str = ""


def written(
    resource: Resource,
    shown: frozenset[str],
    *,
    action: str,
    live: Spec | None,
    schema: Json,
    salt: str,
) -> tuple[Written, ...]:
    """What goes along with a change whose fields are at `shown`; there plain values stand already. What is
    made anew is sent whole, as git states it. `schema`: the connector's; a reference at what it does not
    describe may be a secret. Whether a configuration is sent whole or in part depends on secrets that are
    at hand: all of it counts."""
    spec, whole = resource.spec, action in ("create", "replace")
    if isinstance(spec, Connection):
        found = _of_connection(spec, shown, whole=whole, salt=salt)
    elif isinstance(spec, Source | Destination) and any(is_in(at, _CONFIGURATION) for at in shown):
        found = _of_configuration(spec.configuration, schema, shown, salt)
    else:
        return ()
    ignored = [at for at in resource.lifecycle.ignore_changes if _stays(at, live, action)]
    kept = (one for one in found if not any(is_in(one.pointer, path) for path in ignored))
    return tuple(sorted(kept, key=lambda one: one.pointer))


def _stays(ignored: str, live: Spec | None, action: str) -> bool:
    """Whether what git ignores is sent as it is live: a replacement of a connection takes it over, one of a
    source or destination does not, nor does an update that brings along what is around it."""
    if isinstance(live, Connection):
        return True
    if action != "update" or live is None:
        return False
    around: Json = {"configuration": live.configuration}
    for token in ignored.split("/")[1:-1]:
        around = around.get(unescape(token)) if isinstance(around, Mapping) else None
    return isinstance(around, Mapping)


def _of_configuration(
    configuration: Mapping[str, Json], schema: Json, shown: frozenset[str], salt: str
) -> Iterator[Written]:
    tree = _spread(configuration)
    secrets, described = hidden_pointers(schema, tree), described_pointers(schema, tree)
    for at, leaf in redact.leaves(tree):
        pointer = _CONFIGURATION + at
        secret = any(is_in(at, path) for path in secrets)
        if isinstance(leaf, Secret) or leaf is KEEP:
            yield _referred(pointer, leaf, salt, secret=secret or at not in described)
        elif secret:
            yield _literal(pointer, leaf, salt)
        elif not any(is_in(pointer, path) for path in shown):
            yield Written(pointer, digest=digest(leaf))


def _of_connection(
    spec: Connection, shown: frozenset[str], *, whole: bool, salt: str
) -> Iterator[Written]:
    """Field by field and stream by stream: of what changes, for nothing else is sent."""
    form = canonical_connection(spec, naming_for({}))
    touched = {at.split("/")[1].split("[")[0] for at in shown}
    for name, value in form.items():
        if not (whole or name in touched):
            continue
        if name != "streams":
            if f"/{name}" not in shown:
                yield Written(f"/{name}", digest=digest(value))
            continue
        for key, stream in value.items():
            pointer = f"/streams[{stream_label(key)}]"
            if pointer not in shown:
                yield Written(pointer, digest=digest(stream))
            for at, leaf in redact.leaves(stream.get("mappers", [])):
                if isinstance(leaf, Secret) or leaf is KEEP:
                    secret = at.split("/")[2] == MAPPER_SECRET
                    yield _referred(f"{pointer}/mappers{at}", leaf, salt, secret=secret)


def _referred(pointer: str, leaf: Json, salt: str, *, secret: bool) -> Written:
    if leaf is KEEP:
        return Written(pointer, KEEP.value)
    if leaf.label == redact.HIDDEN:
        return _literal(pointer, leaf.value, salt)
    secret = secret or brings_secret(leaf.stated or leaf.label, leaf.value)
    label = redact.references_only(leaf.label) if secret else leaf.label
    whole = leaf.stated or leaf.label
    stated = "" if whole == label else _dear_digest(whole, salt)
    if secret or not leaf.known:
        return Written(pointer, label, stated=stated)
    return Written(pointer, label, _dear_digest(_text(leaf.value), salt), stated)


def _literal(pointer: str, value: Json, salt: str) -> Written:
    return Written(pointer, redact.HIDDEN, stated=_dear_digest(_text(value), salt))


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


@lru_cache(maxsize=4096)
def _dear_digest(text: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salt.encode(), _ROUNDS).hex()


def _spread(value: Json) -> Json:
    """With a reference that brings a whole tree as one at each of its leaves: some of them may be secret."""
    if isinstance(value, Secret):
        inner = redact.spread(value)
        return _spread(inner) if inner and inner is not value else value
    if isinstance(value, Mapping):
        return {key: _spread(child) for key, child in value.items()}
    return [_spread(child) for child in value] if isinstance(value, list) else value


# --- of two plans ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Pointers of the secrets that the plans were made without; one in streams is `/streams`."""

    unset_then: frozenset[str]
    unset_now: frozenset[str]


@dataclass(frozen=True, slots=True)
class OtherWrite:
    """None: stated on the other side alone."""

    pointer: str
    before: Written | None
    after: Written | None
    why: str


def other_writes(
    then: Iterable[Written], now: Iterable[Written], knowledge: Knowledge
) -> Iterator[OtherWrite]:
    was = {one.pointer: one for one in then}
    trees = {at: was[at] for at in sorted(knowledge.unset_then) if at in was}
    becomes = {_known_then_as(one, trees): one for one in now}
    for pointer in sorted({*was, *becomes} if becomes else ()):
        before, after = was.get(pointer), becomes.get(pointer)
        why = _NOT_THERE
        if before is not None and after is not None:
            why = _why_other(before, after, knowledge)
        if why:
            yield OtherWrite(pointer, before, after, why)


def _known_then_as(one: Written, trees: Mapping[str, Written]) -> str:
    """The pointer of the reference that brings it as part of a whole tree, where that was not set then, and
    else its own. What another reference brings into the same tree is not part of it."""
    for at, tree in trees.items():
        if is_in(one.pointer, at) and (one.label, one.stated) == (tree.label, tree.stated):
            return at
    return one.pointer


def _around(pointer: str, unset: frozenset[str]) -> bool:
    """Whether a reference without a value stands at a pointer, or for a tree around it."""
    known = STREAMS if pointer.startswith(STREAMS) else pointer
    return any(is_in(known, at) for at in unset)


def _why_other(before: Written, after: Written, knowledge: Knowledge) -> str:
    """Why the one may not pass for the other; empty where it may."""
    if before.label != after.label:
        return _ELSEWHERE
    if before.stated != after.stated:
        return _OTHER if after.label == redact.HIDDEN else _STATED
    if before.digest == after.digest:
        return ""
    unset_then = not before.digest and _around(before.pointer, knowledge.unset_then)
    unset_now = not after.digest and _around(after.pointer, knowledge.unset_now)
    return "" if after.label and (unset_then or unset_now) else _OTHER


_ELSEWHERE: Final = "it is written along; where git takes it from is not as reviewed"
_STATED: Final = (
    "it is written along; the text around it, its default or a variable of the target is not as "
    "reviewed"
)
_NOT_THERE: Final = "it is written along, and git states it in only one of the two"
_OTHER: Final = "it is written along, and its value is not the one of the review"


def is_in(pointer: str, path: str) -> bool:
    """Whether the one stands at or below the other."""
    return pointer == path or pointer.startswith((f"{path}/", f"{path}["))
