//! `orderly completions`: for the shell.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  orderly completions bash > ~/.local/share/bash-completion/completions/orderly
  orderly completions zsh > ~/.zfunc/_orderly
  orderly completions fish > ~/.config/fish/completions/orderly.fish")]
pub struct Arguments {
    shell: Shell,
}

pub fn run(arguments: Arguments) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Cli::command(), "orderly", &mut text);
    print!("{}", String::from_utf8_lossy(&text));
    ExitCode::SUCCESS
}
