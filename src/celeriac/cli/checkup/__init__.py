"""What ``celeriac doctor`` looks at: settings, stores, the fleet."""
