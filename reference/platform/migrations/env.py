"""Run by Alembic for each history: over the connection that `upgrade` has, a transaction for each step."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
