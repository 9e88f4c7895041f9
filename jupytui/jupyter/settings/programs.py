"""What is built into Jupyter's programs: their classes, what they hand on, which keys are deprecated.

Names as of jupyter_server 2.21, jupyterlab 4.6, notebook 7.6 and notebook_shim 0.2; what an environment has of its own
comes from `oracle` and goes before these.
"""

from __future__ import annotations

from jupytui.jupyter.settings.models import Application

SERVER = "ServerApp"
_CORE = ("JupyterApp", "Application", "SingletonConfigurable", "LoggingConfigurable", "Configurable")
_LOGGING = ("LoggingConfigurable", "Configurable")
# Most special first. Of each object of a server, the classes a value may be written for.
ANCESTRY: tuple[tuple[str, ...], ...] = (
    (SERVER, *_CORE),
    ("PasswordIdentityProvider", "IdentityProvider", *_LOGGING),
    ("AsyncMappingKernelManager", "MappingKernelManager", "AsyncMultiKernelManager", "MultiKernelManager", *_LOGGING),
    (
        *("AsyncLargeFileManager", "AsyncFileContentsManager", "AsyncFileManagerMixin", "AsyncContentsManager"),
        *("LargeFileManager", "FileContentsManager", "FileManagerMixin", "ContentsManager", *_LOGGING),
    ),
    ("ZMQChannelsWebsocketConnection", "BaseKernelWebsocketConnection", *_LOGGING),
)
STARTERS = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}

# notebook_shim.shim.IGNORED_TRAITS: never moved.
IGNORED = frozenset({"open_browser", "log_level", "log_format", "default_url", "show_banner"})
_EXTENSION_TRAITS = frozenset(
    [
        "answer_yes",
        "classes",
        "config_file",
        "config_file_name",
        "default_url",
        "extra_args",
        "file_url_prefix",
        "generate_config",
        "handlers",
        "log_datefmt",
        "log_format",
        "log_level",
        "logging_config",
        "open_browser",
        "settings",
        "show_config",
        "show_config_json",
        "static_paths",
        "static_url_prefix",
        "template_paths",
    ]
)
NOTEBOOK_TRAITS = _EXTENSION_TRAITS | frozenset(
    [
        "enable_mathjax",
        "extra_nbextensions_path",
        "extra_static_paths",
        "extra_template_paths",
        "ignore_minified_js",
        "jinja_environment_options",
        "jinja_template_vars",
        "mathjax_config",
        "mathjax_url",
        "nbserver_extensions",
        "quit_button",
        "static_custom_path",
    ]
)
_LAB_TRAITS = _EXTENSION_TRAITS | frozenset(
    [
        "allowed_extensions_uris",
        "app_dir",
        "app_settings_dir",
        "app_url",
        "app_version",
        "blacklist_uris",
        "blocked_extensions_uris",
        "cache_files",
        "check_for_updates_class",
        "collaborative",
        "copy_absolute_path",
        "core_mode",
        "custom_css",
        "dev_mode",
        "expose_app_in_browser",
        "extension_manager",
        "extensions_in_dev_mode",
        "extra_labextensions_path",
        "labextensions_path",
        "labextensions_url",
        "licenses_url",
        "listings_refresh_seconds",
        "listings_request_options",
        "listings_url",
        "override_static_url",
        "override_theme_url",
        "schemas_dir",
        "skip_dev_build",
        "splice_source",
        "static_dir",
        "templates_dir",
        "themes_dir",
        "themes_url",
        "translations_api_url",
        "tree_url",
        "user_settings_dir",
        "watch",
        "whitelist_uris",
        "workspaces_api_url",
        "workspaces_dir",
    ]
)
LAB = Application(
    "LabApp", "jupyter_lab_config", True, _LAB_TRAITS, ("LabApp", "LabServerApp", "ExtensionApp", *_CORE),
    (("default_url", "/lab"), ("file_url_prefix", "/lab/tree")), "jupyterlab",
)  # fmt: skip
NOTEBOOK = Application(
    "JupyterNotebookApp", "jupyter_notebook_config", True, _LAB_TRAITS, ("JupyterNotebookApp", "ExtensionApp", *_CORE),
    (("default_url", "/tree"), ("file_url_prefix", "/notebooks")), "notebook",
)  # fmt: skip
APPLICATIONS = (LAB, NOTEBOOK)

# What the server copies to another key, unless that has a value already (ServerApp._warn_deprecated_config).
DEPRECATED: dict[str, tuple[str, str]] = {
    "ServerApp.password": ("PasswordIdentityProvider", "hashed_password"),
    "ServerApp.password_required": ("PasswordIdentityProvider", "password_required"),
    "ServerApp.allow_password_change": ("PasswordIdentityProvider", "allow_password_change"),
    "ServerApp.token": ("IdentityProvider", "token"),
    "ServerApp.cookie_options": ("IdentityProvider", "cookie_options"),
    "ServerApp.get_secure_cookie_kwargs": ("IdentityProvider", "get_secure_cookie_kwargs"),
    **{
        f"ServerApp.{name}": ("ZMQChannelsWebsocketConnection", name)
        for name in (
            "kernel_ws_protocol", "limit_rate", "iopub_msg_rate_limit", "iopub_data_rate_limit", "rate_limit_window",
        )
    },
}  # fmt: skip
