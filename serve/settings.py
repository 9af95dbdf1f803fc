"""Where the store, its log and the definitions are: options, NOWTHEN_STORE, NOWTHEN_LOG and NOWTHEN_DEFINITIONS, or [tool.nowthen]."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
)

from ..engine.errors import Invalid, NotFound


class Settings(BaseSettings):
    """What can be configured. What comes first counts: an option, the environment, the nearest pyproject.toml."""

    model_config = SettingsConfigDict(
        env_prefix="NOWTHEN_", pyproject_toml_table_header=("tool", "nowthen"), pyproject_toml_depth=8, extra="ignore"
    )

    store: str | None = None
    log: str | None = None  # the local folder of pushed rows, where the store is not local
    definitions: str | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is theirs
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, environment, pyproject.toml."""
        return init_settings, env_settings, PyprojectTomlConfigSettingsSource(settings_cls)


def settings(store: str | None, definitions: str | None) -> Settings:
    """The settings with options that were given on top."""
    given = {name: value for name, value in (("store", store), ("definitions", definitions)) if value is not None}
    return Settings(**given)


def store_path(found: Settings) -> str:
    """The store's path, or how to give it."""
    if not found.store:
        raise Invalid(
            "which store? Pass --store PATH, set NOWTHEN_STORE, or write store = 'PATH' under [tool.nowthen] in pyproject.toml."
        )
    return found.store


def definitions_path(found: Settings) -> str:
    """The definitions' file or module, or how to give it."""
    if not found.definitions:
        raise Invalid(
            "which definitions? Pass --definitions FILE_OR_MODULE, set NOWTHEN_DEFINITIONS, or write definitions = '...' under [tool.nowthen] "
            "in pyproject.toml."
        )
    if found.definitions.endswith(".py") and not Path(found.definitions).is_file():
        raise NotFound(f"definitions {found.definitions!r}: there is no such file.")
    return found.definitions
