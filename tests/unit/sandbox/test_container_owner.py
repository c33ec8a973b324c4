"""Whose a container is, and whether that process is still there."""

import dataclasses

from layerkit.sandbox.container_owner import Owner


def test_this_process_is_there_and_its_labels_name_it() -> None:
    this = Owner.this()
    assert not this.is_gone()
    assert Owner.from_labels(this.labels) == this
    assert this.host_filter in {f"{name}={value}" for name, value in this.labels.items()}


def test_a_number_that_another_process_has_by_now_is_gone() -> None:
    this = Owner.this()
    if this.started:  # where the system tells when a process began
        assert dataclasses.replace(this, started="1").is_gone()


def test_processes_of_other_hosts_are_never_taken_for_gone() -> None:
    assert not Owner(host="another", pid=2**22 + 7, started="1").is_gone()


def test_a_process_that_does_not_exist_is_gone() -> None:
    assert dataclasses.replace(Owner.this(), pid=2**22 + 7).is_gone()


def test_labels_that_name_no_owner() -> None:
    assert Owner.from_labels({}) is None
    assert Owner.from_labels({"layerkit.host": "x", "layerkit.pid": "-1"}) is None
