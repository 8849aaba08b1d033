"""What a reference stands for: the environment, files below the project, a target's variables.

What env and file touch is a Secret from here on; nothing in this module writes a value into a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.core.connector import closest
from reconciler.core.jsontext import is_too_deep, read_json
from reconciler.core.model import KEEP, UNSET, Json, Keep, Secret, Unset
from reconciler.manifests.files import read_file
from reconciler.manifests.parse import MAX_DEPTH
from reconciler.manifests.references import BadReference, Literal, Reference, split

_MAX_FILE: Final = 1024 * 1024
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where values come from in one run. `variable` gives a target variable, resolved; it raises
    KeyError for one there is not, and BadReference for one that can't be resolved."""

    project_dir: Path
    env: Mapping[str, str] = field(repr=False)
    variable: Callable[[str], Json] = field(repr=False)
    variable_names: tuple[str, ...] = ()


def resolve_text(text: str, scope: Scope) -> Json:
    """Text, any value for a whole-value reference, a Secret or KEEP. Raises BadReference."""
    parts = split(text)
    if len(parts) == 1 and isinstance(parts[0], Reference):
        return _whole(parts[0], scope)
    values = [part.text if isinstance(part, Literal) else _part(part, scope) for part in parts]
    if not any(isinstance(value, Secret) for value in values):
        return "".join(map(_as_text, values))
    label = "".join(part.written if isinstance(part, Literal) else part.label for part in parts)
    bare = [value.value if isinstance(value, Secret) else value for value in values]
    whole = UNSET if UNSET in bare else "".join(map(_as_text, bare))
    stated = "".join(map(_stated, values))
    return Secret(label, whole, _texts(values), stated)


def _stated(value: Json) -> str:
    """As git would write it: a text that only looks like a reference is none."""
    if isinstance(value, Secret):
        return value.stated or value.label
    return _as_text(value).replace("${", "$${")


def _texts(values: Iterable[Json]) -> tuple[str, ...]:
    """What the secrets in a longer text are, each by itself."""
    return tuple(v.value for v in values if isinstance(v, Secret) and isinstance(v.value, str))


def named(secret: Secret) -> str:
    """The references of a secret, for a message: the text around them may be a secret itself."""
    labels = [part.label for part in split(secret.label) if isinstance(part, Reference)]
    return labels[0] if len(labels) == 1 else f"one of {', '.join(labels)}"


def _whole(reference: Reference, scope: Scope) -> Json:
    if reference.scheme == "keep":
        return KEEP
    value = _RESOLVERS[reference.scheme](reference, scope)
    if isinstance(value, Secret):
        inner: Any = value.value
        cast = inner if inner is UNSET else _cast(inner, reference)
        return Secret(reference.label, cast, value.parts, value.stated or value.label)
    return _cast(value, reference)


def _part(reference: Reference, scope: Scope) -> Json:
    if reference.scheme == "keep" or reference.cast:
        what = "${keep}" if reference.scheme == "keep" else "a reference with a cast"
        raise BadReference(
            "reference-syntax",
            f"{what} inside a longer text",
            f"{what} must be the whole value",
        )
    return _RESOLVERS[reference.scheme](reference, scope)


def _from_env(reference: Reference, scope: Scope) -> Secret:
    """Set but empty counts as not set: CI gives a missing secret as an empty text."""
    value = scope.env.get(reference.name) or UNSET
    if isinstance(value, str) and not _is_text(value):
        raise BadReference(
            "reference-unreadable",
            f"{reference.label} can't be read: not UTF-8 text",
            "set it as UTF-8; what is no text can be given in base64",
        )
    return _secret(reference, value)


def _is_text(value: str) -> bool:
    """Bytes of the environment that are no UTF-8 come as halves of characters, which nothing can send."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_file(reference: Reference, scope: Scope) -> Secret:
    root = scope.project_dir.resolve()
    try:
        path = (root / reference.name).resolve()
        if not Path(reference.name).is_absolute() and not path.is_relative_to(root):
            raise BadReference(
                "reference-not-allowed",
                f"{reference.label} leads out of the project",
                "move the file into the project's folder, or give its absolute path",
            )
        content = read_file(path, _MAX_FILE)
        if len(content) > _MAX_FILE:
            raise BadReference(
                "reference-unreadable", f"{reference.label} is larger than 1 MiB", "check the path"
            )
        text = content.decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return _secret(reference, UNSET)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise BadReference(
            "reference-unreadable",
            f"{reference.label} can't be read: {reason}",
            "check the file and its permissions",
        ) from None
    return _secret(reference, text.removesuffix("\n").removesuffix("\r") or UNSET)


def _secret(reference: Reference, value: str | Unset) -> Secret:
    if value is UNSET and reference.default is not None:
        value = reference.default
    return Secret(reference.label, value, stated=reference.stated)


def _from_variables(reference: Reference, scope: Scope) -> Json:
    try:
        return scope.variable(reference.name)
    except KeyError:
        if reference.default is not None:
            return reference.default
    guess = closest(reference.name, scope.variable_names)
    known = ", ".join(scope.variable_names)
    raise BadReference(
        "variable-unset",
        f"the target has no variable {reference.name!r}",
        (f"did you mean {guess}? " if guess else f"it has: {known}. " if known else "")
        + "Set it under `variables` of the target in reconciler.yaml",
    )


_RESOLVERS: Final[Mapping[str, Callable[[Reference, Scope], Json]]] = {
    "env": _from_env,
    "file": _from_file,
    "var": _from_variables,
}


def _cast(value: Json, reference: Reference) -> Json:
    if not reference.cast:
        return value
    try:
        return _CASTS[reference.cast](value)
    except ValueError:
        raise BadReference(
            "reference-cast",
            f"the value of {reference.label} is not {_CAST_WORDS[reference.cast]}",
            "correct the value, or the cast after the |",
        ) from None


def _to_int(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise ValueError


def _to_bool(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError


def _to_json(value: Json) -> Json:
    """Raises ValueError. Nested as deeply as a manifest may be: it stands in one from here on."""
    if not isinstance(value, str):
        return value
    data = read_json(value.encode(), unique_keys=True)
    if is_too_deep(data, MAX_DEPTH):
        raise ValueError
    return data


_CASTS: Final[Mapping[str, Callable[[Json], Json]]] = {
    "bool": _to_bool,
    "int": _to_int,
    "json": _to_json,
}
_CAST_WORDS: Final = {"bool": "true or false", "int": "a whole number", "json": "JSON"}


def _as_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list, Keep)):
        raise BadReference(
            "reference-cast",
            "a reference inside a longer text that stands for a list, a mapping or null",
            "make the reference the whole value, or use a variable that holds text",
        )
    return json.dumps(value)
