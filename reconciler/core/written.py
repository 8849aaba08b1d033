"""What git has written with a change, value by value, so that a reviewed plan can be held against one of now.

No value can be read back from it: what is no secret stands as a digest, a secret only as where git takes
it from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from reconciler.core import redact
from reconciler.core.connector import described_pointers
from reconciler.core.lookalikes import hidden_pointers
from reconciler.core.model import KEEP, Connection, Destination, Json, Resource, Secret, Source
from reconciler.core.normalize import canonical_connection, digest, naming_for, stream_label
from reconciler.core.parse import MAPPER_SECRET

STREAMS: Final = "/streams"
_CONFIGURATION: Final = "/configuration"
_ROUNDS: Final = 10_000
"""Of the digest of a value that comes from the environment: dear to guess, a few milliseconds to make."""


@dataclass(frozen=True, slots=True)
class Written:
    """`label`: where git takes it from, `(secret)` for a secret that stands in git itself, empty for any
    other plain value. `digest`: of the value; empty where that is a secret, may be one, or is not known."""

    pointer: str
    label: str = ""
    digest: str = ""

    @property
    def literal_secret(self) -> bool:
        return self.label == redact.HIDDEN


def written(
    resource: Resource, shown: frozenset[str], *, whole: bool, schema: Json, salt: str
) -> tuple[Written, ...]:
    """What goes along with a change whose fields are at `shown`; there plain values stand already. `whole`:
    all that git states is sent. `schema`: the connector's; a reference at what it does not describe may be
    a secret. Whether a configuration is sent whole or in part depends on secrets that are at hand: all of
    it counts."""
    spec = resource.spec
    if isinstance(spec, Connection):
        found = _of_connection(spec, shown, whole=whole, salt=salt)
    elif isinstance(spec, Source | Destination) and any(is_in(at, _CONFIGURATION) for at in shown):
        found = _of_configuration(spec.configuration, schema, shown, salt)
    else:
        return ()
    ignored = resource.lifecycle.ignore_changes
    kept = (one for one in found if not any(is_in(one.pointer, path) for path in ignored))
    return tuple(sorted(kept, key=lambda one: one.pointer))


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
            yield Written(pointer, redact.HIDDEN)
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
    literal = leaf.label == redact.HIDDEN
    label = redact.references_only(leaf.label) if secret and not literal else leaf.label
    if secret or not leaf.known:
        return Written(pointer, label)
    text = json.dumps(leaf.value, sort_keys=True)
    return Written(pointer, label, _dear_digest(text, salt))


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
    """Pointers of the secrets that the plans were made without; one in streams is `/streams`. `restated`: git
    as a whole is not the same."""

    unset_then: frozenset[str]
    unset_now: frozenset[str]
    restated: bool


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
    was, becomes = (_by_pointer(side, knowledge) for side in (then, now))
    for pointer in sorted({*was, *becomes} if becomes else ()):
        before, after = was.get(pointer), becomes.get(pointer)
        why = _NOT_THERE
        if before is not None and after is not None:
            why = _why_other(before, after, knowledge)
        if why:
            yield OtherWrite(pointer, before, after, why)


def _around(pointer: str, unset: frozenset[str]) -> str | None:
    """The reference without a value that stands at a pointer, or for a tree around it."""
    known = STREAMS if pointer.startswith(STREAMS) else pointer
    return next((at for at in sorted(unset) if is_in(known, at)), None)


def _by_pointer(writes: Iterable[Written], knowledge: Knowledge) -> dict[str, Written]:
    """A reference that may bring a whole tree stands for all of it where it was not set then."""
    found = {}
    for one in writes:
        around = _around(one.pointer, knowledge.unset_then) if one.label else None
        found[one.pointer if around in (None, STREAMS) else str(around)] = one
    return found


def _why_other(before: Written, after: Written, knowledge: Knowledge) -> str:
    """Why the one may not pass for the other; empty where it may."""
    if before.label != after.label:
        return _ELSEWHERE
    if before.literal_secret:
        return _UNTOLD if knowledge.restated else ""
    if before.digest == after.digest:
        return ""
    unset_then = not before.digest and _around(before.pointer, knowledge.unset_then)
    unset_now = not after.digest and _around(after.pointer, knowledge.unset_now)
    return "" if after.label and (unset_then or unset_now) else _OTHER


_ELSEWHERE: Final = "it is written along; where git takes it from is not as reviewed"
_NOT_THERE: Final = "it is written along, and git states it in only one of the two"
_OTHER: Final = "it is written along, and its value is not the one of the review"
_UNTOLD: Final = (
    "a secret that stands in git in clear is written along: git is another one than at the review, and "
    "whether this is still the same can't be told"
)


def is_in(pointer: str, path: str) -> bool:
    """Whether the one stands at or below the other."""
    return pointer == path or pointer.startswith((f"{path}/", f"{path}["))
