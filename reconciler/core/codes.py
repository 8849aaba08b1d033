"""Every diagnostic code that does not come from reading files, with what it stands for.

Codes are stable: projects switch them in `rules`. Holds words only; those of files are in manifests.codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """`severity` is what it has unless `rules` says otherwise; `except_` says when it has the other one.
    `switchable`: a rule of style or caution, which a project may lower; the others hold always."""

    meaning: str
    severity: Severity = Severity.ERROR
    except_: str = ""
    switchable: bool = False


_WARNING: Final = Severity.WARNING

CODES: Final[Mapping[str, Code]] = {
    # manifests together (stage 3)
    "duplicate-address": Code("two manifests of one kind have the same metadata.name"),
    "duplicate-name": Code("two manifests mean an object of the same name, and no pin tells which"),
    "reference-to-absent": Code("a connection uses what another manifest deletes"),
    "unknown-reference": Code("a source or destination that no manifest and nothing live is"),
    # their meaning (stage 4)
    "duplicate-stream": Code("a stream twice in one connection"),
    "duplicate-tag": Code("a tag twice in one connection", switchable=True),
    "empty-streams": Code("an empty list of streams, which Airbyte would ignore"),
    "ignored-field": Code(
        "a value that Airbyte drops, so that it would never read back", switchable=True
    ),
    "field-not-in-api": Code("a field that the target's API does not have"),
    "invalid-cron": Code("not a Quartz cron expression of 6 or 7 fields"),
    "invalid-interval": Code("an interval that is no number of a known unit"),
    "mask-as-value": Code("the asterisks that stand for a secret, where a value belongs"),
    "same-table": Code("two streams of all connections would write one table", switchable=True),
    "selection-misses-column": Code(
        "the selected columns lack a cursor, key or mapped column", switchable=True
    ),
    "sync-mode-missing": Code("a stream without a sync mode, for there is no default one"),
    "too-many-streams": Code("more streams than Airbyte takes in one connection", switchable=True),
    "unknown-ignored-path": Code("an entry of ignoreChanges that ignores nothing", switchable=True),
    # configurations against connector specs (stage 5)
    "ambiguous-connector": Code("several connectors have this name"),
    "config-missing-key": Code(
        "a key that the connector's spec requires is not there", switchable=True
    ),
    "config-no-form": Code(
        "a mapping that fits none of the forms the spec offers", switchable=True
    ),
    "config-wrong-type": Code("a value of another type than the spec's", switchable=True),
    "config-wrong-value": Code(
        "the right type with a value that the spec does not allow", switchable=True
    ),
    "looks-like-a-secret": Code(
        "a value in clear that no specification describes, and whose key or form is that of a secret",
        _WARNING,
        switchable=True,
    ),
    "specification-unknown": Code(
        "a connector of which no specification is known: nothing of its configuration is checked",
        _WARNING,
        switchable=True,
    ),
    "unknown-config-key": Code(
        "a key that the spec does not know: Airbyte accepts it silently", _WARNING, switchable=True
    ),
    "unknown-connector": Code("a connector that the server does not have"),
    # streams against what their source offers (stage 6)
    "ambiguous-namespace": Code(
        "a stream that the source has in several namespaces", switchable=True
    ),
    "columns-unresolved": Code("{except: …} does not leave columns that are known"),
    "cursor-missing": Code("an incremental stream without any cursor", switchable=True),
    "cursor-source-defined": Code(
        "a cursor where the source defines another one itself", switchable=True
    ),
    "discovery-failed": Code("the source did not say what it offers", _WARNING, switchable=True),
    "key-missing": Code("a mode that merges rows, without any key", switchable=True),
    "key-source-defined": Code(
        "a key where the source defines another one itself", switchable=True
    ),
    "too-many-fields": Code("more fields than Airbyte takes in one connection", switchable=True),
    "unknown-column": Code("a column that the stream does not have", switchable=True),
    "unknown-stream": Code("a stream that the source does not offer", switchable=True),
    "unsupported-sync-mode": Code(
        "a sync mode that the source or the destination can't do",
        except_="a warning for overwrite modes, which Airbyte accepts nevertheless",
        switchable=True,
    ),
    "wrong-namespace": Code(
        "a namespace in which the source does not have the stream", switchable=True
    ),
    # what is live
    "ambiguous-name": Code("several live objects have the name, so none can be meant"),
    "claimed-twice": Code("two manifests mean the same live object"),
    "keep-without-secret": Code("${keep} where the server has no secret to keep"),
    "left-behind": Code(
        "what a replacement that was cut off left, and nothing goes on with",
        _WARNING,
        switchable=True,
    ),
    "looks-like-rename": Code(
        "a new object like a live one that no manifest means", switchable=True
    ),
    "not-on-this-server": Code(
        "something that the server, being older, does not have", switchable=True
    ),
    "pin-not-live": Code("a pinned id that is not live; never a create"),
    "streams-missing": Code("a new connection that does not say its streams"),
    "absent-not-found": Code(
        "state: absent, and nothing live is what it names", _WARNING, switchable=True
    ),
    "manifest-removed": Code(
        "a manifest that left git while its object stays live", _WARNING, switchable=True
    ),
    "released-value": Code(
        "a value that left git while Airbyte keeps it", _WARNING, switchable=True
    ),
    "check-failed": Code(
        "a source or destination that fails its connection test",
        except_="a warning where the plan changes it, for the test is of what is stored now",
        switchable=True,
    ),
    # plans and their guards
    "excluded-but-needed": Code("--exclude leaves out what another change needs"),
    "job-running": Code(
        "a job runs on a connection that is to be deleted or replaced, or nobody can tell"
    ),
    "limit-deletes": Code("more goes than the target's limit allows"),
    "limit-stops": Code("more streams stop than were meant"),
    "limit-updates": Code("more changes than the target's limit allows"),
    "nothing-selected": Code("an address or pattern that means no manifest"),
    "nothing-stated": Code("no manifest is for a target whose workspace holds something"),
    "selection-widened": Code(
        "a change that was not asked for and is needed", _WARNING, switchable=True
    ),
    "stale-allow": Code("consent that nothing in the plan needs", _WARNING, switchable=True),
}
