"""One trial: an apply in which one thing goes wrong, one more apply, and what is then not as it must be."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import httpx

from reconciler import app
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.effects import EFFECTS
from reconciler.core.interim import parse_interim
from reconciler.core.model import Consent
from reconciler.core.plan import Plan
from reconciler.emulator.app import close, create_app
from reconciler.emulator.chaos_syntax import parse
from reconciler.emulator.run import LateWrite
from reconciler.emulator.settings import Credentials, Settings
from reconciler.emulator.store import Store
from tests.faults import clock, world
from tests.faults.clock import Time
from tests.faults.faults import FAULTS
from tests.faults.shape import Shape, shape_of
from tests.faults.verdicts import Ran, difference, leftovers, unsettled, untruths

ALL_OF_IT: Final = Consent(tuple(name for name, e in EFFECTS.items() if e.consent == "needed"))
STATE: Final = ".reconciler"
_MAKES: Final = re.compile(r"POST /api/(public/v1/\w+|v1/\w+/create)")

MEMORIES: Final = ("kept", "deleted")
"""What becomes of `.reconciler` before the second apply."""


@dataclass(frozen=True, order=True)
class Trial:
    """Fault `fault` at the request `at` of an apply over `api`, and maybe another one `later` requests after
    it; then a second apply for each of the `memories`, from where the first one ended."""

    api: str
    fault: str
    at: int
    memories: tuple[str, ...] = MEMORIES
    then: str = ""
    later: int = 0

    @property
    def again(self) -> str:
        """How to make this trial by itself."""
        then = f" --then {self.then} --later {self.later}" if self.then else ""
        memory = f" --memory {self.memories[0]}" if len(self.memories) == 1 else ""
        options = f"--api {self.api} --fault {self.fault} --at {self.at}{then}{memory}"
        return f"python -m tests.faults.sweep {options}"

    @property
    def rules(self) -> list[str]:
        first = FAULTS[self.fault].at(self.at)
        return [first, FAULTS[self.then].at(self.at + self.later)] if self.then else [first]


@dataclass(frozen=True)
class Moment:
    """All of a server's state between two applies."""

    image: bytes
    late: tuple[LateWrite, ...]
    passed: float


class Server:
    """An Airbyte in this process, in a time of its own."""

    def __init__(self, time: Time, catalogs: Path, image: bytes | None = None) -> None:
        self.time = time
        self._ids = 0
        settings = Settings(
            auth=Credentials(*world.CLIENT), catalogs=catalogs, clock=time, new_id=self._new_id
        )
        self.app = create_app(settings)
        if image is not None:
            self._ids = 1_000_000
            self.store._db.deserialize(image)

    @property
    def store(self) -> Store:
        store: Store = self.app.state.instance.store
        return store

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:08x}-0000-4000-8000-{self._ids:012x}"

    def image(self) -> bytes:
        return self.store._db.serialize()

    def obey(self, *rules: str) -> None:
        self.app.state.instance.run.obey([parse(rule) for rule in rules])

    def moment(self) -> Moment:
        return Moment(self.image(), tuple(self.app.state.instance.run.late), self.time.passed)

    def go_back(self, moment: Moment) -> None:
        self.store._db.deserialize(moment.image)
        self.app.state.instance.run.late = list(moment.late)
        self.time.passed = moment.passed

    @property
    def requests(self) -> int:
        """So many came in so far."""
        count: int = self.app.state.instance.run._count
        return count

    @property
    def creates(self) -> tuple[int, ...]:
        """Which of them made something."""
        seen = self.app.state.instance.run.requests
        return tuple(one.index for one in seen if _MAKES.fullmatch(f"{one.method} {one.path}"))

    def carry_out_late(self) -> None:
        clock.run(self.app.state.instance.run.catch_up, self.time)

    def close(self) -> None:
        close(self.app)


def apply(server: Server, folder: Path, api: str) -> Ran:
    request = app.Request(
        folder,
        world.ENV,
        api,
        allow=(ALL_OF_IT,),
        http_transport=httpx.ASGITransport(server.app),
    )
    work = partial(
        app.apply,
        request,
        confirm=lambda _plan: True,
        emit=lambda _event: None,
        now=server.time,
    )
    return ended(lambda: clock.run(work, server.time))


def ended(run: Callable[[], app.Applied | Plan]) -> Ran:
    try:
        result = run()
    except ReconcilerError as error:
        return Ran(error.exit_code, message=error.message)
    except Exception as error:  # noqa: BLE001 - it is what the sweep looks for
        return Ran(70, problem=f"raised {error!r}")
    if isinstance(result, Plan):
        told = "; ".join(d.message for d in result.diagnostics if d.severity == "error")
        blocked = [f"{c.address}: {c.refusals} {c.effects}" for c in result.blocked]
        code = 0 if not result.changes and not result.errored else 1
        return Ran(code, message=f"{told} {blocked or ''}")
    problem = f"a bug: {result.bugs!r}" if result.bugs else ""
    left = [str(change.address) for change in result.remaining.changes] if result.remaining else []
    said = [f"{f.change.address}: {f.message}" for f in result.outcome.failed]
    message = "; ".join([*said, result.note, *(f"{each} still differs" for each in left)])
    return Ran(result.exit_code, result.plan.changes, result.outcome, message, problem)


class Ground:
    """What trials start from, and where they must end: both found by applying without any fault. `folder`
    holds the project, `scratch` is free."""

    def __init__(self, root: Path, apis: tuple[str, ...] = ("public", "config")) -> None:
        self.folder = root / "project"
        self.scratch = root / "scratch"
        self.catalogs = world.write(self.folder, world.before()) / "catalogs"
        self.image = self._prepared()
        world.write(self.folder, world.after())
        self.start = Shape({}, {}, ())
        self.goals: dict[str, Shape] = {}
        self.requests: dict[str, int] = {}
        self.creates: dict[str, tuple[int, ...]] = {}
        for api in apis:
            self._undisturbed(api)

    def _prepared(self) -> bytes:
        server = Server(Time(), self.catalogs)
        first = apply(server, self.folder, "public")
        assert first.exit_code == 0, first
        _people(server)
        image = server.image()
        server.close()
        return image

    def _undisturbed(self, api: str) -> None:
        with self.server() as server:
            self.start = shape_of(server.store)
            ran = apply(server, self.folder, api)
            assert ran.exit_code == 0, ran
            self.requests[api] = server.requests
            self.creates[api] = server.creates
            again = apply(server, self.folder, api)
            assert (again.exit_code, again.outcome) == (0, None), again
            self.goals[api] = shape_of(server.store)

    def server(self) -> _Closing:
        """As it was before the change, and no memory of any run."""
        shutil.rmtree(self.folder / STATE, ignore_errors=True)
        return _Closing(Server(Time(), self.catalogs, self.image))


class _Closing:
    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> Server:
        return self._server

    def __exit__(self, *_: object) -> None:
        self._server.close()


def _people(server: Server) -> None:
    """What others made, and positions that syncs have saved: neither may be touched."""

    async def click() -> None:
        transport = httpx.ASGITransport(server.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://airbyte.test") as client:
            secret = {"client_id": world.CLIENT[0], "client_secret": world.CLIENT[1]}
            token = (await client.post("/api/public/v1/applications/token", json=secret)).json()
            client.headers["Authorization"] = f"Bearer {token['access_token']}"

            async def call(method: str, path: str, **options: object) -> dict[str, object]:
                answer = await client.request(method, path, **options)  # type: ignore[arg-type]
                assert answer.is_success, answer.text
                return dict(answer.json())

            actors = {}
            for kind in ("source", "destination"):
                listed = (await call("GET", f"/api/public/v1/{kind}s?limit=100"))["data"]
                one = next(row for row in listed if row["name"].startswith("keep-"))  # type: ignore[attr-defined]
                configuration = {**one["configuration"], "database": "theirs", "password": "theirs"}
                body = {
                    "name": f"Their {kind}",
                    "workspaceId": one["workspaceId"],
                    "definitionId": one["definitionId"],
                    "configuration": configuration,
                }
                actors[kind] = await call("POST", f"/api/public/v1/{kind}s", json=body)
            stream = {"name": world.table(0), "namespace": "public"}
            body = {
                "name": "Their flow",
                "sourceId": actors["source"]["sourceId"],
                "destinationId": actors["destination"]["destinationId"],
                "configurations": {"streams": [{**stream, "syncMode": "full_refresh_append"}]},
            }
            await call("POST", "/api/public/v1/connections", json=body)
            listed = (await call("GET", "/api/public/v1/connections?limit=100"))["data"]
            for connection in listed:  # type: ignore[attr-defined]
                for selected in connection["configurations"]["streams"]:
                    position = {
                        "connectionId": connection["connectionId"],
                        "streamName": selected["name"],
                        "streamNamespace": "public",
                        "state": {"cursor": "2026-01-01"},
                    }
                    await call("POST", "/_emulator/state", json=position)

    anyio.run(click)


# --- One trial -------------------------------------------------------------------------------


def violations(ground: Ground, trial: Trial) -> list[str]:
    """What is wrong after a trial; nothing is what it is all for."""
    random.seed(trial.at)  # the jitter of retries
    goal, untimely = ground.goals[trial.api], FAULTS[trial.fault].untimely
    with ground.server() as server:
        server.obey(*trial.rules)
        first = apply(server, ground.folder, trial.api)
        server.obey()
        found = list(unsettled(first)) if FAULTS[trial.fault].settled and not trial.then else []
        found += untruths(first, ground.start, shape_of(server.store), goal)
        moment = server.moment()
        for memory in trial.memories:
            server.go_back(moment)
            if memory == "deleted":
                shutil.rmtree(ground.folder / STATE, ignore_errors=True)
                if not untimely:  # without the journal nobody knows of a write that is yet to come
                    server.carry_out_late()
            second = apply(server, ground.folder, trial.api)
            if not untimely:
                server.carry_out_late()
            left = [*leftovers(second, ground.start, shape_of(server.store), goal)]
            if untimely:
                server.carry_out_late()
                left += _untold(server, ground, trial.api)
            found += [f"with its memory {memory}, {violation}" for violation in left]
    return found


def _untold(server: Server, ground: Ground, api: str) -> Iterator[str]:
    """What came when nobody looked for it any more is one object too many at most, and either the next run
    refuses and names both, or it says by its name what it is."""
    goal, end = ground.goals[api], shape_of(server.store)
    left = end.texts != goal.texts
    third = apply(server, ground.folder, api)
    if shape_of(server.store) != end or third.outcome is not None:
        yield f"a third apply writes: {third.exit_code} {third.message}"
    extra, missing = end.texts - goal.texts, goal.texts - end.texts
    if missing or extra.total() > 1:
        yield f"after what came late: {difference(end, goal)}"
    for kind, name, _ in extra:
        told = third.exit_code == 1 and f"2 live {kind}s are named {name!r}" in third.message
        if not told and (third.exit_code or parse_interim(name) is None):
            yield f"nobody tells of {kind} {name!r}: {third.exit_code} {third.message}"
    if not left and third.exit_code:
        yield f"third apply exits {third.exit_code}: {third.message}"
