"""Settings: parsed once, at the edge, into typed sections."""
