"""Alembic migrations of the store; run by adapter.store.base when a store is opened."""
