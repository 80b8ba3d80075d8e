"""The settings of result backends that have settings of their own, by their whole names.

In a program's life: known and kept until the backend's driver is there; a URL of such a backend says that it is not.
Does not know: drivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from celeriac.config.sections.kinds import WITH_STORES, Count, Harmless, Options, Seconds, Secretive, Text


class StoreSettings(Secretive, Struct, frozen=True, kw_only=True):
    """Result backends with settings of their own: Memcached, Cassandra, S3, Azure, Google, MongoDB and others."""

    override_backends: Annotated[Mapping[str, Any] | None, WITH_STORES] = None
    """``override_backends``: scheme -> dotted name of the class that serves it."""
    visibility_timeout: Annotated[Seconds | None, Harmless("the option of that name in broker_transport_options counts")] = None
    """``visibility_timeout``: no setting of Celery either, though some pages say so."""
    cache_backend: Annotated[Text, WITH_STORES] = None
    """``cache_backend``: the cache of ``result_backend = "cache"`` and of django-celery-results."""
    cache_backend_options: Annotated[Options, WITH_STORES] = {}
    """``cache_backend_options``: options of the Memcached client."""
    cassandra_entry_ttl: Annotated[Seconds | None, WITH_STORES] = None
    """``cassandra_entry_ttl``: how long a result is kept. ``None``: for ever."""
    cassandra_keyspace: Annotated[Text, WITH_STORES] = None
    """``cassandra_keyspace``: keyspace that holds the results."""
    cassandra_port: Annotated[int | str | None, WITH_STORES] = None
    """``cassandra_port``: port of the servers. ``None``: 9042."""
    cassandra_read_consistency: Annotated[Text, WITH_STORES] = None
    """``cassandra_read_consistency``: consistency level of reads."""
    cassandra_write_consistency: Annotated[Text, WITH_STORES] = None
    """``cassandra_write_consistency``: consistency level of writes."""
    cassandra_servers: Annotated[tuple[str, ...] | None, WITH_STORES] = None
    """``cassandra_servers``: hosts to begin with; not together with a bundle."""
    cassandra_bundle_path: Annotated[Text, WITH_STORES] = None
    """``cassandra_bundle_path``: an older name of ``cassandra_secure_bundle_path``."""
    cassandra_secure_bundle_path: Annotated[Text, WITH_STORES] = None
    """``cassandra_secure_bundle_path``: file with what it takes to connect to Astra."""
    cassandra_table: Annotated[Text, WITH_STORES] = None
    """``cassandra_table``: table of the results."""
    cassandra_auth_provider: Annotated[Text, WITH_STORES] = None
    """``cassandra_auth_provider``: class in ``cassandra.auth``."""
    cassandra_auth_kwargs: Annotated[Mapping[str, Any] | None, WITH_STORES] = None
    """``cassandra_auth_kwargs``: arguments of that class."""
    cassandra_options: Annotated[Options, WITH_STORES] = {}
    """``cassandra_options``: more arguments of the driver's cluster."""
    s3_access_key_id: Annotated[Text, WITH_STORES] = None
    """``s3_access_key_id``: id of the key to Amazon."""
    s3_secret_access_key: Annotated[Text, WITH_STORES] = None
    """``s3_secret_access_key``: the key."""
    s3_bucket: Annotated[Text, WITH_STORES] = None
    """``s3_bucket``: bucket that holds the results."""
    s3_base_path: Annotated[Text, WITH_STORES] = None
    """``s3_base_path``: how keys in the bucket begin."""
    s3_endpoint_url: Annotated[Text, WITH_STORES] = None
    """``s3_endpoint_url``: another server that speaks S3."""
    s3_region: Annotated[Text, WITH_STORES] = None
    """``s3_region``: region of the bucket."""
    azureblockblob_container_name: Annotated[str, WITH_STORES] = "celery"
    """``azureblockblob_container_name``: container that holds the results."""
    azureblockblob_base_path: Annotated[str, WITH_STORES] = ""
    """``azureblockblob_base_path``: how names in the container begin."""
    azureblockblob_retry_initial_backoff_sec: Annotated[Seconds, WITH_STORES] = 2
    """``azureblockblob_retry_initial_backoff_sec``: the first pause before a call is tried again."""
    azureblockblob_retry_increment_base: Annotated[Count, WITH_STORES] = 2
    """``azureblockblob_retry_increment_base``: base of the growth of the pauses."""
    azureblockblob_retry_max_attempts: Annotated[Count, WITH_STORES] = 3
    """``azureblockblob_retry_max_attempts``: how many times."""
    azureblockblob_connection_timeout: Annotated[Seconds, WITH_STORES] = 20
    """``azureblockblob_connection_timeout``: for opening a connection."""
    azureblockblob_read_timeout: Annotated[Seconds, WITH_STORES] = 120
    """``azureblockblob_read_timeout``: for one answer."""
    gcs_bucket: Annotated[Text, WITH_STORES] = None
    """``gcs_bucket``: bucket of Google Cloud Storage that holds the results."""
    gcs_project: Annotated[Text, WITH_STORES] = None
    """``gcs_project``: id of the project that owns the bucket."""
    gcs_base_path: Annotated[str, WITH_STORES] = ""
    """``gcs_base_path``: how names in the bucket begin."""
    gcs_ttl: Annotated[Seconds, WITH_STORES] = 0
    """``gcs_ttl``: how long a result is kept. 0: for ever."""
    gcs_threadpool_maxsize: Annotated[Count | None, WITH_STORES] = None
    """``gcs_threadpool_maxsize``: most threads and connections. ``None``: 10."""
    firestore_project: Annotated[Text, WITH_STORES] = None
    """``firestore_project``: project that counts chords. ``None``: ``gcs_project``."""
    couchbase_backend_settings: Annotated[Mapping[str, Any] | None, WITH_STORES] = None
    """``couchbase_backend_settings``: host, port, bucket, username, password."""
    arangodb_backend_settings: Annotated[Mapping[str, Any] | None, WITH_STORES] = None
    """``arangodb_backend_settings``: host, port, database, collection, username, password, http_protocol, verify."""
    mongodb_backend_settings: Annotated[Mapping[str, Any] | None, WITH_STORES] = None
    """``mongodb_backend_settings``: database, taskmeta_collection, groupmeta_collection, max_pool_size, options."""
    cosmosdbsql_database_name: Annotated[str, WITH_STORES] = "celerydb"
    """``cosmosdbsql_database_name``: database that holds the results."""
    cosmosdbsql_collection_name: Annotated[str, WITH_STORES] = "celerycol"
    """``cosmosdbsql_collection_name``: collection that holds the results."""
    cosmosdbsql_consistency_level: Annotated[str, WITH_STORES] = "Session"
    """``cosmosdbsql_consistency_level``: consistency level of the client."""
    cosmosdbsql_max_retry_attempts: Annotated[Count, WITH_STORES] = 9
    """``cosmosdbsql_max_retry_attempts``: how many times a call is tried again."""
    cosmosdbsql_max_retry_wait_time: Annotated[Seconds, WITH_STORES] = 30
    """``cosmosdbsql_max_retry_wait_time``: for all tries together."""
    elasticsearch_retry_on_timeout: Annotated[bool | None, WITH_STORES] = None
    """``elasticsearch_retry_on_timeout``: ask another server when one does not answer in time."""
    elasticsearch_max_retries: Annotated[Count | None, WITH_STORES] = None
    """``elasticsearch_max_retries``: how many times."""
    elasticsearch_timeout: Annotated[Seconds | None, WITH_STORES] = None
    """``elasticsearch_timeout``: for one answer."""
    elasticsearch_save_meta_as_text: Annotated[bool, WITH_STORES] = True
    """``elasticsearch_save_meta_as_text``: results are stored as text, not as fields."""
    dynamodb_endpoint_url: Annotated[Text, WITH_STORES] = None
    """``dynamodb_endpoint_url``: another server that speaks DynamoDB."""
