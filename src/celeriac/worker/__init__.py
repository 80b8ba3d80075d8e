"""A node supervises children; each child is a whole worker."""
