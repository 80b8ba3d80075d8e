"""Names of what is kept elsewhere lead back to the tasks that it is about. (What is kept when: ``test_unrolling.py``.)"""

from __future__ import annotations

import pytest

from celeriac.app.flows.keeping import abandoning, stood_for


@pytest.mark.parametrize("id", ["first", "kept-first", "kept-kept-first", abandoning("first"), abandoning("kept-first")])
def test_a_reference_and_a_call_that_only_ends_others_tell_which_task_they_stood_for(id: str) -> None:
    found = stood_for(id)

    assert found == "first"
