"""A project with a report that may go out, and a mail server that takes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from delivered_project import published_project
from loopback_servers import Inbox, mail_server


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a project of two deals with a report of 2026Q2 that follows from them."""
    return published_project(tmp_path_factory.mktemp("delivered") / "project")


@pytest.fixture
def root(published, tmp_path):
    """Return a copy of that project."""
    return Path(shutil.copytree(published, tmp_path / "project"))


@pytest.fixture
def inbox():
    """Return an inbox and its server's port."""
    box = Inbox()
    with mail_server(box) as port:
        box.port = port
        yield box
