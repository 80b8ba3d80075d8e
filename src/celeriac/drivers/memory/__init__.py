"""A store in the memory of one process: the model that the other drivers are compared with."""
