//! The configuration that is written.

use super::choice::Choice;
use super::place::Secrets;
use crate::cli::toml;
use std::fmt::Write as _;
use std::path::Path;

/// The whole text, commented.
pub(super) fn text(choice: &Choice, secrets: &Secrets) -> String {
    let forges: Vec<&str> = choice.forges.iter().map(|(_, form)| form.title.as_str()).collect();
    let from = forges.join(" and ");
    let mut text = format!(
        "# {from} → {tool}, as `hookglot init` wrote it.\n\
         # `hookglot check --config FILE` says what is wrong with it, `hookglot config --config FILE` what is in force and why;\n\
         # hookglot.example.toml has every setting. Routes, destinations and secrets change while it runs.\n\n",
        tool = choice.tool.title,
    );
    top(choice, &mut text);
    route(choice, secrets, &mut text);
    destination(choice, secrets, &mut text);
    text
}

fn top(choice: &Choice, text: &mut String) {
    *text += "# Where hooks come in: 127.0.0.1 lets in nobody but this machine, 0.0.0.0 whoever reaches it.\n";
    setting(text, "listen", choice.listen.map(|at| at.to_string()), "127.0.0.1:8080");
    *text += "# Where /live, /ready, /metrics and the admin API are.\n";
    setting(text, "admin_listen", None, "127.0.0.1:9090");
    *text += "# What opens the admin API to `hookglot deliveries` and its like, at least 16 characters; without it stays closed.\n";
    setting(text, "admin_token_file", None, "/run/secrets/hookglot-admin");
    *text += "# Where hooks are kept until they are delivered, and 7 days more; below the folder that it is started in, unless it begins\n\
              # with /.\n";
    setting(text, "data_dir", choice.data_dir.as_deref().map(shown), "./hookglot-data");
}

fn route(choice: &Choice, secrets: &Secrets, text: &mut String) {
    let forges: Vec<&str> = choice.forges.iter().map(|(name, _)| *name).collect();
    *text += "\n# A path on which hooks come in.\n[[route]]\n";
    setting(text, "path", Some(choice.path.clone()), "");
    *text += "# The forges whose hooks are taken.\n";
    line(text, "accept", &toml::texts(forges));
    *text += "# What the forge sends with each hook; several in the file, one a line, while you rotate it.\n";
    match &secrets.file {
        Some(file) => setting(text, "secret_file", Some(shown(file)), ""),
        None => setting(text, "secret", Some(secrets.new.clone()), ""),
    }
}

fn destination(choice: &Choice, secrets: &Secrets, text: &mut String) {
    *text += "\n# Where its hooks go. What waits there waits under this name: it stays, whatever becomes of the rest.\n[[route.to]]\n";
    setting(text, "name", Some(choice.name.clone()), "");
    setting(text, "url", Some(choice.url.clone()), "");
    *text += "# What the tool reads; what the forge sends is translated where it is another.\n";
    setting(text, "format", Some(choice.format.clone()), "");
    // Nothing that somebody wrote into a recipe is to break the line.
    let _ = writeln!(text, "# The secret that it expects: {}.", choice.tool.token.replace('\n', " "));
    setting(text, "token_file", secrets.token_file.as_deref().map(shown), "/run/secrets/token");
    *text += "# A redirect is not followed, so what is answered with one was not taken: http in place of https, or a page to sign in.\n";
    setting(text, "redirects", Some("failed".to_owned()), "");
    if choice.tool.only_these_events {
        *text += "# It refuses all others.\n";
        line(text, "events", &toml::texts(choice.events()));
    }
    *text += choice.tool.lines.trim_start();
    let settings: String = choice
        .forges
        .iter()
        .filter(|(name, _)| *name != choice.format)
        .map(|(_, form)| form.settings.trim_start())
        .collect();
    if !settings.is_empty() {
        *text += "\n# What only you can know.\n[route.to.settings]\n";
        *text += &settings;
    }
}

/// A setting, or its default behind a `#`.
fn setting(text: &mut String, name: &str, value: Option<String>, default: &str) {
    match value {
        Some(value) => line(text, name, &toml::text(&value)),
        None => {
            *text += "# ";
            line(text, name, &toml::text(default));
        }
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    for part in [name, " = ", value, "\n"] {
        *text += part;
    }
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}
