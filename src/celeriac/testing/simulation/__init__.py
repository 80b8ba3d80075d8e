"""A whole fleet in one thread, from a seed: the worker's own parts on a memory store, under a virtual clock, among faults.

    from celeriac.testing.simulation import simulate

    report = simulate(42)
    assert report.ok, report          # the report shows every event of a world that went wrong

``docs/design/simulation.md`` says how to read a trace and how to add a fault.
"""

from celeriac.testing.simulation.ledger import Ledger
from celeriac.testing.simulation.report import Report, Scale, Violation
from celeriac.testing.simulation.store import SimulatedStore
from celeriac.testing.simulation.world import Model, simulate

__all__ = ["Ledger", "Model", "Report", "Scale", "SimulatedStore", "Violation", "simulate"]
