"""How a request's streams are checked, stored and read back (PUB §4.3, §4.4)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import FAKER, POKEAPI, S3, Airbyte, Start

LAKE = {
    "s3_bucket_name": "b",
    "s3_bucket_path": "p",
    "s3_bucket_region": "",
    "format": {"format_type": "JSONL"},
}


@pytest.fixture
def refused(airbyte: Airbyte):
    """The message of the 400 that a create with these streams gets."""
    source, destination = airbyte.source(), airbyte.destination()

    def message(*streams) -> str:
        body = {
            "sourceId": source["sourceId"],
            "destinationId": destination["destinationId"],
            "configurations": {"streams": list(streams)},
        }
        answer = airbyte("POST", "/connections", json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["title"] == "bad-request"
        return answer.json()["data"]["message"]

    return message


def fields(*names: str):
    return [{"fieldPath": [name]} for name in names]


def faker(airbyte: Airbyte):
    return airbyte.source("people", FAKER, count=10)


def streams(connection) -> list:
    return connection["configurations"]["streams"]


# --- What reads back -------------------------------------------------------------------------


def test_a_stream_reads_back_with_all_its_lists(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    assert streams(made) == [
        {
            "name": "products",
            "namespace": "public",
            "syncMode": "full_refresh_overwrite",
            "cursorField": [],
            "primaryKey": [["id"]],
            "includeFiles": False,
            "selectedFields": [],
            "mappers": [],
        }
    ]


def test_streams_keep_the_order_of_the_request(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"}, {"name": "customers"})
    assert [s["name"] for s in streams(made)] == ["products", "customers"]


@pytest.mark.parametrize("mode", [None, "full_refresh_overwrite", "full_refresh_append"])
def test_pub_t_16b_a_full_refresh_ignores_cursor_and_key(airbyte: Airbyte, mode: str | None):
    stream = {"name": "page_views", "cursorField": ["viewed_at"], "primaryKey": [["path"]]}
    made = airbyte.connection({**stream, "syncMode": mode} if mode else stream)
    assert streams(made)[0]["cursorField"] == []
    assert streams(made)[0]["primaryKey"] == []


def test_a_deduped_full_refresh_takes_a_key_and_may_go_without(airbyte: Airbyte):
    mode = "full_refresh_overwrite_deduped"
    keyed = airbyte.connection({"name": "page_views", "syncMode": mode, "primaryKey": [["path"]]})
    keyless = airbyte.connection({"name": "page_views", "syncMode": mode})
    assert streams(keyed)[0]["primaryKey"] == [["path"]]
    assert streams(keyless)[0]["primaryKey"] == []


def test_an_append_takes_the_sources_own_key_silently(airbyte: Airbyte):
    made = airbyte.connection(
        {
            "name": "orders",
            "namespace": "public",
            "syncMode": "incremental_append",
            "cursorField": ["updated_at"],
            "primaryKey": [["status"]],
        }
    )
    assert streams(made)[0]["primaryKey"] == [["id"]]


def test_a_source_without_a_key_takes_yours(airbyte: Airbyte):
    made = airbyte.connection(
        {
            "name": "page_views",
            "syncMode": "incremental_deduped_history",
            "cursorField": ["viewed_at"],
            "primaryKey": [["visitor_id"], ["path"]],
        }
    )
    assert streams(made)[0]["primaryKey"] == [["visitor_id"], ["path"]]


def test_enums_are_read_in_any_case(airbyte: Airbyte):
    made = airbyte.connection({"name": "products", "syncMode": "FULL_REFRESH_APPEND"})
    assert streams(made)[0]["syncMode"] == "full_refresh_append"


# --- Which streams ---------------------------------------------------------------------------


def test_pub_t_19b_a_create_without_streams_selects_what_the_connector_suggests(airbyte: Airbyte):
    made = airbyte.connection(source=faker(airbyte))
    assert {s["name"] for s in streams(made)} == {"users", "products", "purchases"}
    assert {s["syncMode"] for s in streams(made)} == {"full_refresh_overwrite"}


def test_pub_t_19c_a_create_without_streams_selects_a_sources_single_stream(airbyte: Airbyte):
    source = airbyte.source("dex", POKEAPI, pokemon_name="ditto")
    assert [s["name"] for s in streams(airbyte.connection(source=source))] == ["pokemon"]


def test_pub_t_17b_the_namespace_decides_where_a_name_occurs_twice(airbyte: Airbyte, refused):
    made = airbyte.connection({"name": "orders", "namespace": "audit"})
    assert streams(made)[0]["namespace"] == "audit"
    assert refused({"name": "orders"}).startswith(
        "No streams found with name [orders] and namespace [null]. Please call "
    )


def test_two_spellings_of_one_stream_break_the_server(airbyte: Airbyte):
    source, destination = airbyte.source(), airbyte.destination()
    body = {
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "configurations": {
            "streams": [{"name": "products"}, {"name": "products", "namespace": "x"}]
        },
    }
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 500
    assert answer.json()["data"] is None
    made = airbyte.connection({"name": "products"}, source=source, destination=destination)
    patch = airbyte("PATCH", f"/connections/{made['connectionId']}", json=body)
    assert patch.status_code == 500
    assert patch.json()["data"]["message"] == "Catalog contains duplicate stream names"


def test_an_unknown_stream_is_refused(refused):
    assert refused({"name": "nope", "namespace": "public"}).startswith(
        "No streams found with name [nope] and namespace [public]. Please call "
    )


def test_a_stream_named_twice_is_refused(refused):
    assert refused({"name": "products"}, {"name": "products"}) == (
        "Duplicate stream found in configuration for stream name [products] in namespace [null]."
    )


def test_a_catalog_that_offers_a_stream_twice_makes_it_unusable(start: Start, tmp_path):
    stream = '{"stream": {"name": "t", "namespace": "n"}}'
    (tmp_path / "postgres.json").write_text(f'{{"streams": [{stream}, {stream}]}}')
    airbyte = start(catalogs=tmp_path)
    source, destination = airbyte.source(), airbyte.destination()
    body = {
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "configurations": {"streams": [{"name": "t", "namespace": "n"}]},
    }
    answer = airbyte("POST", "/connections", json=body)
    assert (
        answer.json()["data"]["message"] == "Multiple streams found with name [t] and namespace [n]"
    )


# --- Selected fields -------------------------------------------------------------------------


def test_pub_t_14b_an_empty_selection_is_refused(refused):
    message = refused({"name": "products", "selectedFields": []})
    assert message.startswith(
        "No fields selected for stream products. The list of valid field names includes: "
    )
    assert "sku" in message


@pytest.mark.parametrize(
    ("selected", "start_of_message"),
    [
        ([{"fieldPath": []}], "Selected field path cannot be empty"),
        ([{}], "Selected field path cannot be empty"),
        ([{"fieldPath": ["a", "b"]}], "Nested field selection not supported"),
        (fields("id", "id"), "Duplicate fields selected"),
        (fields("id", "nope"), "Invalid fields selected"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(refused, selected, start_of_message: str):
    assert refused({"name": "products", "selectedFields": selected}).startswith(start_of_message)


@pytest.mark.parametrize("mode", ["incremental_deduped_history", "full_refresh_overwrite_deduped"])
def test_a_selection_must_hold_the_key_where_rows_are_merged(refused, mode: str):
    stream = {"name": "products", "syncMode": mode, "cursorField": ["updated_at"]}
    assert refused({**stream, "selectedFields": fields("sku", "updated_at")}).startswith(
        "Primary key fields are not selected properly for stream: products."
    )


def test_a_selection_must_hold_the_cursor_of_an_incremental_sync(refused):
    stream = {"name": "products", "syncMode": "incremental_append", "cursorField": ["updated_at"]}
    assert refused({**stream, "selectedFields": fields("id")}).startswith(
        "Cursor field is not selected properly for stream: products."
    )


# --- Modes, cursors, keys --------------------------------------------------------------------


def test_a_mode_that_the_destination_lacks_is_refused(airbyte: Airbyte):
    lake = airbyte.destination("lake", S3, **LAKE)
    source = airbyte.source()
    body = {
        "sourceId": source["sourceId"],
        "destinationId": lake["destinationId"],
        "configurations": {
            "streams": [{"name": "products", "syncMode": "incremental_deduped_history"}]
        },
    }
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 400
    assert answer.json()["data"]["message"] == (
        "Cannot set sync mode to incremental_deduped_history for stream products."
        " Valid sync modes are: [full_refresh_overwrite, full_refresh_append, incremental_append]"
    )


@pytest.mark.parametrize(
    ("stream", "start_of_message"),
    [
        ({"syncMode": "incremental_append"}, "No default cursor field for stream: page_views."),
        (
            {"syncMode": "incremental_append", "cursorField": ["nope"]},
            "Invalid cursor field for stream: page_views.",
        ),
        (
            {"syncMode": "incremental_deduped_history", "cursorField": ["viewed_at"]},
            "No default primary key for stream: page_views.",
        ),
        (
            {
                "syncMode": "incremental_deduped_history",
                "cursorField": ["viewed_at"],
                "primaryKey": [["nope"]],
            },
            "Invalid primary key for stream: page_views.",
        ),
        (
            {
                "syncMode": "incremental_deduped_history",
                "cursorField": ["viewed_at"],
                "primaryKey": [["path"], ["path"]],
            },
            "Duplicate primary key detected",
        ),
    ],
)
def test_a_cursor_or_key_that_cannot_work_is_refused(refused, stream, start_of_message: str):
    assert refused({"name": "page_views", **stream}).startswith(start_of_message)


def test_a_key_that_differs_from_the_sources_is_refused_in_order(refused):
    stream = {
        "name": "order_items",
        "syncMode": "incremental_deduped_history",
        "cursorField": ["updated_at"],
        "primaryKey": [["line"], ["order_id"]],
    }
    assert refused(stream).startswith("Primary key for stream: order_items is already pre-defined.")


def test_a_cursor_that_differs_from_the_sources_is_refused(airbyte: Airbyte):
    source, destination = faker(airbyte), airbyte.destination()
    stream = {"name": "users", "syncMode": "incremental_append", "cursorField": ["created_at"]}
    body = {
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "configurations": {"streams": [stream]},
    }
    answer = airbyte("POST", "/connections", json=body)
    assert answer.json()["data"]["message"].startswith(
        "Cursor Field [created_at] is already defined by source for stream: users."
    )


def test_selections_of_all_streams_are_checked_before_any_mode(refused):
    bad_mode = {"name": "products", "syncMode": "incremental_update"}
    bad_fields = {"name": "customers", "selectedFields": []}
    assert refused(bad_mode, bad_fields).startswith("No fields selected")


def test_an_unknown_mode_cannot_be_read(airbyte: Airbyte):
    body = {
        "sourceId": airbyte.source()["sourceId"],
        "destinationId": airbyte.destination()["destinationId"],
        "configurations": {
            "streams": [{"name": "products", "syncMode": "incremental_append_dedup"}]
        },
    }
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 422
    assert list(answer.json()) == ["errorId"]


def test_files_asked_for_where_none_are_is_refused(airbyte: Airbyte):
    body = {
        "sourceId": airbyte.source()["sourceId"],
        "destinationId": airbyte.destination()["destinationId"],
        "configurations": {"streams": [{"name": "products", "includeFiles": True}]},
    }
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 400
    kind = "error:connection-validation/file-transfer/connection-unsupported"
    assert answer.json()["type"] == kind
