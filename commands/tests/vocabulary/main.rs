//! The vocabulary as people meet it: what may be typed, what is understood, what is said when it is not.

mod completing;
mod helping;
mod limits;
mod mistakes;
mod parsing;
mod properties;
mod times;
