"""What a source offers, and when it is asked again (PUB §5)."""

from __future__ import annotations

from reconciler.emulator.chaos_syntax import parse
from reconciler.emulator.settings import Chaos
from tests.emulator.builders import GITHUB, Airbyte, Start


def offered(airbyte: Airbyte, source, destination=None, **query):
    query["sourceId"] = source["sourceId"]
    if destination:
        query["destinationId"] = destination["destinationId"]
    return airbyte.made("GET", "/streams", params=query)


def test_offered_streams_are_a_bare_array_with_a_lower_case_namespace(airbyte: Airbyte):
    found = offered(airbyte, airbyte.source(), airbyte.destination())
    (products,) = [s for s in found if s["streamName"] == "products"]
    assert products == {
        "streamName": "products",
        "streamnamespace": "public",
        "syncModes": [
            "full_refresh_append",
            "full_refresh_overwrite",
            "incremental_append",
            "incremental_deduped_history",
        ],
        "defaultCursorField": [],
        "sourceDefinedPrimaryKey": [["id"]],
        "sourceDefinedCursorField": False,
        "propertyFields": [["id"], ["sku"], ["title"], ["price"], ["active"], ["updated_at"]],
    }


def test_modes_are_left_out_without_a_destination(airbyte: Airbyte):
    assert all("syncModes" not in s for s in offered(airbyte, airbyte.source()))


def test_nested_fields_are_listed_as_paths(airbyte: Airbyte):
    source = airbyte.source(
        "repo", GITHUB, repositories=["a/b"], credentials={"personal_access_token": "t"}
    )
    (commits,) = [s for s in offered(airbyte, source) if s["streamName"] == "commits"]
    assert ["commit", "author", "email"] in commits["propertyFields"]
    assert "streamnamespace" not in commits


def test_a_database_offers_only_the_schemas_it_is_told_to(airbyte: Airbyte):
    source = airbyte.source(host="db", port=5432, database="d", username="u", schemas=["audit"])
    assert [s["streamnamespace"] for s in offered(airbyte, source)] == ["audit"]


def test_the_cache_can_be_ignored(airbyte: Airbyte):
    source = airbyte.source()
    offered(airbyte, source, ignoreCache="true")
    offered(airbyte, source, ignoreCache="true")
    assert len(airbyte.events("discover_ran")) == 2


def test_a_connector_that_fails_is_a_500_with_its_message(start: Start):
    airbyte = start(chaos=Chaos(rules=(parse("GET /streams discover-failure"),)))
    answer = airbyte("GET", f"/streams?sourceId={airbyte.source()['sourceId']}")
    assert answer.status_code == 500
    assert answer.json() == {
        "status": 500,
        "type": "https://reference.airbyte.com/reference/errors",
        "title": "unexpected-problem",
        "detail": "An unexpected problem has occurred. If this is an error that needs to be addressed,"
        " please submit a pull request or github issue.",
        "documentationUrl": None,
        "data": {"message": "Something went wrong in the connector. logs:connection refused"},
    }


def test_a_connector_without_a_catalog_says_how_to_give_it_one(start: Start, tmp_path):
    (tmp_path / "source-bare.json").write_text(
        """{"definitionId": "55555555-5555-4555-8555-555555555555", "name": "Bare", "type": "source",
        "dockerRepository": "acme/source-bare", "dockerImageTag": "1", "connectionSpecification": {}}"""
    )
    airbyte = start(connectors=tmp_path)
    source = airbyte.source("mine", "55555555-5555-4555-8555-555555555555", a=1)
    answer = airbyte("GET", f"/streams?sourceId={source['sourceId']}")
    assert answer.status_code == 500
    assert "bare.json or mine.json" in answer.json()["data"]["message"]


def test_a_catalog_that_cannot_be_read_is_named(start: Start, tmp_path):
    (tmp_path / "postgres.json").write_text('{"streams": [{"strem": {}}]}')
    airbyte = start(catalogs=tmp_path)
    answer = airbyte("GET", f"/streams?sourceId={airbyte.source()['sourceId']}")
    assert answer.status_code == 500
    assert "postgres.json can't be read" in answer.json()["data"]["message"]


def test_a_catalog_of_the_sources_name_wins_over_one_of_the_connector(start: Start, tmp_path):
    (tmp_path / "postgres.json").write_text('{"streams": [{"stream": {"name": "by_connector"}}]}')
    (tmp_path / "shop.json").write_text('{"streams": [{"stream": {"name": "by_name"}}]}')
    airbyte = start(catalogs=tmp_path)
    assert [s["streamName"] for s in offered(airbyte, airbyte.source("shop"))] == ["by_name"]
    assert [s["streamName"] for s in offered(airbyte, airbyte.source("other"))] == ["by_connector"]


def test_a_sources_name_never_leads_out_of_the_folder_of_catalogs(start: Start, tmp_path):
    inside = tmp_path / "catalogs"
    inside.mkdir()
    (tmp_path / "outside.json").write_text('{"streams": [{"stream": {"name": "leaked"}}]}')
    airbyte = start(catalogs=inside)
    found = offered(airbyte, airbyte.source("../outside"))
    assert "leaked" not in [s["streamName"] for s in found]


def test_streams_of_an_unknown_source_are_404(airbyte: Airbyte):
    answer = airbyte("GET", "/streams?sourceId=11111111-2222-4333-8444-555555555555")
    assert answer.status_code == 404
