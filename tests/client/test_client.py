"""What a script gets from `reconciler.client`, over HTTP from the embedded Airbyte."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.client import AirbyteClient
from reconciler.client.loop import Loop
from reconciler.core.diagnostics import ReconcilerError
from reconciler.emulator.serve import running
from reconciler.emulator.settings import Credentials, Settings

POSTGRES = {
    "host": "postgres",
    "port": 5432,
    "database": "ecommerce",
    "username": "postgres",
    "password": "a-password-nobody-has",
}
S3 = {
    "s3_bucket_name": "datalake",
    "s3_bucket_path": "bronze",
    "s3_bucket_region": "us-east-1",
    "format": {"format_type": "Parquet", "compression_codec": "SNAPPY"},
}
APIS = {"public": "/api/public/v1", "config": "/api/v1"}


def stream(name: str, sync: str = "incremental", to: str = "append", **more: Any) -> dict[str, Any]:
    config = {"syncMode": sync, "destinationSyncMode": to, "cursorField": ["updated_at"]}
    return {"stream": {"name": name, "namespace": "public"}, "config": {**config, **more}}


@pytest.fixture(params=list(APIS))
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AirbyteClient]:
    settings = Settings(db=tmp_path / "airbyte.db", job_seconds=0.2)
    with (
        running(settings) as url,
        AirbyteClient(url + APIS[request.param]) as opened,
    ):
        yield opened


def pipeline(client: AirbyteClient, *streams: dict[str, Any], hours: int | None = 6) -> str:
    source = client.create_postgres_source("PostgreSQL - Ecommerce", POSTGRES)
    destination = client.create_s3_destination("MinIO - Bronze", S3)
    made = client.create_connection(
        source_id=source["sourceId"],
        dest_id=destination["destinationId"],
        streams=streams or [stream("customers"), stream("orders")],
        schedule_hours=hours,
    )
    return made["connectionId"]


def test_a_pipeline_is_made_started_and_awaited(client: AirbyteClient) -> None:
    connection_id = pipeline(client, hours=None)
    job_id = client.trigger_sync(connection_id)
    ended = client.wait_for_job(job_id, timeout=30)
    assert ended["status"] == "succeeded"
    assert ended["connectionId"] == connection_id
    assert ended["configType"] == "sync"
    assert ended["summary"]["recordsSynced"] > 0
    assert [job["id"] for job in client.list_connection_jobs(connection_id)] == [job_id]


def test_what_was_made_is_listed(client: AirbyteClient) -> None:
    connection_id = pipeline(client)
    (workspace,) = client.list_workspaces()
    (source,) = client.list_sources(workspace_id=workspace["workspaceId"])
    (destination,) = client.list_destinations(workspace_id=workspace["workspaceId"])
    (connection,) = client.list_connections()
    assert source["name"] == "PostgreSQL - Ecommerce"
    assert source["configuration"]["password"] == "**********"
    assert destination["name"] == "MinIO - Bronze"
    assert connection == {
        "connectionId": connection_id,
        "name": f"{source['sourceId'][:8]} → {destination['destinationId'][:8]}",
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "status": "active",
        "workspaceId": workspace["workspaceId"],
    }


def test_unselected_streams_are_left_out(client: AirbyteClient) -> None:
    pipeline(client, stream("customers"), stream("orders", "odd", "pair", selected=False))
    assert len(client.list_connections()) == 1


def test_a_pair_of_modes_that_airbyte_has_not_is_refused_before_anything_is_sent(
    client: AirbyteClient,
) -> None:
    with pytest.raises(ReconcilerError, match=r"no sync mode is incremental \| overwrite"):
        pipeline(client, stream("customers", to="overwrite"))
    assert client.list_connections() == []


def without(entry: dict[str, Any], part: str, *names: str) -> dict[str, Any]:
    return {**entry, part: {k: v for k, v in entry[part].items() if k not in names}}


CUSTOMERS = stream("customers")
MISTAKES: dict[str, tuple[Any, str]] = {
    "no mapping": ("customers", r"streams\[0\] has no stream"),
    "no stream": ({"config": CUSTOMERS["config"]}, r"streams\[0\] has no stream"),
    "no config": ({"stream": CUSTOMERS["stream"]}, r"streams\[0\] has no config"),
    "no name": (without(CUSTOMERS, "stream", "name"), "the stream has no name"),
    "a number as cursor": (stream("customers", cursorField=7), "cursorField names no column"),
    "a number in the key": (stream("customers", primaryKey=[7]), "primaryKey names no column"),
    "a mapping as key": (stream("customers", primaryKey={"id": 1}), "primaryKey is no list"),
    "selected as text": (stream("customers", selected="no"), "neither True nor False"),
    "a misspelt field": (stream("customers", cursorfield="id"), "doesn't write cursorfield"),
    "mappers": (stream("customers", mappers=[{"type": "hashing"}]), "doesn't write mappers"),
    "no cursor": (without(CUSTOMERS, "config", "cursorField"), "the source has no cursor"),
    "no such cursor": (stream("customers", cursorField="updated"), "no column 'updated'"),
    "no such stream": (stream("custmers"), "offers no stream 'custmers'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_stream_that_can_not_be_meant_is_refused_before_anything_is_sent(
    client: AirbyteClient, mistake: str
) -> None:
    entry, told = MISTAKES[mistake]
    with pytest.raises(ReconcilerError, match=told) as refused:
        pipeline(client, entry)
    assert refused.value.hint
    assert client.list_connections() == []


def test_a_stream_that_is_listed_twice_is_refused(client: AirbyteClient) -> None:
    with pytest.raises(ReconcilerError, match=r"public\.customers is listed twice"):
        pipeline(client, CUSTOMERS, CUSTOMERS)


def test_a_stream_without_namespace_is_the_only_one_of_its_name(client: AirbyteClient) -> None:
    assert pipeline(client, without(CUSTOMERS, "stream", "namespace"))


@pytest.mark.parametrize("hours", [0, -1, 1.5, "6", True])
def test_hours_that_are_no_number_of_hours_are_refused(client: AirbyteClient, hours: Any) -> None:
    with pytest.raises(ReconcilerError, match="schedule_hours"):
        pipeline(client, hours=hours)
    assert client.list_connections() == []


def test_asterisks_are_not_taken_for_a_secret(client: AirbyteClient) -> None:
    with pytest.raises(ReconcilerError, match="config/password is the row of asterisks"):
        client.create_postgres_source("shop", {**POSTGRES, "password": "**********"})
    with pytest.raises(ReconcilerError, match="config/secret_access_key is the row"):
        client.create_s3_destination("lake", {**S3, "secret_access_key": "************"})
    assert client.list_sources() == client.list_destinations() == []


def test_a_closed_client_says_so(client: AirbyteClient) -> None:
    client.list_workspaces()
    client.close()
    client.close()
    for use in (client.list_workspaces, lambda: client.base_url, lambda: client.access_token):
        with pytest.raises(ReconcilerError, match="closed"):
            use()


def test_work_for_a_loop_that_was_stopped_is_not_begun() -> None:
    """Warnings are errors here, also that of a coroutine that nobody awaits."""
    loop = Loop()
    loop.stop()
    with pytest.raises(ReconcilerError, match="closed"):
        loop.run(asyncio.sleep(0))
    gc.collect()


def test_a_sync_that_is_refused_says_why(tmp_path: Path) -> None:
    with running(Settings(db=tmp_path / "airbyte.db", job_seconds=600)) as url:
        for base in APIS.values():
            with AirbyteClient(url + base) as client:
                connection_id = pipeline(client, hours=None)
                job_id = client.trigger_sync(connection_id)
                with pytest.raises(ReconcilerError, match=rf"job {job_id} \(sync\) is running"):
                    client.trigger_sync(connection_id)
                set_status(url, connection_id, "inactive")
                cancel(url, job_id)
                with pytest.raises(ReconcilerError, match="the connection is inactive") as refused:
                    client.trigger_sync(connection_id)
                assert "status: active" in refused.value.hint


def set_status(url: str, connection_id: str, status: str) -> None:
    body = {"status": status}
    there = f"{url}/api/public/v1/connections/{connection_id}"
    assert httpx.patch(there, json=body).is_success


def cancel(url: str, job_id: int) -> None:
    assert httpx.delete(f"{url}/api/public/v1/jobs/{job_id}").is_success


def test_no_job_of_no_connection_is_not_taken_for_one_that_never_ran(client: AirbyteClient) -> None:
    assert client.list_connection_jobs(pipeline(client, hours=None)) == []
    for unknown in ("nope", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(ReconcilerError):
            client.list_connection_jobs(unknown)


def test_waiting_ends_at_its_limit_and_names_the_status(tmp_path: Path) -> None:
    settings = Settings(db=tmp_path / "airbyte.db", job_seconds=600)
    with running(settings) as url, AirbyteClient(url) as client:
        job_id = client.trigger_sync(pipeline(client))
        with pytest.raises(TimeoutError, match=f"job {job_id} is (pending|running) after 0.2 s"):
            client.wait_for_job(job_id, timeout=0.2)


def test_a_job_that_is_not_there_is_named(client: AirbyteClient) -> None:
    """The Configuration API answers an unknown id like a crash (CFG-T 33)."""
    with pytest.raises(ReconcilerError, match="there is no job 4711"):
        client.wait_for_job(4711)


def test_hours_that_no_cron_equals_need_the_configuration_api(tmp_path: Path) -> None:
    with running(Settings(db=tmp_path / "airbyte.db")) as url:
        with AirbyteClient(url + APIS["public"]) as client:
            with pytest.raises(ReconcilerError) as refused:
                pipeline(client, hours=7)
            assert "Configuration API" in refused.value.hint
        with AirbyteClient(url + APIS["config"], workspace_id=None) as client:
            assert pipeline(client, hours=7)


def test_the_base_of_the_api_in_use_is_told(tmp_path: Path) -> None:
    with running(Settings(db=tmp_path / "airbyte.db")) as url:
        for given, base in [("", "public"), (APIS["config"], "config")]:
            with AirbyteClient(url + given) as client:
                assert client.base_url == url + APIS[base]


def test_the_token_is_the_one_of_the_environment_the_one_given_or_one_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRBYTE_SECRET_ACCESS_TOKEN", "from-the-environment")
    settings = Settings(
        db=tmp_path / "airbyte.db", auth=Credentials("an-id", "a-secret-of-16-chars")
    )
    with running(settings) as url:
        with AirbyteClient(url) as client:
            assert client.access_token == "from-the-environment"
        with AirbyteClient(url, access_token="given") as client:
            assert client.access_token == "given"
        with (
            AirbyteClient(url, client_id="an-id", client_secret="a-secret-of-16-chars") as client,
            AirbyteClient(url, access_token=client.access_token) as another,
        ):
            assert another.list_workspaces() == client.list_workspaces()


def test_without_credentials_there_is_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRBYTE_SECRET_ACCESS_TOKEN", raising=False)
    with running(Settings(db=tmp_path / "airbyte.db")) as url, AirbyteClient(url) as client:
        assert client.access_token == ""


def test_it_works_inside_a_running_event_loop(client: AirbyteClient) -> None:
    async def cell_of_a_notebook() -> int:
        return len(client.list_workspaces())

    assert asyncio.run(cell_of_a_notebook()) == 1


def test_a_host_that_the_machine_does_not_allow_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "airbyte.example.com")
    with (
        running(Settings(db=tmp_path / "airbyte.db")) as url,
        AirbyteClient(url) as client,
        pytest.raises(ReconcilerError, match=r"127\.0\.0\.1"),
    ):
        client.list_workspaces()


def test_the_example_of_the_readme_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).parents[2] / "README.md"
    example = readme.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    with running(Settings(db=tmp_path / "airbyte.db", job_seconds=0)) as url:
        with AirbyteClient(url) as client:
            pipeline(client)
            set_status(url, pipeline(client, hours=None), "inactive")
        exec(example.replace("http://localhost:8000", url), {})
    assert capsys.readouterr().out.endswith(" succeeded\n")
