//! Printing that ends quietly where nobody reads on: `orderly timeline | head` is no error. In this room these macros stand in
//! the place of the standard ones, which panic then.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

macro_rules! print {
    ($($words:tt)*) => { $crate::cli::quiet::out(format_args!($($words)*)) };
}

macro_rules! println {
    ($($words:tt)*) => { $crate::cli::quiet::out(format_args!("{}\n", format_args!($($words)*))) };
}

macro_rules! eprint {
    ($($words:tt)*) => { $crate::cli::quiet::err(format_args!($($words)*)) };
}

macro_rules! eprintln {
    ($($words:tt)*) => { $crate::cli::quiet::err(format_args!("{}\n", format_args!($($words)*))) };
}

/// To standard output. What cannot be written for another reason than a reader who left (a full disk) ends the program: half
/// of a document must not pass for a whole one.
pub fn out(words: Arguments<'_>) {
    let stdout = io::stdout();
    match stdout.lock().write_fmt(words) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            err(format_args!("orderly: the output cannot be written: {error}\n"));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// To standard error. There is nobody to tell that it cannot be written.
pub fn err(words: Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(words);
}
