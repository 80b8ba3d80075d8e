"""Several nodes on one machine, as ``celeriac multi`` sees them: words -> members -> processes."""
