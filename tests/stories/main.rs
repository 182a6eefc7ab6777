//! Whole incidents from the first line to the written post-mortem, against real things: a browser, servers, files.

mod kit;
mod servers;
