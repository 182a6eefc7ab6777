//! The program on chat platforms, on the real wire. What holds on all of them alike is in `one`; what each of them does
//! in its own way is in its folder, with the hands by which `one` uses it.

mod agree;
mod both;
mod deaths;
mod discord;
mod held;
mod kept;
mod local;
mod one;
mod process;
mod slack;
