"""Of what commands are made, under Celery's path."""

from celeriac.cli.plugin_classes import (
    COMMA_SEPARATED_LIST,
    ISO8601,
    ISO8601_OR_FLOAT,
    JSON_ARRAY,
    JSON_OBJECT,
    LOG_LEVEL,
    CeleryCommand,
    CeleryDaemonCommand,
    CeleryOption,
    CommaSeparatedList,
    DaemonOption,
    ISO8601DateTime,
    ISO8601DateTimeOrFloat,
    JsonArray,
    JsonObject,
    LogLevel,
    consume_preload_options,
    handle_preload_options,
    handle_remote_command_error,
)
from celeriac.cli.plugin_context import PluginContext as CLIContext
