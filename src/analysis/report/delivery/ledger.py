"""What was sent, to whom and when; a message begun and never confirmed is in doubt.

Before anything is sent a line says that it is being sent; afterwards that it was.  A process that
dies in between leaves the first: whether it arrived nobody here can know, so it is not sent again
until somebody says so.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.project import paths
from analysis.project.errors import ExchangeError
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.project.whole_file import write_whole

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "deliveries"
ID_DIGITS = 12
Kind = Literal["report", "failure", "withheld", "overdue", "alert"]
State = Literal["being sent", "sent"]


class Delivery(BaseModel):
    """One message to one recipient."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivery_id: Annotated[str, Field(pattern=f"^[0-9a-f]{{{ID_DIGITS}}}$")]
    kind: Kind
    to: str  # an e-mail address, or "webhook"
    dataset: str
    quarter: str
    pack: str | None
    run_id: str
    state: State
    by: str
    begun_at: str
    sent_at: str | None = None

    @property
    def is_in_doubt(self) -> bool:
        """Whether sending began and its end was not recorded."""
        return self.state == "being sent"


def delivery_id(*parts: str | None) -> str:
    """Return the id of a message: equal parts are the same message, whenever it is sent."""
    text = json.dumps(parts, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def read_deliveries(dataset: str) -> dict[str, Delivery]:
    """Return all that was sent of a dataset, or begun to be, by id.

    Raises
    ------
    ExchangeError
        If a file there cannot be read: nothing is sent then, lest it be sent twice.
    """
    folder = paths.history_folder(dataset) / FOLDER
    deliveries = {}
    for file in sorted(folder.glob("*.json")):
        try:
            delivery = Delivery.model_validate_json(file.read_bytes())
        except ValidationError:
            raise ExchangeError(
                f"data/history/{dataset}/{FOLDER}/{file.name}: cannot be read, so what was sent is "
                "not known. Put it back from a backup, or remove it if that was never sent."
            ) from None
        deliveries[delivery.delivery_id] = delivery
    return deliveries


def note_begun(delivery: Delivery) -> Delivery:
    """Record on disk that a message is about to be sent."""
    begun = delivery.model_copy(update={"state": "being sent", "begun_at": _now(), "sent_at": None})
    _write(begun)
    return begun


def note_sent(delivery: Delivery) -> Delivery:
    """Note that a message was handed over."""
    sent = delivery.model_copy(update={"state": "sent", "sent_at": _now()})
    _write(sent)
    return sent


def forget(delivery: Delivery) -> None:
    """Delete the record of a message that certainly did not go out."""
    _file(delivery).unlink(missing_ok=True)


def _file(delivery: Delivery) -> Path:
    folder = paths.history_folder(delivery.dataset) / FOLDER
    return folder / f"{delivery.delivery_id}.json"


def _write(delivery: Delivery) -> None:
    file = _file(delivery)
    private_folder(paths.history_folder(delivery.dataset))
    private_folder(file.parent)
    with write_whole(file, mode=FILE_OF_OWNER) as part:
        part.write_text(delivery.model_dump_json(indent=1) + "\n", encoding="utf-8")
        _to_disk(part)
    _to_disk(file.parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> str:
    return dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
