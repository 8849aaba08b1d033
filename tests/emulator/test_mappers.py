"""Mappers: checks, ids and the keys they encrypt with (PUB §4.3)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import MASK, Airbyte

HASHING = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
AES = {
    "algorithm": "AES",
    "targetField": "email",
    "fieldNameSuffix": "_sealed",
    "key": "00112233445566778899aabbccddeeff",
    "mode": "CBC",
    "padding": "PKCS5Padding",
}
RSA = {
    "algorithm": "RSA",
    "targetField": "email",
    "fieldNameSuffix": "_sealed",
    "publicKey": "30820122",
}
EQUAL = {"type": "EQUAL", "fieldName": "country", "comparisonValue": "DE"}
VALID = [
    ("hashing", HASHING),
    ("field-filtering", {"targetField": "phone"}),
    ("field-renaming", {"originalFieldName": "name", "newFieldName": "full_name"}),
    ("row-filtering", {"conditions": EQUAL}),
    ("row-filtering", {"conditions": {"type": "NOT", "conditions": [EQUAL]}}),
    ("encryption", AES),
    ("encryption", RSA),
]


def mapper(kind: str, configuration, **more):
    return {"type": kind, "mapperConfiguration": configuration, **more}


def customers(*mappers):
    return {"name": "customers", "mappers": list(mappers)}


def mappers(connection) -> list:
    return connection["configurations"]["streams"][0]["mappers"]


def patch(airbyte: Airbyte, connection, *sent):
    body = {"configurations": {"streams": [customers(*sent)]}}
    return airbyte("PATCH", f"/connections/{connection['connectionId']}", json=body)


@pytest.mark.parametrize(("kind", "configuration"), VALID)
def test_every_kind_of_mapper_reads_back_as_written(airbyte: Airbyte, kind: str, configuration):
    (read,) = mappers(airbyte.connection(customers(mapper(kind, configuration))))
    shown = {**configuration, "key": MASK} if "key" in configuration else configuration
    assert read.pop("id")
    assert read == {"type": kind, "mapperConfiguration": shown}


def test_the_order_of_mappers_is_kept(airbyte: Airbyte):
    sent = [mapper("field-filtering", {"targetField": f}) for f in ("phone", "city", "name")]
    read = mappers(airbyte.connection(customers(*sent)))
    assert [m["mapperConfiguration"]["targetField"] for m in read] == ["phone", "city", "name"]


def test_pub_t_18b_an_id_that_is_sent_stays(airbyte: Airbyte):
    made = airbyte.connection(customers(mapper("hashing", HASHING)))
    assert mappers(patch(airbyte, made, *mappers(made)).json()) == mappers(made)


# --- Keys ------------------------------------------------------------------------------------


def secret_count(airbyte: Airbyte) -> int:
    return len(airbyte.events("secret_written"))


def test_pub_t_18c_a_masked_key_is_kept_with_the_same_id(airbyte: Airbyte):
    made = airbyte.connection(customers(mapper("encryption", AES)))
    before = secret_count(airbyte)
    after = patch(airbyte, made, *mappers(made)).json()
    assert mappers(after) == mappers(made)
    assert secret_count(airbyte) == before


def test_pub_t_18d_a_masked_key_without_the_id_is_refused_and_nothing_is_written(airbyte: Airbyte):
    made = airbyte.connection(customers(mapper("encryption", AES)))
    before = secret_count(airbyte)
    masked = mapper("encryption", {**AES, "key": MASK})
    answer = patch(airbyte, made, mapper("encryption", {**AES, "targetField": "phone"}), masked)
    assert answer.status_code == 400
    assert answer.json()["type"] == "error:mapper-validation/secret-not-found"
    assert secret_count(airbyte) == before


def test_a_raw_key_is_a_new_version(airbyte: Airbyte):
    made = airbyte.connection(customers(mapper("encryption", AES)))
    patch(airbyte, made, mapper("encryption", AES, id=mappers(made)[0]["id"]))
    assert airbyte.events("secret_written")[-1]["coordinate"].endswith("_v2")


# --- Checks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ([mapper("hashing", {**HASHING, "targetField": "nope"})], "FIELD_NOT_FOUND"),
        (
            [mapper("row-filtering", {"conditions": {**EQUAL, "fieldName": "nope"}})],
            "FIELD_NOT_FOUND",
        ),
        ([mapper("hashing", HASHING), mapper("hashing", HASHING)], "FIELD_NOT_FOUND"),
        (
            [mapper("field-renaming", {"originalFieldName": "name", "newFieldName": "email"})],
            "FIELD_ALREADY_EXISTS",
        ),
        ([mapper("hashing", {**HASHING, "method": "SHA-3"})], "INVALID_MAPPER_CONFIG"),
        ([mapper("hashing", {"targetField": "email"})], "INVALID_MAPPER_CONFIG"),
        ([mapper("encryption", {**AES, "mode": "XYZ"})], "INVALID_MAPPER_CONFIG"),
    ],
)
def test_a_mapper_that_does_not_fit_is_refused_by_name(airbyte: Airbyte, sent, error: str):
    made = airbyte.connection({"name": "products"})
    answer = patch(airbyte, made, *sent)
    assert answer.status_code == 400
    assert answer.json()["type"] == "error:mapper-validation"
    (found,) = answer.json()["data"]["errors"]
    assert (found["stream"], found["error"]) == ("customers", error)


def test_a_mapper_sees_only_selected_columns(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    stream = {**customers(mapper("hashing", HASHING)), "selectedFields": [{"fieldPath": ["id"]}]}
    body = {"configurations": {"streams": [stream]}}
    answer = airbyte("PATCH", f"/connections/{made['connectionId']}", json=body)
    assert answer.json()["data"]["errors"][0]["error"] == "FIELD_NOT_FOUND"


def test_an_unknown_type_cannot_be_read(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    assert patch(airbyte, made, mapper("upper-case", {})).status_code == 422
