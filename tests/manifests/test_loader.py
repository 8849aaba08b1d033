"""Which files are manifests, and what is wrong with a project as a whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.manifests.files import find
from tests.manifests.build import PROJECT, SOURCE, project, told

OCTAVIA = Path(__file__).parents[3] / "shared" / "samples" / "octavia"


def patterns(*globs: str) -> str:
    return PROJECT.replace("spec:\n", f"spec:\n  manifests: [{', '.join(map(repr, globs))}]\n")


def found(folder: Path) -> list[str]:
    return [document.file for document in load(folder).documents]


def test_a_folder_without_project_file_says_how_to_begin(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert told(loaded.diagnostics) == [("reconciler.yaml:1:1", "project-missing")]
    assert "reconciler init" in loaded.diagnostics[0].hint
    assert (loaded.project, loaded.documents) == (None, ())


@pytest.mark.parametrize("text", ["", "# nothing", f"{PROJECT}---\n{PROJECT}"])
def test_the_project_file_holds_exactly_one_document(tmp_path: Path, text: str) -> None:
    loaded = load(project(tmp_path, {"a.yaml": SOURCE}, root=text))
    assert [d.code for d in loaded.diagnostics] == ["project-missing"]
    assert loaded.project is None


def test_by_default_every_yaml_file_is_a_manifest_sorted_by_path(tmp_path: Path) -> None:
    files = ["b.yml", "a/z.yaml", "a.yaml", "deep/er/c.yaml"]
    project(tmp_path, dict.fromkeys(files, SOURCE) | {"notes.txt": "x", "x.json": "{}"})
    assert found(tmp_path) == ["a.yaml", "a/z.yaml", "b.yml", "deep/er/c.yaml"]
    assert load(tmp_path).diagnostics == ()


def test_hidden_folders_and_project_files_are_skipped(tmp_path: Path) -> None:
    files = {
        ".github/workflows/ci.yaml": "on: push",
        "sub/.hidden/a.yaml": "x: 1",
        "sub/reconciler.yaml": "x: 1",
        "other.yaml": PROJECT,
        "a.yaml": SOURCE,
    }
    project(tmp_path, files)
    assert (found(tmp_path), load(tmp_path).diagnostics) == (["a.yaml"], ())


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (["sources/*.yaml"], ["sources/a.yaml"]),
        (["sources/**/*.yaml"], ["sources/a.yaml", "sources/x/b.yaml"]),
        (["**/b.yaml", "sources/**"], ["sources/a.yaml", "sources/x/b.yaml"]),
        (["*/?.yaml"], ["sources/a.yaml"]),
        (["sources/[ab].yaml"], ["sources/a.yaml"]),
    ],
)
def test_patterns_are_relative_to_the_project_file(
    tmp_path: Path, globs: list[str], expected: list[str]
) -> None:
    files = {"sources/a.yaml": SOURCE, "sources/x/b.yaml": SOURCE, "ci.yaml": "jobs: {}"}
    project(tmp_path, files, root=patterns(*globs))
    assert (found(tmp_path), load(tmp_path).diagnostics) == (expected, ())


@pytest.mark.parametrize("files", [{}, {"a.yaml": "# empty\n"}, {"a.yaml": PROJECT}])
def test_nothing_found_is_an_error(tmp_path: Path, files: dict[str, str]) -> None:
    assert told(load(project(tmp_path, files)).diagnostics) == [
        ("reconciler.yaml:1:1", "manifests-empty")
    ]


@pytest.mark.parametrize("pattern", ["../*.yaml", "/etc/*.yaml", "sub/../../x/*.yaml"])
def test_a_pattern_can_not_leave_the_project(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "x.yaml").write_text(SOURCE)
    loaded = load(project(tmp_path / "p", {"a.yaml": SOURCE}, root=patterns(pattern)))
    assert [d.code for d in loaded.diagnostics] == ["manifest-outside-project"]
    assert loaded.documents == ()


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "x.yaml"
    outside.write_text(SOURCE)
    folder = project(tmp_path / "p", {"a.yaml": SOURCE})
    (folder / "b.yaml").symlink_to(outside)
    loaded = load(folder)
    assert told(loaded.diagnostics) == [("b.yaml:1:1", "manifest-outside-project")]
    assert [d.file for d in loaded.documents] == ["a.yaml"]


def test_a_link_to_a_folder_is_not_followed_unless_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.yaml").write_text(SOURCE)
    folder = project(tmp_path / "p", {"a.yaml": SOURCE})
    (folder / "link").symlink_to(tmp_path / "out")
    assert find(folder, ["**/*.yaml"]) == (("a.yaml",), ())
    assert [d.code for d in find(folder, ["link/*.yaml"])[1]] == ["manifest-outside-project"]


def test_two_names_of_one_file_are_one_manifest(tmp_path: Path) -> None:
    folder = project(tmp_path, {"z.yaml": SOURCE})
    (folder / "a.yaml").symlink_to(folder / "z.yaml")
    assert found(folder) == ["z.yaml"]


def test_a_link_to_nothing_is_told(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "a.yaml").symlink_to(folder / "gone.yaml")
    assert told(load(folder).diagnostics) == [("a.yaml:1:1", "file-unreadable")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("jobs: {}\n", "ci.yaml:1:1"),
        ("- a\n", "ci.yaml:1:1"),
        ("just text\n", "ci.yaml:1:1"),
        ("kind: ConfigMap\napiVersion: v1\n", "ci.yaml:2:13"),
        ("kind: Project\napiVersion: argoproj.io/v1\n", "ci.yaml:2:13"),
    ],
)
def test_a_foreign_document_asks_for_narrower_patterns(
    tmp_path: Path, text: str, place: str
) -> None:
    loaded = load(project(tmp_path, {"ci.yaml": text, "a.yaml": SOURCE}))
    assert told(loaded.diagnostics) == [(place, "not-a-manifest")]
    assert "narrow `manifests`" in loaded.diagnostics[0].hint
    assert [d.file for d in loaded.documents] == ["a.yaml"]


def test_another_version_of_the_format_is_told_as_such(tmp_path: Path) -> None:
    text = SOURCE.replace("reconciler/v1", "reconciler/v2")
    (wrong,) = load(project(tmp_path, {"a.yaml": text})).diagnostics
    assert (str(wrong.span), wrong.hint) == (
        "a.yaml:1:13",
        "write apiVersion: airbyte.reconciler/v1",
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("kind: Sorce", "schema-wrong-value"),
        ("kind: source", "schema-wrong-value"),
        ("x: 1", "schema-missing-key"),
    ],
)
def test_a_kind_there_is_not_is_told_with_a_suggestion(
    tmp_path: Path, kind: str, expected: str
) -> None:
    (wrong,) = load(project(tmp_path, {"a.yaml": SOURCE.replace("kind: Source", kind)})).diagnostics
    assert wrong.code == expected
    assert "Source" in wrong.hint or "kind" in wrong.hint


def test_a_diagnostic_names_address_place_and_pointer(tmp_path: Path) -> None:
    text = SOURCE.replace("configuration:", "configration:")
    (wrong,) = load(project(tmp_path, {"a.yaml": text})).diagnostics
    assert (str(wrong.span), wrong.address, wrong.pointer, wrong.hint) == (
        "a.yaml:6:3",
        "source/shop",
        "/spec/configration",
        "did you mean configuration?",
    )


def test_all_files_are_told_at_once_sorted_by_place(tmp_path: Path) -> None:
    files = {
        "c.yaml": "a: {",
        "b.yaml": SOURCE.replace("spec:", "spce:"),
        "a.yaml": f"{SOURCE}---\n{SOURCE.replace('name: shop', 'name: Shop')}",
    }
    assert told(load(project(tmp_path, files)).diagnostics) == [
        ("a.yaml:10:18", "schema-wrong-value"),
        ("b.yaml:4:1", "schema-unknown-key"),
        ("c.yaml:2:1", "yaml-syntax"),
    ]


def test_an_invalid_project_file_does_not_hide_what_is_wrong_in_manifests(tmp_path: Path) -> None:
    root = PROJECT.replace("url: embedded", "ulr: embedded")
    loaded = load(project(tmp_path, {"a.yaml": SOURCE.replace("spec:", "spce:")}, root=root))
    assert told(loaded.diagnostics) == [
        ("a.yaml:4:1", "schema-unknown-key"),
        ("reconciler.yaml:6:13", "schema-unknown-key"),
    ]
    assert loaded.project is None


@pytest.mark.parametrize(
    ("metadata", "place"),
    [
        ("{name: shop, targets: [locl]}", "a.yaml:3:34"),
        ("{name: shop, ids: {locl: 0b6b2d3c-4a51-4c0e-9b1e-6f0f8a1f2c3d}}", "a.yaml:3:30"),
    ],
)
def test_a_target_there_is_not_would_silently_change_nothing(
    tmp_path: Path, metadata: str, place: str
) -> None:
    text = SOURCE.replace("metadata: {name: shop}", f"metadata: {metadata}")
    (wrong,) = load(project(tmp_path, {"a.yaml": text})).diagnostics
    assert (str(wrong.span), wrong.code, wrong.hint) == (
        place,
        "unknown-target",
        "did you mean local?",
    )


def test_the_default_target_must_exist(tmp_path: Path) -> None:
    root = PROJECT.replace("spec:\n", "spec:\n  defaultTarget: prod\n")
    (wrong,) = load(project(tmp_path, {"a.yaml": SOURCE}, root=root)).diagnostics
    assert (str(wrong.span), wrong.code) == ("reconciler.yaml:5:18", "unknown-target")


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("{name: shop}", '{name: "${var:x}"}', "/metadata/name"),
        ("{name: shop}", '{name: shop, annotations: {a: "${env:X}"}}', "/metadata/annotations/a"),
        ("{name: shop}", '{name: shop, labels: {a: "x ${keep}"}}', "/metadata/labels/a"),
        ("kind: Source", "kind: ${var:kind}", "/kind"),
    ],
)
def test_references_are_refused_outside_of_spec(
    tmp_path: Path, old: str, new: str, pointer: str
) -> None:
    loaded = load(project(tmp_path, {"a.yaml": SOURCE.replace(old, new)}))
    assert [(d.code, d.pointer) for d in loaded.diagnostics] == [("reference-not-allowed", pointer)]


def test_a_name_of_the_wrong_form_makes_no_address(tmp_path: Path) -> None:
    text = SOURCE.replace("{name: shop}", '{name: "\\e[31m"}')
    (wrong,) = load(project(tmp_path, {"a.yaml": text})).diagnostics
    assert (wrong.code, wrong.address) == ("schema-wrong-value", None)


def test_a_rule_for_a_code_there_is_not_is_told(tmp_path: Path) -> None:
    root = PROJECT + "  rules: {plaintxt-secret: error, unknown-config-key: error, nonsense: off}\n"
    loaded = load(project(tmp_path, {"a.yaml": SOURCE}, root=root))
    assert [(str(d.span), d.code, d.hint) for d in loaded.diagnostics] == [
        ("reconciler.yaml:7:11", "unknown-rule", "did you mean plaintext-secret?"),
        ("reconciler.yaml:7:62", "unknown-rule", "schemas/README.md lists the codes"),
    ]


def test_loading_twice_gives_the_same(tmp_path: Path) -> None:
    project(tmp_path, {"a.yaml": SOURCE, "b.yaml": "x: 1", "c.yaml": "{"})
    assert load(tmp_path) == load(tmp_path)


def test_octavias_files_are_told_as_foreign_not_misread(tmp_path: Path) -> None:
    if not OCTAVIA.is_dir():
        pytest.skip("octavia's sample projects are not beside this checkout")
    samples = sorted(OCTAVIA.rglob("*.yaml"))
    files = {f"{n}.yaml": sample.read_text() for n, sample in enumerate(samples)}
    loaded = load(project(tmp_path, files))
    assert len(samples) > 5
    assert {d.code for d in loaded.diagnostics} == {"not-a-manifest"}
    assert {d.span.file for d in loaded.diagnostics if d.span} == set(files)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in ("a/x", "b/a", "a/b/ab", "a/a/a/b", "ab/b", "b1"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    return root


@given(st.lists(st.sampled_from(["a", "b", "**", "*", "a*", "?", "[!b]"]), max_size=4))
def test_patterns_find_what_pathlib_finds(tree: Path, folders: list[str]) -> None:
    pattern = "/".join([*folders, "*"])
    expected = sorted(
        p.relative_to(tree).as_posix() for p in set(tree.glob(pattern)) if p.is_file()
    )
    assert list(find(tree, [pattern])[0]) == expected
