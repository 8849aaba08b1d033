"""A project's files to schema-valid documents, for every target alike (validation stages 1 and 2).

Reads files; resolves no reference and raises nothing for what a user got wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.core.connector import closest, escape
from reconciler.core.diagnostics import Diagnostic, Span, in_order
from reconciler.core.model import Json
from reconciler.manifests import files, references
from reconciler.manifests.codes import ALL_CODES
from reconciler.manifests.parse import MAX_BYTES, Parsed, parse
from reconciler.manifests.schema import problems

API_VERSION: Final = "airbyte.reconciler/v1"
_GROUP: Final = API_VERSION.split("/", maxsplit=1)[0]
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
MANIFEST_KINDS: Final = ("Connection", "Destination", "Source")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`project` is the document of reconciler.yaml, None unless it fits its schema; `documents` are the
    manifests that fit theirs, sorted by file. Everything else is in `diagnostics`."""

    project_dir: Path
    project: Parsed | None
    documents: tuple[Parsed, ...]
    diagnostics: tuple[Diagnostic, ...]


def load(project_dir: Path) -> Loaded:
    found: list[Diagnostic] = []
    raw, project = _load_project(project_dir, found)
    if raw is None:
        return Loaded(project_dir, None, (), in_order(found))
    documents = tuple(_load_manifests(project_dir, _patterns(raw), found))
    if project is not None:
        found += _unknown_targets(project, documents)
        found += _unknown_rules(project)
    return Loaded(project_dir, project, documents, in_order(found))


def _load_project(
    project_dir: Path, found: list[Diagnostic]
) -> tuple[Parsed | None, Parsed | None]:
    """The project's document as it was read, and again if it fits its schema."""
    file = files.PROJECT_FILE
    try:
        content = files.read_file(project_dir / file, MAX_BYTES)
    except FileNotFoundError:
        found.append(
            Diagnostic(
                code="project-missing",
                message=f"there is no {file} here",
                hint="`reconciler init` makes one; or name the project's folder with -C",
                span=Span(file, 1, 1),
            )
        )
        return None, None
    except OSError as error:
        found.append(_unreadable(file, error))
        return None, None
    documents, wrong = parse(content, file)
    found += wrong
    if wrong:
        return None, None
    if len(documents) != 1:
        found.append(_not_one_project(documents))
        return None, None
    document = documents[0]
    wrong = _check(document, "project")
    found += wrong
    return document, None if wrong else document


def _not_one_project(documents: tuple[Parsed, ...]) -> Diagnostic:
    span = documents[1].locate("") if documents else Span(files.PROJECT_FILE, 1, 1)
    return Diagnostic(
        code="project-missing",
        message="reconciler.yaml must hold one document, of kind Project",
        hint="move other documents to files of their own, or write one: `reconciler init`",
        span=span,
    )


def _patterns(project: Parsed) -> tuple[str, ...]:
    """What `manifests` says where it can be read, so that all problems show at once."""
    spec = project.data.get("spec") if isinstance(project.data, dict) else None
    patterns = spec.get("manifests") if isinstance(spec, dict) else None
    if isinstance(patterns, list) and patterns and all(isinstance(p, str) for p in patterns):
        return tuple(patterns)
    return files.DEFAULT_PATTERNS


def _load_manifests(
    project_dir: Path, patterns: tuple[str, ...], found: list[Diagnostic]
) -> Iterator[Parsed]:
    paths, wrong = files.find(project_dir, patterns)
    found += wrong
    seen = bool(wrong)
    for path in paths:
        try:
            content = files.read_file(project_dir / path, MAX_BYTES)
        except OSError as error:
            found.append(_unreadable(path, error))
            seen = True
            continue
        documents, wrong = parse(content, path)
        found += wrong
        seen = seen or bool(wrong)
        for document in documents:
            if _is_project(document.data):
                continue
            seen = True
            problems_here = _check_manifest(document)
            found += problems_here
            if not problems_here:
                yield document
    if not seen:
        found.append(
            Diagnostic(
                code="manifests-empty",
                message=f"no manifest found: `manifests` is {', '.join(patterns)}",
                hint="write a manifest, or correct `manifests` in reconciler.yaml",
                span=Span(files.PROJECT_FILE, 1, 1),
            )
        )


def _is_project(data: Json) -> bool:
    return (
        isinstance(data, dict)
        and data.get("kind") == "Project"
        and data.get("apiVersion") == API_VERSION
    )


def _unreadable(file: str, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="file-unreadable",
        message=f"the file can't be read: {error.strerror}",
        hint="check its permissions, or narrow `manifests` in reconciler.yaml",
        span=Span(file, 1, 1),
    )


def _check_manifest(document: Parsed) -> tuple[Diagnostic, ...]:
    data = document.data
    version = data.get("apiVersion") if isinstance(data, dict) else None
    if version != API_VERSION:
        return (_foreign(document, version),)
    kind = data.get("kind")
    if kind in MANIFEST_KINDS:
        return _check(document, kind.lower())
    return _check(document, "manifest")


def _foreign(document: Parsed, version: Json) -> Diagnostic:
    if isinstance(version, str) and version.startswith(_GROUP):
        message = "a version of the format that this program does not read"
        hint = f"write apiVersion: {API_VERSION}"
    else:
        message = f"not a manifest: the document has no apiVersion: {API_VERSION}"
        hint = "narrow `manifests` in reconciler.yaml so that it names only manifests"
    pointer = "/apiVersion" if isinstance(version, str) else ""
    return Diagnostic(
        code="not-a-manifest",
        message=message,
        hint=hint,
        span=document.locate(pointer),
        pointer=pointer,
    )


def _check(document: Parsed, kind: str) -> tuple[Diagnostic, ...]:
    """A reference where none is resolved is told as such, not as a value of the wrong form."""
    address = address_of(document.data)
    misplaced = {
        pointer: _misplaced(document, pointer, address)
        for pointer in references.misplaced(document.data)
    }
    schema_problems = schema_diagnostics(document, kind)
    return (
        *misplaced.values(),
        *(problem for problem in schema_problems if problem.pointer not in misplaced),
    )


def schema_diagnostics(
    document: Parsed, kind: str, data: Json = None, note: str = ""
) -> tuple[Diagnostic, ...]:
    """What keeps `data` (default: the document's own) from fitting a kind's schema, with its place."""
    checked = document.data if data is None else data
    return tuple(
        Diagnostic(
            code=problem.code,
            message=problem.message + note,
            hint=problem.hint,
            span=document.locate(problem.pointer, key=problem.at_key),
            address=address_of(document.data),
            pointer=problem.pointer,
        )
        for problem in problems(kind, checked)
    )


def address_of(data: Json) -> str | None:
    """`kind/name` of a manifest, None where it has no usable one."""
    if not isinstance(data, Mapping) or data.get("kind") not in MANIFEST_KINDS:
        return None
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    usable = isinstance(name, str) and _NAME.fullmatch(name)
    return f"{data['kind'].lower()}/{name}" if usable else None


def _misplaced(document: Parsed, pointer: str, address: str | None) -> Diagnostic:
    return Diagnostic(
        code="reference-not-allowed",
        message="a reference is not resolved here, outside of spec",
        hint="write the value itself; $${ is a literal ${",
        span=document.locate(pointer),
        address=address,
        pointer=pointer,
    )


def _unknown_targets(project: Parsed, documents: Iterable[Parsed]) -> Iterator[Diagnostic]:
    """A manifest for a target that does not exist would silently never be applied."""
    spec = project.data["spec"]
    targets = spec["targets"]
    if (default := spec.get("defaultTarget")) is not None and default not in targets:
        yield _unknown_target(project, default, targets, "/spec/defaultTarget")
    for document in documents:
        metadata = document.data["metadata"]
        for index, name in enumerate(metadata.get("targets", ())):
            if name not in targets:
                yield _unknown_target(document, name, targets, f"/metadata/targets/{index}")
        for name in metadata.get("ids", ()):
            if name not in targets:
                pointer = f"/metadata/ids/{escape(name)}"
                yield _unknown_target(document, name, targets, pointer)


def _unknown_rules(project: Parsed) -> Iterator[Diagnostic]:
    """A rule that names no code would silently rule nothing; some diagnostics no rule may lower."""
    for code, setting in (project.data["spec"].get("rules") or {}).items():
        pointer = f"/spec/rules/{escape(code)}"
        if code in ALL_CODES and not ALL_CODES[code].switchable and setting != "error":
            yield Diagnostic(
                code="fixed-rule",
                message=f"{code} always holds: without it a plan could not be trusted",
                hint="take the rule out",
                span=project.locate(pointer, key=True),
                pointer=pointer,
            )
        if code not in ALL_CODES:
            guess = closest(code, ALL_CODES)
            yield Diagnostic(
                code="unknown-rule",
                message=f"no diagnostic has the code {code!r}",
                hint=f"did you mean {guess}?" if guess else "schemas/README.md lists the codes",
                span=project.locate(pointer, key=True),
                pointer=pointer,
            )


def _unknown_target(
    document: Parsed, name: str, targets: Iterable[str], pointer: str
) -> Diagnostic:
    guess = closest(name, targets)
    return Diagnostic(
        code="unknown-target",
        message=f"reconciler.yaml has no target {name!r}",
        hint=f"did you mean {guess}?" if guess else f"there are: {', '.join(sorted(targets))}",
        span=document.locate(pointer, key="/ids/" in pointer),
        address=address_of(document.data),
        pointer=pointer,
    )
