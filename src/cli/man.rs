//! `hookglot man`: the manual, made from the command line itself; one page of everything, or a folder with a page for each
//! command.

use super::{Cli, FAILED, out};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(folder: Option<&Path>) -> ExitCode {
    let written = match folder {
        Some(folder) => std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .map_err(|error| format!("{}: {error}", folder.display())),
        None => page()
            .map_err(|error| error.to_string())
            .and_then(|page| if out::bytes(&page) { Ok(()) } else { Err("nobody reads standard output".to_owned()) }),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            out::error(message);
            ExitCode::from(FAILED)
        }
    }
}

/// One page: the command, and each command below it as a section.
fn page() -> io::Result<Vec<u8>> {
    // Each command can say `help`: once is enough.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    let whole = Man::new(command.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    for below in command.get_subcommands() {
        add(below, &mut page)?;
    }
    Ok(page)
}

/// Adds a command and those below it.
fn add(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    page.extend_from_slice(format!(".SH \"{}\"\n", name.to_uppercase()).as_bytes());
    let man = Man::new(command.clone());
    let mut sections = Vec::new();
    man.render_synopsis_section(&mut sections)?;
    man.render_description_section(&mut sections)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut sections)?;
    }
    // What is a section of a page of its own is a part of this section.
    let text = String::from_utf8_lossy(&sections).replace(".SH ", ".SS ");
    // What a page begins with stands in it once.
    let lines = text.lines().filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el "));
    page.extend(lines.flat_map(|line| [line.as_bytes(), b"\n"]).flatten());
    command.get_subcommands().try_for_each(|below| add(below, page))
}
