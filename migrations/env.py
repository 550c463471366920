"""Runs revisions on the connection it is given: the caller's unit of work, which also commits."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
