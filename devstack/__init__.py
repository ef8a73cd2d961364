"""The embedded stack: real servers without Docker or root, fetched by package managers.

See `devstack.stack.Stack`; from a shell, `python -m devstack up DIR`.
"""
