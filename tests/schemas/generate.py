"""Writes schemas/README.md: every field from the schemas, every diagnostic code from the code.

The examples of messages come from running bad input through the product. A test compares; after a change:

    python -m tests.schemas.generate
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from reconciler.core.diagnostics import Severity
from reconciler.manifests.codes import ALL_CODES
from tests.bad_input.case import Told, shown, told
from tests.bad_input.cases import CASES, UNREACHABLE
from tests.schemas.fields import DEFINITIONS, Field, Section, definitions, document, section

README = Path(__file__).parents[2] / "schemas" / "README.md"

_HEAD = """\
# Manifest reference

Made from the schemas and the code by `python -m tests.schemas.generate`; a test compares. What the
product is for and how it behaves: [README.md](../README.md).

A project is one `reconciler.yaml` and any number of manifests. Manifests are YAML files that may hold
several documents; each document is a Source, a Destination or a Connection.

- **Absent** means that git does not state it: the live value stays. **Explicit empty clears.** What a
  field's absence means where it is new is said with the field.
- An unknown key is an error. So is a key twice, an unquoted `${…}` in `{…}` or `[…]`, and a document
  without our `apiVersion`.
- YAML is read as 1.2 has it: `no` and `12:30` are text.

For editors, at the top of a manifest:

    # yaml-language-server: $schema=../schemas/manifest.schema.json

Fields in **bold** must be there.
"""

_CHAPTERS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "reconciler.yaml",
        (
            ("project", "", "The project"),
            ("project", "target", "A target"),
            ("project", "auth", "Signing in"),
        ),
    ),
    (
        "Every manifest",
        (
            ("source", "", "The document"),
            ("source", "metadata", "Metadata"),
            ("source", "lifecycle", "Lifecycle"),
            ("source", "consent", "Consent"),
        ),
    ),
    (
        "Source and Destination",
        (
            ("source", "sourceSpec", "spec of a Source"),
            ("destination", "destinationSpec", "spec of a Destination"),
        ),
    ),
    (
        "Connection",
        (
            ("connection", "connectionSpec", "spec of a Connection"),
            ("connection", "actorReference", "Source or destination"),
            ("connection", "schedule", "Schedule"),
            ("connection", "destinationNamespace", "Destination namespace"),
            ("connection", "stream", "A stream"),
            ("connection", "streamDefaults", "Stream defaults"),
            ("connection", "columns", "Columns"),
        ),
    ),
    (
        "Mappers",
        (
            ("connection", "mapper", "A mapper"),
            ("connection", "hashingMapper", "hashing"),
            ("connection", "fieldFilteringMapper", "field-filtering"),
            ("connection", "fieldRenamingMapper", "field-renaming"),
            ("connection", "rowFilteringMapper", "row-filtering"),
            ("connection", "rowCondition", "A condition"),
            ("connection", "equalCondition", "EQUAL"),
            ("connection", "notCondition", "NOT"),
            ("connection", "encryptionMapper", "encryption"),
            ("connection", "aesMapper", "encryption with AES"),
            ("connection", "rsaMapper", "encryption with RSA"),
        ),
    ),
)
_NOTES = {
    ("source", ""): "Shown for a Source; a Destination and a Connection have the same keys.",
}
SHOWN = frozenset((kind, name) for _, parts in _CHAPTERS for kind, name, _ in parts)
_TITLES = {name: title for _, parts in _CHAPTERS for _, name, title in parts if name}


def reference() -> str:
    lines = [_HEAD]
    for chapter, parts in _CHAPTERS:
        lines.append(f"## {chapter}\n")
        for kind, name, title in parts:
            found = section(kind, name) if name else document(kind)
            lines += _section(found, title, _NOTES.get((kind, name), found.meaning))
    lines += _references()
    lines += _diagnostics()
    return "\n".join(lines).rstrip() + "\n"


def _section(found: Section, title: str, meaning: str) -> Iterator[str]:
    yield f"### {title}\n"
    if meaning:
        yield f"{_text(meaning)}\n"
    yield "| field | value | what it means | e.g. |"
    yield "|---|---|---|---|"
    for field in found.fields:
        name = f"**`{field.path}`**" if field.required else f"`{field.path}`"
        yield f"| {name} | {_cell(field.value)} | {_cell(_meaning(field))} | {_example(field)} |"
    yield ""


def _meaning(field: Field) -> str:
    title = _TITLES.get(field.refers)
    if title is None:
        return field.meaning
    link = f"See [{title}](#{_anchor(title)})."
    itself = field.node.get("$ref") == f"{DEFINITIONS}{field.refers}"
    return link if itself else f"{field.meaning} {link}"


def _example(field: Field) -> str:
    example = field.example.replace("|", "\\|")
    return f"`{example}`" if example else ""


def _anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    """`*` and `<` of a description are no markup."""
    return text.replace("*", "\\*").replace("<", "&lt;") if "`" not in text else text


def _references() -> Iterator[str]:
    yield "## References\n"
    yield f"{_text(definitions('source')['reference']['description'])}\n"


def _diagnostics() -> Iterator[str]:
    yield "## Diagnostic codes\n"
    yield (
        "Codes are stable. `rules` in reconciler.yaml makes one a warning or an error, or turns it off:\n"
        "`rules: {unknown-config-key: error}`. One that always holds can't be lowered. The examples are\n"
        "what the product prints.\n"
    )
    for code, entry in sorted(ALL_CODES.items()):
        yield f"### {code}\n"
        words = [entry.severity.value, entry.except_, "" if entry.switchable else "always holds"]
        yield f"*{'; '.join(word for word in words if word)}.* {_text(entry.meaning)}.\n"
        if code in UNREACHABLE:
            yield f"Not seen in practice: {UNREACHABLE[code]}.\n"
        else:
            yield from _block(_printed(code, entry.severity))


def _block(diagnostic: Told) -> Iterator[str]:
    yield "```text"
    yield from diagnostic.lines
    yield "```\n"


def _printed(code: str, severity: Severity) -> Told:
    """The first that a case brings about with its usual severity."""
    return next(
        diagnostic
        for case in CASES
        if code in case.codes
        for diagnostic in _told(case.name)
        if diagnostic.code == code and diagnostic.severity == severity.name
    )


@cache
def _told(name: str) -> tuple[Told, ...]:
    return told(shown(next(case for case in CASES if case.name == name)).text)


if __name__ == "__main__":
    README.write_text(reference(), encoding="utf-8")
