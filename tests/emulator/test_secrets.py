"""Secrets: masks, versions and what destroys them (PUB §3.4, §3.5)."""

from __future__ import annotations

import sqlite3

from tests.emulator.builders import GITHUB, MASK, Airbyte, Start, postgres, snowflake

TUNNEL = {
    "tunnel_method": "SSH_KEY_AUTH",
    "tunnel_host": "bastion",
    "tunnel_port": 22,
    "tunnel_user": "u",
    "ssh_key": "-----BEGIN KEY-----",
}


def coordinates(airbyte: Airbyte, source) -> dict:
    path = f"/sources/{source['sourceId']}?includeSecretCoordinates=true"
    return airbyte.made("GET", path)["configuration"]


def put(airbyte: Airbyte, source, configuration):
    body = {"name": source["name"], "configuration": configuration}
    return airbyte.made("PUT", f"/sources/{source['sourceId']}", json=body)


def patch(airbyte: Airbyte, source, configuration):
    path = f"/sources/{source['sourceId']}"
    return airbyte.made("PATCH", path, json={"configuration": configuration})


def test_a_secret_reads_as_ten_asterisks_at_any_depth(airbyte: Airbyte):
    source = airbyte.source(**postgres(tunnel_method=TUNNEL))
    assert source["configuration"]["password"] == "**********"
    assert source["configuration"]["tunnel_method"] == {**TUNNEL, "ssh_key": MASK}


def test_an_unset_secret_is_absent(airbyte: Airbyte):
    configuration = postgres()
    del configuration["password"]
    assert "password" not in airbyte.source(**configuration)["configuration"]


def test_lists_show_masks(airbyte: Airbyte):
    airbyte.source()
    path = "/sources?includeSecretCoordinates=true"
    assert airbyte.made("GET", path)["data"][0]["configuration"]["password"] == MASK


def test_coordinates_can_be_asked_for(airbyte: Airbyte):
    source = airbyte.source()
    start = f"secret_coordinate::airbyte_workspace_{airbyte.workspace}_secret_"
    assert coordinates(airbyte, source)["password"].startswith(start)
    assert coordinates(airbyte, source)["password"].endswith("_v1")


def test_a_patch_that_leaves_a_secret_out_keeps_it_and_its_version(airbyte: Airbyte):
    source = airbyte.source()
    before = coordinates(airbyte, source)["password"]
    patch(airbyte, source, {"host": "other"})
    assert coordinates(airbyte, source)["password"] == before


def test_a_put_that_leaves_a_secret_out_removes_it(airbyte: Airbyte):
    source = airbyte.source()
    configuration = postgres()
    del configuration["password"]
    assert "password" not in put(airbyte, source, configuration)["configuration"]
    assert airbyte.stored_secrets() == []
    assert len(airbyte.events("secret_deleted")) == 1


def test_a_put_with_the_mask_keeps_the_stored_secret(airbyte: Airbyte):
    source = airbyte.source()
    before = coordinates(airbyte, source)["password"]
    put(airbyte, source, postgres(password=MASK, host="other"))
    assert coordinates(airbyte, source)["password"] == before
    assert airbyte.stored_secrets() == ["s3cret-of-shop"]


def test_a_put_keeps_a_masked_secret_in_the_one_of_branch_that_validates(airbyte: Airbyte):
    source = airbyte.source(**postgres(tunnel_method=TUNNEL))
    before = coordinates(airbyte, source)["tunnel_method"]["ssh_key"]
    put(airbyte, source, postgres(tunnel_method={**TUNNEL, "ssh_key": MASK}))
    assert coordinates(airbyte, source)["tunnel_method"]["ssh_key"] == before


def test_pub_t_01b_a_post_with_the_mask_stores_asterisks(airbyte: Airbyte):
    airbyte.source(**postgres(password=MASK))
    assert airbyte.stored_secrets() == [MASK]


def test_a_put_with_a_mask_where_nothing_is_stored_stores_asterisks(airbyte: Airbyte):
    configuration = postgres()
    del configuration["password"]
    source = airbyte.source(**configuration)
    put(airbyte, source, postgres(password=MASK))
    assert airbyte.stored_secrets() == [MASK]


def test_masks_inside_arrays_are_not_restored(start: Start, tmp_path):
    (tmp_path / "source-keys.json").write_text(
        """{"definitionId": "33333333-3333-4333-8333-333333333333", "name": "Keys", "type": "source",
        "dockerRepository": "acme/source-keys", "dockerImageTag": "1", "connectionSpecification":
        {"type": "object", "properties": {"keys": {"type": "array", "items": {"type": "object",
        "properties": {"id": {"type": "string"}, "key": {"type": "string", "airbyte_secret": true}}}}}}}"""
    )
    airbyte = start(connectors=tmp_path)
    keys = [{"id": "a", "key": "key-number-one"}]
    source = airbyte.source(definition="33333333-3333-4333-8333-333333333333", keys=keys)
    assert source["configuration"]["keys"] == [{"id": "a", "key": MASK}]
    put(airbyte, source, source["configuration"])
    assert airbyte.stored_secrets() == [MASK]


def test_a_coordinate_that_is_sent_is_a_reference_not_a_value(airbyte: Airbyte):
    source = airbyte.source()
    before = coordinates(airbyte, source)["password"]
    put(airbyte, source, postgres(password=before))
    assert coordinates(airbyte, source)["password"] == before
    assert airbyte.stored_secrets() == ["s3cret-of-shop"]


def test_an_update_is_validated_with_a_placeholder_for_what_is_stored(airbyte: Airbyte):
    lake = airbyte.destination()
    path = f"/destinations/{lake['destinationId']}"
    form = snowflake()["credentials"] | {"password": MASK}
    assert airbyte("PATCH", path, json={"configuration": {"schema": "X"}}).status_code == 200
    body = {"name": "lake", "configuration": snowflake(credentials=form)}
    assert airbyte("PUT", path, json=body).status_code == 200


def test_deleting_a_source_deletes_its_secrets(airbyte: Airbyte):
    source = airbyte.source(**postgres(tunnel_method=TUNNEL))
    airbyte.made("DELETE", f"/sources/{source['sourceId']}")
    assert airbyte.stored_secrets() == []


def test_secrets_are_kept_apart_from_the_configuration(start: Start, tmp_path):
    airbyte = start(db=tmp_path / "airbyte.db")
    airbyte.source(
        definition=GITHUB, repositories=["a/b"], credentials={"personal_access_token": "canary-x1"}
    )
    airbyte.close()
    with sqlite3.connect(tmp_path / "airbyte.db") as db:
        (configuration,) = db.execute("SELECT configuration FROM actor").fetchone()
        (value,) = db.execute("SELECT value FROM secret").fetchone()
    db.close()
    assert "canary-x1" not in configuration
    assert value == '"canary-x1"'
