"""Signatures and what is made of them, under Celery's path."""

from celeriac.app.canvas import group
from celeriac.app.chains import chain
from celeriac.app.chords import chord
from celeriac.app.maps import Map, chunks, xmap, xstarmap
from celeriac.app.signature import Signature, maybe_signature, signature
from celeriac.app.stamping import StampingVisitor

_basemap = Map
_chain = chain
_chord = chord
subtask = signature
maybe_subtask = maybe_signature
