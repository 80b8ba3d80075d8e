"""Settings as words of a command line."""

from __future__ import annotations

import pytest

from celeriac.config.words import settings_from


def test_a_word_is_read_as_what_its_setting_can_be() -> None:
    words = [
        "worker.concurrency=3",
        "task_default_queue=5",
        "task_compression=None",
        "task_acks_late=True",
        "timezone=Europe/Paris",
    ]

    assert settings_from(words) == {
        "worker_concurrency": 3,
        "task_default_queue": "5",
        "task_compression": None,
        "task_acks_late": True,
        "timezone": "Europe/Paris",
    }


def test_mappings_and_lists_are_json() -> None:
    words = ['broker_transport_options={"visibility_timeout": 60}', 'accept_content=["json", "yaml"]']

    assert settings_from(words) == {
        "broker_transport_options": {"visibility_timeout": 60},
        "accept_content": ["json", "yaml"],
    }


def test_a_name_that_begins_with_a_dot_is_of_the_namespace() -> None:
    assert settings_from([".concurrency=3"], namespace="worker") == {"worker_concurrency": 3}


@pytest.mark.parametrize("word", ["nonsense", "=1", ".=1"])
def test_a_word_of_another_form_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=f"^{word}$"):
        settings_from([word])
