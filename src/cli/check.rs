//! `hookglot check`: everything that can be found wrong before hooks come.

use super::{FAILED, UNREADABLE, out};
use crate::config::{self, Flags};
use crate::mapping::{Diagnostics, Files};
use crate::{delivery, mapping_files, schemas};
use std::process::ExitCode;

pub(super) fn run(flags: &Flags) -> ExitCode {
    let (files, refused) = match config::load(flags, &super::environment()) {
        Ok(settings) => (settings.files, None),
        Err(refused) => (refused.files.clone(), Some(refused)),
    };
    if let Some(refused) = &refused {
        out::error(refused);
    }
    for change in mapping_files::changes(&files) {
        out::line(&change);
    }
    let mappings = mappings(&files);
    match (&mappings, &refused) {
        (Ok((summary, warnings)), None) => {
            out::findings(warnings);
            out::line(summary);
            ExitCode::SUCCESS
        }
        (Ok((_, findings)) | Err(findings), refused) => {
            out::findings(findings);
            let is_unreadable = refused.as_ref().is_some_and(|refused| refused.unreadable);
            ExitCode::from(if is_unreadable { UNREADABLE } else { FAILED })
        }
    }
}

/// What is sound, and the warnings beside it.
fn mappings(files: &Files) -> Result<(String, Diagnostics), Diagnostics> {
    let (forges, directions, mut warnings) = delivery::load(files)?;
    let (mut mappings, mut examples) = (0, 0);
    for ((_, to), set) in &directions {
        mappings += set.len();
        if let Some(target) = forges.named(to) {
            let (checked, found) = schemas::check(files, target, set);
            examples += checked;
            warnings.extend(found);
        }
    }
    let names: Vec<&str> = forges.iter().map(|forge| forge.name()).collect();
    Ok((format!("sound: forges {}, {mappings} mappings, {examples} examples", names.join(" and ")), warnings))
}
