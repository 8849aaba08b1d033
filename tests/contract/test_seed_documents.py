"""Every program of the three reference documents, as it stands, against the embedded Airbyte.

The documents lie beside the project and are never copied: the tables name their blocks by line. What is
not in a table fails the test: a block is run, or it is listed here with the reason why it is no program.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

import reconciler.client
from tests.contract.documents import Block, Shell, blocks, missing, shown
from tests.contract.real_project import CONNECTORS, SHARED

SEEDS: Final = SHARED / "seeds"
CONFIG, PUBLIC, GUIDE = (
    "config-api-reference.md",
    "public-api-reference.md",
    "api-documentation.md",
)
PORTS: Final = (8001, 8000)
"""Where the documents say that Airbyte listens: the proxy's API port, and today's only one."""

Ids = dict[str, str]
"""What placeholders stand for, as it becomes known."""


@dataclass(frozen=True)
class Run:
    """A block that is a program. `shows`: the line of the answer that the document shows for it. `gives`:
    placeholder → where its value stands in the answer. `before`: names the document uses and never sets.
    `leaves`: names it sets, with what must hold of each. `values`: what of the answer is no example.
    `meanwhile`: a request that somebody made before it, which the document leaves out. `running`: the next
    block comes while its job still runs."""

    shows: int | None = None
    gives: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    leaves: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    meanwhile: tuple[str, str, Mapping[str, Any]] | None = None
    running: bool = False


# --- THE TABLES -----------------------------------------------------------------------------------

PLACEHOLDERS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    CONFIG: (
        ("source-id-123", "source"),
        ("dest-id-456", "destination"),
        ("connection-id-789", "connection"),
        ('"id": 12345', "job"),
    ),
    PUBLIC: (
        ("a1b2c3d4-e5f6-7890-abcd-ef1234567890", "workspace"),
        ("b2c3d4e5-f6a7-8901-bcde-f12345678901", "source"),
        ("d4e5f6a7-b8c9-0123-def0-1234567890ab", "connection"),
        ("/jobs/123", "job"),
        ("<JOB_ID>", "job"),
        ("<ID>", "connection"),
    ),
    GUIDE: (
        ("https://api.airbyte.com/v1", "host"),
        ("<YOUR_AIRBYTE_URL>", "root"),
        ("<YOUR_WORKSPACE_ID>", "workspace"),
        ("<YOUR_ACCESS_TOKEN>", "token"),
    ),
}
"""Substitution: text of the document → what stands there instead. `default-workspace-id`,
`postgres-definition-id` and `s3-definition-id` are not here: the lenient profile knows them."""

SHELL_PREAMBLE: Final = 'watch() { shift 2; eval "$*"; }'
"""`watch -n 10` looks once instead of for ever."""

ALIASES: Final = {"airbyte_client": reconciler.client}
"""`from airbyte_client import AirbyteClient`: "the airbyte_client.py from your codebase"."""

REACTIVATE: Final = ("PATCH", "/connections/{connection}", {"status": "active"})
"""The document switches its connection off and then starts a sync of it, which Airbyte refuses."""

_PATHS_ALONE: Final = (31, 59, 90, 106, 139, 149, 180, 223, 256, 295, 307, 344)
NO_PROGRAMS: Final[Mapping[str, Mapping[int, str]]] = {
    CONFIG: {28: "a diagram"},
    PUBLIC: dict.fromkeys(_PATHS_ALONE, "a method and a path, no command")
    | {
        19: "headers, shown by themselves",
        312: "a body, shown by itself; the command after it sends it",
        489: "the frame of every list, checked on the list of jobs",
        512: "the frame of an error, checked on a connection that does not exist",
    },
    GUIDE: {},
}

TYPES: Final[Mapping[str, frozenset[str]]] = {
    PUBLIC: frozenset({"jobId"}),
    CONFIG: frozenset(),
    GUIDE: frozenset(),
}
"""Keys whose JSON type the document has wrong: Airbyte's job ids are numbers (PUB §7)."""


DIFFERENCES: Final[Mapping[tuple[str, int], Mapping[str, str]]] = {
    (CONFIG, 345): {
        "/catalog/streams/0/config/cursorField/0": "Airbyte offers the cursor that a source names by "
        "itself, and a database names none: the one shown is somebody's choice (CFG §4)"
    },
}
"""What an answer shows and Airbyte doesn't answer, by the line of the answer."""


def _made(key: str) -> Callable[[Any], bool]:
    return lambda answer: isinstance(answer, dict) and len(str(answer[key])) == 36


RUNS: Final[Mapping[str, Mapping[int, Run]]] = {
    CONFIG: {
        53: Run(leaves={"BASE_URL": lambda url: url == "http://localhost:8001/api/v1"}),
        70: Run(shows=77),
        91: Run(leaves={"workspace_id": lambda found: len(found) == 36}),
        111: Run(),
        121: Run(leaves={"pg_definition": lambda found: found["name"] == "Postgres"}),
        147: Run(shows=169, gives={"source": "sourceId"}),
        181: Run(leaves={"api_source": _made("sourceId")}),
        216: Run(shows=225, values={"status": "succeeded"}),
        234: Run(leaves={"sources": lambda found: len(found) == 2}),
        256: Run(gives={"destination": "destinationId"}),
        280: Run(leaves={"pg_dest": _made("destinationId")}),
        317: Run(leaves={"test_destination": callable}),
        336: Run(shows=345),
        368: Run(gives={"connection": "connectionId"}),
        402: Run(leaves={"connection": _made("connectionId")}),
        460: Run(leaves={"update_connection_schedule": callable}),
        492: Run(shows=501, gives={"job": "job.id"}, values={"job.configType": "sync"}),
        514: Run(shows=523, values={"job.status": "succeeded"}),
        541: Run(
            before={"connection_id": 'connection["connectionId"]'},
            leaves={"final_job": lambda job: job["status"] == "succeeded"},
        ),
        582: Run(leaves={"list_connection_jobs": callable}),
        605: Run(),
        619: Run(leaves={"job_id": lambda job: job > 0, "client": lambda c: c.workspace_id}),
    },
    PUBLIC: {
        10: Run(),
        36: Run(shows=42),
        64: Run(shows=70),
        95: Run(),
        111: Run(shows=117),
        154: Run(shows=160),
        185: Run(shows=191),
        228: Run(
            values={"schedule.scheduleType": "basic", "schedule.basicTiming": "Every 12 HOURS"}
        ),
        242: Run(values={"status": "inactive"}),
        268: Run(shows=274),
        300: Run(),
        320: Run(shows=332, gives={"job": "jobId"}, meanwhile=REACTIVATE, running=True),
        349: Run(values={"status": "cancelled"}),
        379: Run(
            leaves={
                "workspaces": lambda found: len(found) == 1,
                "sources": lambda found: len(found) == 1,
                "connections": lambda found: len(found) == 1,
            }
        ),
        396: Run(
            before={"connection_id": 'connections[0]["connectionId"]'},
            leaves={
                "connection": _made("connectionId"),
                "job": lambda job: job["jobType"] == "sync",
                "jobs": lambda found: len(found["data"]) > 1,
            },
        ),
        440: Run(),
        452: Run(),
        467: Run(before={"MODIFIED_CONFIG": "streams"}, values={"status": "active"}),
    },
    GUIDE: {38: Run(shows=44), 96: Run(shows=102), 154: Run(shows=160)},
}
"""Each program by the line of its fence. Blocks run in the order of the document."""

# --- THE MACHINE ----------------------------------------------------------------------------------


def _text(document: str) -> str:
    if not SEEDS.is_dir():
        pytest.skip("the reference documents are not beside the project")
    return (SEEDS / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", [CONFIG, PUBLIC, GUIDE])
def test_every_block_is_run_or_shown_or_listed_as_no_program(document: str) -> None:
    found = blocks(_text(document))
    answers = {run.shows for run in RUNS[document].values() if run.shows is not None}
    named = RUNS[document].keys() | NO_PROGRAMS[document].keys() | answers
    assert found.keys() == named
    programs = {line for line, block in found.items() if block.language in ("python", "bash")}
    assert RUNS[document].keys() == programs - NO_PROGRAMS[document].keys()


@contextmanager
def _served(job_seconds: float, folder: Path) -> Iterator[None]:
    """The real command on the documents' ports, with real connectors and the one that a document made up."""
    _write_connectors(folder)
    command = [sys.executable, "-m", "reconciler", "emulator", "serve", "--profile", "lenient"]
    command += [word for port in PORTS for word in ("--port", str(port))]
    command += ["--job-seconds", str(job_seconds), "--connectors", str(folder / "connectors")]
    command += ["--catalogs", str(folder / "catalogs")]
    log = folder / "emulator.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        _wait_until_served(process, log)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_served(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            for port in PORTS:
                httpx.get(f"http://localhost:{port}/api/v1/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"not served: {log.read_text(encoding='utf-8')}")


STREAM_KEYS: Final = ("name", "namespace", "syncMode", "cursorField", "primaryKey")
ROOT: Final = "http://localhost:8000"
API: Final = f"{ROOT}/api/public/v1"


@dataclass
class Reader:
    """Somebody who reads one document and runs what it says, block by block."""

    document: str
    shell: Shell
    ids: Ids
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def run(self, block: Block, run: Run, answer: Block | None) -> None:
        if run.meanwhile is not None:
            method, path, body = run.meanwhile
            httpx.request(method, API + path.format(**self.ids), json=body).raise_for_status()
        text = self._substituted(block)
        said = (self._python if block.language == "python" else self._bash)(text, block, run)
        if answer is not None:
            expected = shown(answer.text)
            known = DIFFERENCES.get((self.document, answer.line), {})
            absent = {m for m in missing(said, expected) if not self._typed_otherwise(m)}
            assert absent == known.keys(), f"line {answer.line}"
        for path, value in run.values.items():
            assert _at(said, path) == value, f"{path} of line {block.line}"
        for name, path in run.gives.items():
            self.ids[name] = str(_at(said, path))
        for name, holds in run.leaves.items():
            assert holds(self.namespace[name]), f"{name} after line {block.line}"
        if not run.running:
            _wait_for_jobs()

    def _substituted(self, block: Block) -> str:
        text = block.text
        for placeholder, name in PLACEHOLDERS[self.document]:
            if placeholder in text:
                value = self.ids[name]
                text = text.replace(placeholder, _in_its_place(placeholder, value))
        return text

    def _typed_otherwise(self, path: str) -> bool:
        return path.rsplit("/", 1)[-1] in TYPES[self.document]

    def _python(self, text: str, block: Block, run: Run) -> None:
        for name, expression in run.before.items():
            self.namespace[name] = eval(expression, self.namespace)  # the table's own
        exec(compile(text, f"{self.document}:{block.line}", "exec"), self.namespace)

    def _bash(self, text: str, block: Block, run: Run) -> Any:
        for name in run.before:
            assert self.shell.run(f"{name}={_quoted(self._edited())}")[0] == 0
        code, out = self.shell.run(text)
        assert code == 0, f"line {block.line}"
        return _last_json(out)

    def _edited(self) -> str:
        """ "(Use jq or manual editing)": another mode for the first stream of the connection."""
        read = httpx.get(f"{API}/connections/{self.ids['connection']}").json()
        streams = read["configurations"]["streams"]
        kept = [{key: stream[key] for key in STREAM_KEYS if key in stream} for stream in streams]
        kept[0]["syncMode"] = "full_refresh_append"
        return json.dumps({"configurations": {"streams": kept}})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _in_its_place(placeholder: str, value: str) -> str:
    """With what of the document surrounds the placeholder."""
    if placeholder.startswith("/jobs/"):
        return f"/jobs/{value}"
    return f'"id": {value}' if placeholder.startswith('"id"') else value


def _last_json(out: str) -> Any:
    """A block may run several commands; the last one's answer counts. None where it prints no JSON."""
    decoder, found, at = json.JSONDecoder(), None, 0
    while at < len(out):
        try:
            found, at = decoder.raw_decode(out, at)
        except ValueError:
            at += 1
    return found


def _at(answer: Any, path: str) -> Any:
    for key in path.split("."):
        answer = answer[key]
    return answer


def _wait_for_jobs() -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = [
            httpx.get(f"{API}/jobs", params={"status": status}).json()["data"]
            for status in ("pending", "running")
        ]
        if not any(found):
            return
        time.sleep(0.02)
    raise RuntimeError(f"jobs that do not end: {found}")


def _read(document: str, ids: Ids, folder: Path) -> Reader:
    """Runs every program of the document and returns who did."""
    found = blocks(_text(document))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with Shell(folder / "shell.log", environment) as shell:
        assert shell.run(SHELL_PREAMBLE)[0] == 0
        reader = Reader(document, shell, ids)
        for line, run in RUNS[document].items():
            answer = found[run.shows] if run.shows is not None else None
            reader.run(found[line], run, answer)
    refused = [
        seen
        for seen in httpx.get(f"{ROOT}/_emulator/requests").json()["requests"]
        if seen["status"] >= 400
    ]
    assert refused == []
    return reader


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for tool in ("bash", "curl", "jq"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: the documents use it")
    for name, module in ALIASES.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delenv("AIRBYTE_SECRET_ACCESS_TOKEN", raising=False)
    return tmp_path


def test_the_configuration_api_reference(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with _served(0.02, here):
        reader = _read(CONFIG, {}, here)
        names = reader.namespace
        assert names["test_destination"](reader.ids["destination"])
        changed = names["update_connection_schedule"](names["connection"]["connectionId"], 12)
        assert changed["scheduleData"] == {"basicSchedule": {"units": 12, "timeUnit": "hours"}}
        capsys.readouterr()
        names["list_connection_jobs"](names["connection"]["connectionId"])
        printed = capsys.readouterr().out
    assert "succeeded" in printed
    assert "Records: " in printed
    assert "Bytes: " in printed


def test_the_public_api_reference(here: Path) -> None:
    found = blocks(_text(PUBLIC))
    with _served(0.5, here):
        ids = _as_the_document_finds_it(found)
        reader = _read(PUBLIC, ids, here)
        reader.namespace["client"].close()
        frame = shown(found[489].text)
        assert missing(httpx.get(f"{API}/jobs", params={"limit": 1}).json(), frame) == []
        refused = httpx.get(f"{API}/connections/{ids['workspace']}")
        assert refused.status_code == 404
        assert missing(refused.json(), shown(found[512].text)) == []


def _as_the_document_finds_it(found: Mapping[int, Block]) -> Ids:
    """The source, destination and connection that its answers show, and a job that has run."""
    workspace = httpx.get(f"{API}/workspaces").json()["data"][0]["workspaceId"]
    source = _posted("sources", _typed(shown(found[70].text)["data"][0]), workspaceId=workspace)
    lake = _typed(shown(found[117].text)["data"][0])
    lake["configuration"] |= {"s3_bucket_region": "us-east-1"}
    destination = _posted("destinations", lake, workspaceId=workspace)
    ends = {
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
    }
    connection = _posted("connections", shown(found[191].text), **ends)
    _wait_for_jobs()
    job = _posted("jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})
    _wait_for_jobs()
    return {
        "workspace": workspace,
        "source": source["sourceId"],
        "destination": destination["destinationId"],
        "connection": connection["connectionId"],
        "job": str(job["jobId"]),
    }


def _posted(kind: str, body: Mapping[str, Any], **more: Any) -> Any:
    answer = httpx.post(f"{API}/{kind}", json={**body, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _typed(actor: Mapping[str, Any]) -> dict[str, Any]:
    """What a read shows as a create takes it: the connector is named inside the configuration."""
    types = {key: value for key, value in actor.items() if key in ("sourceType", "destinationType")}
    return {"name": actor["name"], "configuration": {**actor["configuration"], **types}}


def _write_connectors(folder: Path) -> None:
    """The real connectors, and `my-source-type` with the two streams that the document shows of it."""
    (folder / "catalogs").mkdir()
    shutil.copytree(CONNECTORS, folder / "connectors")
    text = {"type": "string"}
    connector = {
        "definitionId": "7d1c2f0a-52f4-4f6e-9f0e-0f6a3b1f5c11",
        "name": "My Source Type",
        "type": "source",
        "dockerRepository": "airbyte/source-my-source-type",
        "dockerImageTag": "1.0.0",
        "connectionSpecification": {
            "type": "object",
            "required": ["replication_start_date", "region"],
            "properties": {"replication_start_date": text, "region": text},
        },
    }
    made_up = folder / "connectors" / "source-my-source-type.json"
    made_up.write_text(json.dumps(connector), encoding="utf-8")
    streams = [
        {
            "stream": {
                "name": name,
                "json_schema": {"type": "object", "properties": dict.fromkeys(columns, text)},
                "supported_sync_modes": ["full_refresh", "incremental"],
            }
        }
        for name, columns in (
            ("users", ["id", "updated_at"]),
            ("events", ["event_id", "created_at"]),
        )
    ]
    catalog = folder / "catalogs" / "my-source-type.json"
    catalog.write_text(json.dumps({"streams": streams}), encoding="utf-8")


def test_the_first_request_of_the_guide(here: Path) -> None:
    answer = shown(blocks(_text(GUIDE))[160].text)
    with _served(0.0, here):
        workspace = httpx.get(f"{API}/workspaces").json()["data"][0]["workspaceId"]
        for source in answer["data"]:
            _posted("sources", _without_placeholders(_typed(source)), workspaceId=workspace)
        ids = {"workspace": workspace, "root": ROOT, "host": API, "token": "any"}
        _read(GUIDE, ids, here)


def _without_placeholders(body: Mapping[str, Any]) -> Any:
    """With a value that fits wherever the document shows a mask."""
    return json.loads(json.dumps(body).replace("************", "a-secret"))
