//! Whole incidents from the first line to the written post-mortem, against real things: a browser, servers, files.

mod browser;
mod kit;
mod servers;
