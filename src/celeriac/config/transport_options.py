"""Names in ``broker_transport_options`` and ``result_backend_transport_options``: which are honoured, which are Celery's.

In a program's life: asked when one of the two settings is written. An unknown name is a warning, not an error: Celery hands
them to libraries that know more names than any list. Source: Celery's pages on Redis, RabbitMQ and SQS.
Does not know: which driver will be opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final

HONOURED: Final = frozenset({
    "visibility_timeout", "global_keyprefix", "priority_steps", "sep", "master_name", "min_other_sentinels", "sentinel_kwargs",
    "socket_connect_timeout", "socket_keepalive", "socket_keepalive_options", "client_name", "username", "password",
    "ssl_keyfile", "ssl_certfile", "ssl_cert_reqs", "ssl_ca_certs", "ssl_ca_path", "ssl_ca_data", "ssl_check_hostname",
    "ssl_password", "fanout_prefix", "fanout_patterns",
})  # fmt: skip
"""Options that a driver of this version reads."""
_NUMBERS: Final = ("visibility_timeout", "socket_connect_timeout", "min_other_sentinels")
_RETRIES: Final = "max_retries interval_start interval_step interval_max connect_retries_timeout errback callback"
_AMQP: Final = "client_properties confirm_publish read_timeout write_timeout login_method socket_settings frame_max channel_max"
_REDIS: Final = (
    "ack_emulation unacked_key unacked_index_key unacked_mutex_key unacked_mutex_expire unacked_restore_limit"
    " unacked_restore_interval unacked_restore_throttle socket_timeout queue_order_strategy"
    " max_connections health_check_interval retry_on_timeout sentinel_fanout_compat reauth_check_interval polling_interval"
    " body_encoding deadletter_queue"
)
_SQS: Final = (
    "queue_name_prefix region regioninfo is_secure port wait_time_seconds predefined_queues predefined_exchanges"
    " supports_fanout sqs-creation-attributes queue_tags client-config sts_role_arn sts_token_timeout sts_token_buffer_time"
    " sqs_base64_encoding fetch_message_attributes"
)
_FILES: Final = "data_folder_in data_folder_out store_processed processed_folder control_folder"
_RESULTS: Final = "retry_policy result_chord_ordered additional_connection_errors"
CELERYS: Final[Mapping[str, str]] = {
    name: driver
    for driver, names in (
        ("any", _RETRIES), ("amqp", _AMQP), ("redis", _REDIS), ("sqs", _SQS), ("filesystem", _FILES), ("redis", _RESULTS),
    )
    for name in names.split()
}  # fmt: skip
"""Option that Celery's drivers know and ours do not honour -> the driver."""


def faults(options: Mapping[str, Any]) -> Iterator[str]:
    """Say of each option that a driver reads as a number, and that is none, what it is."""
    for name in _NUMBERS:
        value = options.get(name)
        if value is not None and not _is_number(value):
            yield f"{name} = {value!r}: expected a number of 0 or more"


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return isfinite(float(value)) and float(value) >= 0
    except (TypeError, ValueError):
        return False


def doubts(options: Mapping[str, Any]) -> Iterator[str]:
    """Say of each option that will have no effect why."""
    for name in options:
        if name in HONOURED:
            continue
        if name in CELERYS:
            driver = CELERYS[name]
            yield f"{name} is not honoured by {'any driver' if driver == 'any' else f'the {driver} driver'} of this version"
        else:
            near = get_close_matches(str(name), {*HONOURED, *CELERYS}, n=1)
            yield f"no driver knows {name!r}: {f'did you mean {near[0]!r}?' if near else 'it has no effect'}"
