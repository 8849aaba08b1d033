"""What becomes of something valid: bytes cut, doubled, put in; values replaced, or taken from elsewhere.

Knows nothing of what is changed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

INTERESTING: tuple[bytes, ...] = (
    b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\t", b"\r", b"\n---\n", b"\n...\n", b": ", b"- ",
    b"{", b"}", b"[", b"]", b"&a ", b"*a", b"<<: ", b"!!binary ", b"!x ", b"? ", b"|\n", b">-\n", b"'", b'"',
    b"#", b"%YAML 1.1\n", b"${env:X}", b"${", b"$${", b"${keep}", b"${var:warehouse|int}",
    b"${file:/dev/zero}",
    b"0x" + b"f" * 4_000, b"9" * 5_000, b".nan", b"1e999", b"null", b"~", b"\xe2\x80\xa8", b"\\ud800", b"NaN",
    b"[" * 100, b"{a: " * 70, b"**********", b"\x1b[31m", b"::error::",
)  # fmt: skip

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30, max_value=10**31),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(
        ["", "${env:SHOP_PASSWORD}", "${env:SHOP_PASSWORD|int}", "${env:SHOP_PASSWORD|json}", "${keep}",
         "${var:warehouse}", "${file:..}", "${", "$${x}", "**********", "source", "active", "0 0 * * * ?",
         "incremental_deduped_history", "/", "../x", "\x00", "\u2028", "airbyte.reconciler/v1", "Project"]
    ),
    st.just([]),
    st.just({}),
    st.just([[[]]]),
    st.just({"": {"": []}}),
)  # fmt: skip


@st.composite
def mutated_bytes(draw: st.DrawFn, content: bytes, others: Sequence[bytes]) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.integers(0, 40)))
        put = draw(
            st.one_of(
                st.just(b""),
                st.binary(max_size=8),
                st.sampled_from(INTERESTING),
                st.just(content[at:end] * 2),
                st.sampled_from([other[at : at + 60] for other in others]),
            )
        )
        content = content[:at] + put + content[end:]
    return content


@st.composite
def mutated_json(draw: st.DrawFn, data: Any, others: Sequence[Any]) -> Any:
    """Some of its values, keys included, are others: odd ones, or some of what stands elsewhere."""
    changed = copy.deepcopy(data)
    borrowed = [value for other in others for _, _, value in places(other)]
    for _ in range(draw(st.integers(1, 3))):
        spots = list(places(changed))
        if not spots:
            return draw(ODD)
        holder, key, _ = spots[draw(st.integers(0, len(spots) - 1))]
        kind = draw(st.sampled_from(["value", "value", "borrow", "remove", "rename"]))
        if kind == "remove":
            del holder[key]
        elif kind == "rename" and isinstance(holder, dict):
            holder[draw(st.text(max_size=10))] = holder.pop(key)
        elif kind == "borrow":
            holder[key] = copy.deepcopy(borrowed[draw(st.integers(0, len(borrowed) - 1))])
        else:
            holder[key] = copy.deepcopy(draw(ODD))
    return changed


def places(node: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(holder, key, value) of each value below."""
    keys = (
        list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    )
    for key in keys:
        yield node, key, node[key]
        yield from places(node[key])
