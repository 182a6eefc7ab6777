-- The books of the demo's shop. Times are RFC 3339 in UTC with milliseconds, so that they sort as text.
CREATE TABLE IF NOT EXISTS products (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    cents INTEGER NOT NULL CHECK (cents > 0)     -- the supplier's list price
);
CREATE TABLE IF NOT EXISTS prices (              -- the newest of a product is what customers pay
    id       INTEGER PRIMARY KEY,
    product  INTEGER NOT NULL REFERENCES products (id),
    cents    INTEGER NOT NULL,
    at       TEXT NOT NULL,
    job      TEXT,
    repaired TEXT
);
CREATE INDEX IF NOT EXISTS prices_of_product ON prices (product, id);
CREATE INDEX IF NOT EXISTS wrong_prices ON prices (id) WHERE cents < 0;
CREATE TABLE IF NOT EXISTS orders (
    id      INTEGER PRIMARY KEY,
    product INTEGER NOT NULL REFERENCES products (id),
    cents   INTEGER NOT NULL,
    at      TEXT NOT NULL,
    shipped TEXT
);
CREATE INDEX IF NOT EXISTS waiting_orders ON orders (id) WHERE shipped IS NULL;
CREATE TABLE IF NOT EXISTS jobs (
    name     TEXT PRIMARY KEY,
    running  INTEGER NOT NULL,
    last_run TEXT
);
CREATE TABLE IF NOT EXISTS changes (             -- the newest with a mapping is the mapping in use
    id      INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,
    what    TEXT NOT NULL,
    by      TEXT NOT NULL,
    mapping TEXT
);
CREATE TABLE IF NOT EXISTS log (
    id   INTEGER PRIMARY KEY,
    at   TEXT NOT NULL,
    line TEXT NOT NULL
);
