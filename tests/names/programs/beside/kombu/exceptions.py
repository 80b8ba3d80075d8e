"""Errors by kombu's names."""


class KombuError(Exception):
    pass


class OperationalError(KombuError):
    pass


class SerializationError(KombuError):
    pass


class EncodeError(SerializationError):
    pass


class DecodeError(SerializationError):
    pass


class ContentDisallowed(KombuError):
    pass
