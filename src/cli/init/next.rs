//! What is left to do: in the forge, in the tool, and here.

use super::choice::Choice;
use super::place::Secrets;
use super::recipes::Form;
use std::net::SocketAddr;
use std::path::Path;

/// The steps, in their order. The secret itself is not repeated: it is where it was put.
pub(super) fn steps(choice: &Choice, secrets: &Secrets, file: Option<&Path>) -> String {
    let shown = file.map_or_else(|| "FILE".to_owned(), |file| file.display().to_string());
    let mut steps = vec![format!(
        "Look through it, and start it:\n  hookglot check --config {shown}\n  hookglot serve --config {shown}"
    )];
    steps.extend(choice.forges.iter().map(|(name, form)| of_forge(name, form, choice, secrets, &shown)));
    steps.extend(of_tool(choice, secrets));
    let numbered = steps.iter().zip(1..).map(|(step, number)| format!("\n{number}. {}", step.replace('\n', "\n   ")));
    numbered.collect::<Vec<_>>().join("\n")
}

fn of_forge(name: &str, form: &Form, choice: &Choice, secrets: &Secrets, file: &str) -> String {
    let secret = match &secrets.file {
        Some(secret) => format!("the line in {}", secret.display()),
        None => format!("`secret` of {file}"),
    };
    let wanted = choice.tool.events.get(name).map(Vec::as_slice).unwrap_or_default();
    let boxes = form.events.iter().filter(|(event, _)| wanted.contains(event)).map(|(_, label)| label.as_str());
    let Form { title, place, url, secret: secret_field, note, .. } = form;
    format!(
        "In {title}, {place}:\n  {url}: {at}\n  {secret_field}: {secret}\n  Events: {boxes}\n  {note}",
        at = address(choice),
        boxes = boxes.collect::<Vec<_>>().join(", "),
        note = note.trim(),
    )
}

/// Where the forge sends hooks, as far as it can be known here.
fn address(choice: &Choice) -> String {
    let at = choice.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    let path = &choice.path;
    if at.ip().is_loopback() {
        return format!(
            "http://{at}{path}, for a forge on this machine (another reaches it through a proxy here, or with --listen 0.0.0.0:{})",
            at.port()
        );
    }
    if at.ip().is_unspecified() {
        return format!("http://HOST:{}{path}, with HOST as the forge reaches this machine", at.port());
    }
    format!("http://{at}{path}")
}

fn of_tool(choice: &Choice, secrets: &Secrets) -> Option<String> {
    let token = secrets.token_file.as_ref().map(|file| {
        let (file, place) = (file.display(), &choice.tool.token);
        format!("\n  The secret that it expects is the line in {file}: {place}")
    });
    let note = choice.tool.note.as_ref().map(|note| format!("\n  {}", note.trim()));
    let said: String = [token, note].into_iter().flatten().collect();
    (!said.is_empty()).then(|| format!("In {}:{said}", choice.tool.title))
}
