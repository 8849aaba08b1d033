"""Small projects on disk, and what came out of them, for these tests."""

from pathlib import Path
from typing import Any

from reconciler.core.diagnostics import Diagnostic
from reconciler.manifests import Resolved, load, resolve

PROJECT = """\
apiVersion: airbyte.reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  targets:
    local: {url: embedded}
"""

SOURCE = """\
apiVersion: airbyte.reconciler/v1
kind: Source
metadata: {name: shop}
spec:
  connector: postgres
  configuration: {host: db}
"""


def project(folder: Path, files: dict[str, str] | None = None, *, root: str = PROJECT) -> Path:
    for name, text in {"reconciler.yaml": root, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def project_with(variables: str = "{}", **settings: str) -> str:
    extra = "".join(f"\n      {key}: {value}" for key, value in settings.items())
    return PROJECT.replace(
        "local: {url: embedded}",
        f"local:\n      url: embedded\n      variables: {variables}{extra}",
    )


def source_with(configuration: str) -> str:
    return SOURCE.replace("{host: db}", configuration)


def resolved(folder: Path, env: dict[str, str] | None = None, **options: Any) -> Resolved:
    loaded = load(folder)
    assert loaded.diagnostics == (), told(loaded.diagnostics)
    return resolve(loaded, options.pop("target", None), env or {}, **options)


def configuration(folder: Path, env: dict[str, str] | None = None) -> dict[str, Any]:
    outcome = resolved(folder, env)
    assert len(outcome.documents) == 1, told(outcome.diagnostics)
    found: dict[str, Any] = outcome.documents[0].data["spec"]["configuration"]
    return found


def told(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[str, str]]:
    """Place and code of each: what most tests look at."""
    return [(str(d.span), d.code) for d in diagnostics]


def text_of(diagnostics: tuple[Diagnostic, ...]) -> str:
    return "\n".join(
        f"{d.message}\n{d.hint}\n{d.pointer}\n{d.address}\n{d.span}" for d in diagnostics
    )
