//! Miniature Odoo databases with the real tables, columns and types of each version.
