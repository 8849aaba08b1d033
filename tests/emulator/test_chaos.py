"""Rules of chaos: which requests they strike, what they do to them, and what is told about it."""

from __future__ import annotations

import httpx
import pytest

from reconciler.emulator.chaos_syntax import BadRule, parse
from reconciler.emulator.settings import Chaos, Credentials
from tests.emulator.builders import POSTGRES, Airbyte, Start, postgres

AUTH = Credentials("reconciler", "canary-client-secret")
CLIENT = {"client_id": "reconciler", "client_secret": "canary-client-secret"}


def shop(airbyte: Airbyte, name: str = "shop"):
    return {
        "name": name,
        "workspaceId": airbyte.workspace,
        "definitionId": POSTGRES,
        "configuration": postgres(),
    }


def statuses(airbyte: Airbyte, count: int, path: str = "/tags") -> list[int]:
    return [airbyte("GET", path).status_code for _ in range(count)]


def names(airbyte: Airbyte) -> list[str]:
    return [source["name"] for source in airbyte.listed("sources")]


# --- Which requests --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("", [503, 503, 503, 503]),
        ("times=2", [503, 503, 200, 200]),
        ("every=2", [200, 503, 200, 503]),
        ("at=1,3", [503, 200, 503, 200]),
        ("from=3", [200, 200, 503, 503]),
    ],
)
def test_a_rule_strikes_the_requests_it_counts(airbyte: Airbyte, when: str, expected: list[int]):
    airbyte.chaos(f"GET /tags 503 {when}")
    assert statuses(airbyte, 4) == expected


@pytest.mark.parametrize(
    ("match", "strikes"),
    [
        ("GET /tags", True),
        ("* *", True),
        ("get /t*", True),
        ("GET /api/public/v1/tags", True),
        ("POST /tags", False),
        ("GET /tags/*", False),
    ],
)
def test_method_and_path_are_globs(airbyte: Airbyte, match: str, strikes: bool):
    airbyte.chaos(f"{match} 503")
    assert statuses(airbyte, 1) == [503 if strikes else 200]


def test_rules_are_replaced_and_cleared_and_say_how_often_they_fired(airbyte: Airbyte):
    airbyte.chaos("GET /tags 503 times=1", "POST * 500")
    statuses(airbyte, 3)
    assert airbyte.made("GET", "/_emulator/chaos") == {
        "rules": [
            {"rule": "GET /tags 503 times=1", "matched": 3, "fired": 1},
            {"rule": "POST * 500", "matched": 0, "fired": 0},
        ],
        "late": 0,
    }
    assert airbyte.chaos()["rules"] == []
    assert statuses(airbyte, 1) == [200]


def test_rules_may_be_in_force_from_the_start(start: Start):
    airbyte = start(chaos=Chaos(rules=(parse("GET /tags 503 times=1"),)))
    assert statuses(airbyte, 2) == [503, 200]


def test_of_two_rules_that_answer_the_first_does_and_both_count(airbyte: Airbyte):
    told = airbyte.chaos("* * 500 every=2", "GET /tags 503 at=2,3")
    assert [rule["fired"] for rule in told["rules"]] == [0, 0]
    assert statuses(airbyte, 4) == [200, 500, 503, 500]
    told = airbyte.made("GET", "/_emulator/chaos")
    assert [rule["fired"] for rule in told["rules"]] == [2, 1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /tags",
        "GET /tags explode",
        "GET /tags 99",
        "GET /tags 500 body=poem",
        "GET /tags 500 times=0",
        "GET /tags 500 at=1,x",
        "GET /tags 500 times=1 every=2",
        "GET /tags 500 times=1 from=2",
        "GET /tags late=soon",
        "GET /tags late=s",
        "GET /tags hang before",
        "GET /tags 500 sometimes",
        "GET /tags 500 after=x",
        "GET /tags delay=long",
        "GET /tags pages=sorted",
        "GET /tags 'unfinished",
    ],
)
def test_what_is_no_rule_is_refused_and_changes_nothing(airbyte: Airbyte, text: str):
    with pytest.raises(BadRule):
        parse(text)
    airbyte.chaos("GET /tags 503")
    assert airbyte("POST", "/_emulator/chaos", json={"rules": [text]}).status_code == 400
    assert statuses(airbyte, 1) == [503]


# --- Answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "keys"),
    [
        ("500", {"errorId"}),
        ("500 body=problem", {"status", "type", "title", "detail", "documentationUrl", "data"}),
        ("400 body=known", {"message", "errorId"}),
        ("403 body=framework", {"message", "_links", "_embedded"}),
        ("429", {"message"}),
    ],
)
def test_an_answer_has_one_of_the_servers_five_forms(airbyte: Airbyte, rule: str, keys: set[str]):
    airbyte.chaos(f"GET /tags {rule}")
    answer = airbyte("GET", "/tags")
    assert answer.status_code == int(rule[:3])
    assert set(answer.json()) == keys


def test_a_problem_has_the_status_it_was_asked_for(airbyte: Airbyte):
    airbyte.chaos("GET /tags 403 body=problem at=1", "GET /tags 418 body=problem at=2")
    assert airbyte("GET", "/tags").json()["title"] == "forbidden"
    teapot = airbyte("GET", "/tags").json()
    assert (teapot["status"], teapot["title"]) == (418, "unexpected-problem")


def test_a_proxy_answers_with_a_page_of_its_own(airbyte: Airbyte):
    airbyte.chaos("GET /tags 502")
    answer = airbyte("GET", "/tags")
    assert answer.headers["content-type"].startswith("text/html")
    assert "502" in answer.text


def test_an_answer_may_be_empty(airbyte: Airbyte):
    airbyte.chaos("GET /tags 401 body=empty")
    assert airbyte("GET", "/tags").content == b""


def test_too_many_requests_come_without_a_time_to_wait_unless_asked_for(airbyte: Airbyte):
    airbyte.chaos("GET /tags 429 at=1", "GET /tags 429 retry-after=7 at=2")
    assert "retry-after" not in airbyte("GET", "/tags").headers
    assert airbyte("GET", "/tags").headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_error_may_come_before_or_after_the_request_was_carried_out(
    airbyte: Airbyte, status: int
):
    airbyte.chaos(f"POST /sources {status} at=1", f"POST /sources {status} after at=2")
    answers = [airbyte("POST", "/sources", json=shop(airbyte, name)) for name in ("lost", "made")]
    assert [answer.status_code for answer in answers] == [status, status]
    assert names(airbyte) == ["made"]


def test_a_delay_sleeps_and_then_answers(start: Start):
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    airbyte = start(sleep=sleep)
    airbyte.chaos("GET /tags delay=2.5 times=1", "GET /tags 503 times=1")
    assert statuses(airbyte, 2) == [503, 200]
    assert slept == [2.5]


# --- Connections that end --------------------------------------------------------------------


def test_a_reset_before_writes_nothing(airbyte: Airbyte):
    airbyte.chaos("POST /sources reset")
    with pytest.raises(httpx.ReadError):
        airbyte("POST", "/sources", json=shop(airbyte))
    assert names(airbyte) == []


def test_a_reset_after_has_written(airbyte: Airbyte):
    airbyte.chaos("POST /sources reset-after")
    with pytest.raises(httpx.ReadError):
        airbyte("POST", "/sources", json=shop(airbyte))
    assert names(airbyte) == ["shop"]


def test_a_truncated_answer_has_written(airbyte: Airbyte):
    airbyte.chaos("POST /sources truncate")
    with pytest.raises(httpx.RemoteProtocolError):
        airbyte("POST", "/sources", json=shop(airbyte))
    assert names(airbyte) == ["shop"]


@pytest.mark.parametrize(("fault", "made"), [("hang", []), ("hang after", ["shop"])])
def test_a_request_may_never_be_answered(airbyte: Airbyte, fault: str, made: list[str]):
    airbyte.chaos(f"POST /sources {fault}")
    with pytest.raises(httpx.ReadTimeout):
        airbyte("POST", "/sources", json=shop(airbyte))
    assert names(airbyte) == made


# --- Late writes -----------------------------------------------------------------------------


def test_a_late_write_is_seen_after_so_many_requests(airbyte: Airbyte):
    airbyte.chaos("POST /sources late=2")
    assert airbyte("POST", "/sources", json=shop(airbyte)).status_code == 504
    assert [names(airbyte) for _ in range(3)] == [[], [], ["shop"]]
    assert [event["status"] for event in airbyte.events("late_write")] == [200]


def test_a_late_write_is_seen_after_so_many_seconds(start: Start, clock):
    airbyte = start()
    airbyte.chaos("POST /sources late=90s")
    assert airbyte("POST", "/sources", json=shop(airbyte)).status_code == 504
    clock.now += 89
    assert names(airbyte) == []
    clock.now += 1
    assert names(airbyte) == ["shop"]


def test_a_late_write_without_a_number_waits_to_be_told(airbyte: Airbyte):
    airbyte.chaos("POST /sources late status=502")
    assert airbyte("POST", "/sources", json=shop(airbyte)).status_code == 502
    assert names(airbyte) == []
    assert airbyte.made("GET", "/_emulator/chaos")["late"] == 1
    assert airbyte.made("POST", "/_emulator/advance") == {"committed": 1}
    assert names(airbyte) == ["shop"]
    assert airbyte.made("POST", "/_emulator/advance") == {"committed": 0}


def test_a_late_write_that_the_server_refuses_says_so(airbyte: Airbyte):
    airbyte.chaos("POST /sources late=1")
    airbyte("POST", "/sources", json={"name": "incomplete"})
    airbyte.made("POST", "/_emulator/advance")
    assert [event["status"] for event in airbyte.events("late_write")] == [400]


def test_a_late_write_was_let_in_when_it_came(start: Start, clock):
    airbyte = start(auth=AUTH, token_ttl=60)
    token = airbyte.made("POST", "/applications/token", json=CLIENT)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    airbyte.chaos("POST /sources late")
    assert airbyte("POST", "/sources", json=shop(airbyte)).status_code == 401
    assert airbyte("POST", "/sources", json=shop(airbyte), headers=headers).status_code == 504
    clock.now += 3600
    assert airbyte.made("POST", "/_emulator/advance") == {"committed": 1}
    assert [event["status"] for event in airbyte.events("late_write")] == [200]


# --- Tokens, discovery, pages ----------------------------------------------------------------


def test_expired_tokens_are_all_those_issued_so_far(start: Start):
    airbyte = start(auth=AUTH)

    def bearer() -> dict[str, str]:
        token = airbyte.made("POST", "/applications/token", json=CLIENT)["access_token"]
        return {"Authorization": f"Bearer {token}"}

    old, other = bearer(), bearer()
    airbyte.chaos("GET /tags expire-tokens times=1")
    assert [airbyte("GET", "/tags", headers=h).status_code for h in (old, other)] == [401, 401]
    assert airbyte("GET", "/tags", headers=bearer()).status_code == 200


def test_discover_fails_only_where_it_runs(airbyte: Airbyte):
    source, destination = airbyte.source(), airbyte.destination()
    airbyte.chaos("* * discover-failure='no route to host'")
    body = {"sourceId": source["sourceId"], "destinationId": destination["destinationId"]}
    answer = airbyte("POST", "/connections", json=body)
    assert answer.status_code == 500
    assert "no route to host" in answer.json()["data"]["message"]
    airbyte.chaos()
    airbyte.made("POST", "/connections", json=body)
    airbyte.chaos("* * discover-failure")
    airbyte.made("POST", "/connections", json=body)


@pytest.mark.parametrize(
    ("order", "walked"),
    [
        ("repeat", ["s0", "s1", "s2", "s2", "s3", "s4", "s5"]),
        ("hide", ["s0", "s1", "s2", "s4", "s5"]),
    ],
)
def test_pages_may_repeat_and_hide_rows(airbyte: Airbyte, order: str, walked: list[str]):
    for number in range(6):
        airbyte.source(f"s{number}")
    airbyte.chaos(f"GET /sources pages={order}")
    found: list[str] = []
    for offset in (0, 3, 6):
        found += [s["name"] for s in airbyte.listed("sources", f"?limit=3&offset={offset}")]
    # a repeated row pushes the last one onto a page more
    assert found == walked


def test_shuffled_pages_are_the_same_for_the_same_seed(start: Start):
    def listed(seed: int) -> list[list[str]]:
        airbyte = start()
        for number in range(10):
            airbyte.source(f"s{number}")
        airbyte.chaos(f"GET /sources pages=shuffle seed={seed}")
        return [names(airbyte) for _ in range(3)]

    assert listed(1) == listed(1)
    assert listed(1) != listed(2)


# --- The log of requests ---------------------------------------------------------------------


def test_requests_to_airbytes_paths_are_logged_in_order_with_what_struck_them(airbyte: Airbyte):
    airbyte.chaos("GET /tags 503 at=2", "POST /tags reset")
    statuses(airbyte, 2)
    airbyte("GET", "/nope")
    with pytest.raises(httpx.ReadError):
        airbyte("POST", "/tags", json={})
    path = "/api/public/v1/tags"
    logged = [tuple(request.values()) for request in airbyte.requests()]
    assert logged == [
        (1, "GET", path, 200, []),
        (2, "GET", path, 503, ["GET /tags 503 at=2"]),
        (3, "GET", "/api/public/v1/nope", 404, []),
        (4, "POST", path, None, ["POST /tags reset"]),
    ]
    later = airbyte.made("GET", "/_emulator/requests?after=3")["requests"]
    assert [request["index"] for request in later] == [4]


def test_a_fault_can_be_put_at_every_request_of_a_run(start: Start):
    def run(airbyte: Airbyte) -> None:
        airbyte.source()
        airbyte.listed("sources")

    clean = start()
    run(clean)
    assert [request["index"] for request in clean.requests()] == [1, 2]
    for request in clean.requests():
        struck = start(chaos=Chaos(rules=(parse(f"* * 503 at={request['index']}"),)))
        with pytest.raises(AssertionError, match="503"):
            run(struck)
        assert struck.requests()[-1]["index"] == request["index"]
