"""Settings at the end of a command line."""

from __future__ import annotations

import click
import pytest

from celeriac.cli.extra_settings import extra_settings


def test_values_are_json_and_text_where_they_are_none() -> None:
    words = ["worker_prefetch_multiplier=1", "task_acks_late=true", "timezone=Europe/Berlin", "result_expires=None"]

    settings = extra_settings(words)

    assert settings == {
        "worker_prefetch_multiplier": 1,
        "task_acks_late": True,
        "timezone": "Europe/Berlin",
        "result_expires": None,
    }


def test_celerys_dotted_form_names_the_same_setting() -> None:
    words = ["worker.prefetch_multiplier=1"]

    settings = extra_settings(words)

    assert settings == {"worker_prefetch_multiplier": 1}


@pytest.mark.parametrize("word", ["nonsense", "=1"])
def test_a_word_that_is_no_setting_is_refused(word: str) -> None:
    words = [word]

    with pytest.raises(click.UsageError, match="neither an option nor a setting"):
        extra_settings(words)
