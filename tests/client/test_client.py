"""What a script gets from `reconciler.client`, over HTTP from the embedded Airbyte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.client import AirbyteClient
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
        exec(example.replace("http://localhost:8000", url), {})
    assert capsys.readouterr().out.endswith(" succeeded\n")
