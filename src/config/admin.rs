//! Who may ask the admin API: tokens with a name and rights.

use super::fields::{Collector, Fields};
use super::secrets::secret;
use crate::secret::{Secret, Secrets};
use std::collections::HashSet;

/// A token below so many characters can be guessed.
const SHORTEST: usize = 16;
/// The name of the token that stands alone, as `admin_token`.
const ALONE: &str = "admin";

/// A token of the admin API.
#[derive(Debug, Clone)]
pub struct AdminToken {
    /// Who has it: stands in the audit log.
    pub name: String,
    /// What it may do.
    pub rights: Rights,
    /// The token, as its hash.
    pub token: Secrets,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// Look at everything.
    Read,
    /// Send again, force and erase as well.
    Write,
}

/// The token that stands alone, and those of `[[admin.token]]`.
pub(super) fn tokens(top: &mut Fields, all: &mut Collector<'_>) -> Vec<AdminToken> {
    let mut tokens = Vec::new();
    let alone = if top.peek("admin_token").is_some() { "admin_token" } else { "admin_token_file" };
    let path = top.path_of(alone);
    if let Some(token) = secret(top, "admin_token", "admin_token_file", all) {
        check(&path, &token, all);
        tokens.push(AdminToken { name: ALONE.to_owned(), rights: Rights::Write, token: Secrets::new([&token]) });
    }
    let mut admin = top.table("admin", all);
    let mut names: HashSet<String> = tokens.iter().map(|token| token.name.clone()).collect();
    for mut table in admin.tables("token", all) {
        let (name_path, path) = (table.path_of("name"), table.path_of("token"));
        let name = table.required("name", "who has the token; it stands in the audit log", all);
        if name.as_ref().is_some_and(|name| !names.insert(name.clone())) {
            all.fault(&name_path, "the name of another token");
        }
        let before = all.faults.len();
        let token = secret(&mut table, "token", "token_file", all);
        match &token {
            Some(token) => check(&path, token, all),
            None if all.faults.len() == before => all.fault(&path, "missing: the token, here or in a `token_file`"),
            None => {}
        }
        let rights = table.parsed("rights", all, rights).unwrap_or(Rights::Read);
        table.end(all);
        if let (Some(name), Some(token)) = (name, token) {
            tokens.push(AdminToken { name, rights, token: Secrets::new([&token]) });
        }
    }
    admin.end(all);
    tokens
}

fn check(path: &str, token: &Secret, all: &mut Collector<'_>) {
    if token.reveal().len() < SHORTEST {
        let message = format!("fewer than {SHORTEST} characters can be guessed: take those of `openssl rand -hex 20`");
        all.fault(path, message);
    }
}

fn rights(text: &str) -> Result<Rights, String> {
    match text {
        "read" => Ok(Rights::Read),
        "write" => Ok(Rights::Write),
        other => Err(format!("expected `read` or `write`, got `{other}`")),
    }
}
