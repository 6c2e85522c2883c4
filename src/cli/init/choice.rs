//! What was chosen, checked as far as that can be done without the rest.

use super::recipes::{self, Form, Tool};
use super::{BOTH, InitArgs};
use crate::config;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// What the configuration is to say.
pub(super) struct Choice {
    /// The forges, with their forms.
    pub(super) forges: Vec<(&'static str, Form)>,
    /// The tool.
    pub(super) tool: Tool,
    /// What its destination is called.
    pub(super) name: String,
    /// Where it takes hooks.
    pub(super) url: String,
    /// What it reads.
    pub(super) format: String,
    /// The path of the route.
    pub(super) path: String,
    /// Where hooks come in, where that is said.
    pub(super) listen: Option<SocketAddr>,
    /// Where they are kept, where that is said.
    pub(super) data_dir: Option<PathBuf>,
}

impl Choice {
    pub(super) fn of(args: &InitArgs) -> Result<Self, String> {
        let missing = |flag: &str| format!("{flag} is missing");
        let forge = args.forge.as_deref().ok_or_else(|| missing("--forge"))?;
        let named = args.tool.as_deref().ok_or_else(|| missing("--tool"))?;
        let tool = recipes::tool(named)?;
        let forges = forges_of(forge).into_iter().map(|name| Ok((name, recipes::form(name)?)));
        let url = url(&tool, args.url.as_deref().ok_or_else(|| missing("--url"))?, args.project.as_deref())?;
        let format = match args.format.as_ref().or(tool.format.as_ref()) {
            Some(format) => self::format(format)?,
            None => return Err(format!("--format is missing: what the tool reads, {}", formats().join(", "))),
        };
        Ok(Self {
            forges: forges.collect::<Result<_, String>>()?,
            name: tool.name.clone().unwrap_or_else(|| named.to_owned()),
            url,
            format,
            path: path(&args.path)?,
            listen: args.listen.as_deref().map(listen).transpose()?,
            data_dir: args.data_dir.clone(),
            tool,
        })
    }

    /// The events that the tool acts on, in the words of the forges that send hooks.
    pub(super) fn events(&self) -> Vec<&str> {
        let of = |(name, _): &(&str, Form)| self.tool.events.get(*name).map(Vec::as_slice).unwrap_or_default();
        self.forges.iter().flat_map(of).map(String::as_str).collect()
    }
}

/// The forges of a word: that of one, or the one for all.
fn forges_of(word: &str) -> Vec<&'static str> {
    recipes::forges().into_iter().filter(|name| word == BOTH || *name == word).collect()
}

/// The words for formats.
pub(super) fn formats() -> Vec<&'static str> {
    recipes::forges().into_iter().chain(["other"]).collect()
}

pub(super) fn format(text: &str) -> Result<String, String> {
    let known = formats();
    known
        .contains(&text)
        .then(|| text.to_owned())
        .ok_or_else(|| format!("there is no format `{text}`: expected one of {}", known.join(", ")))
}

pub(super) fn path(text: &str) -> Result<String, String> {
    config::path_fault(text).map_or_else(|| Ok(text.to_owned()), Err)
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("expected an address and a port such as 127.0.0.1:8080, got `{text}`"))
}

/// Whether `{project}` has to be known for an address.
pub(super) fn needs_project(tool: &Tool, text: &str) -> bool {
    tool.project.is_some() && Url::parse(text).is_ok_and(|url| is_bare(&url))
}

/// Where the tool takes hooks: an address without a path is that of the tool. It may hold a password, so that nothing of it is
/// repeated.
pub(super) fn url(tool: &Tool, text: &str, project: Option<&str>) -> Result<String, String> {
    if let (Some(part), Some(instead)) = (&tool.not_at, &tool.instead)
        && text.contains(part.as_str())
    {
        return Err(instead.clone());
    }
    let url = Url::parse(text).map_err(|error| format!("not a URL ({error}): {} for one", tool.example))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("expected an http:// or https:// URL: {} for one", tool.example));
    }
    let Some(endpoint) = tool.endpoint.as_ref().filter(|_| is_bare(&url)) else { return Ok(text.to_owned()) };
    let endpoint = match (&tool.project, project.map(|name| name.trim_matches('/'))) {
        (None, _) => endpoint.clone(),
        (Some(_), Some(name)) if !name.is_empty() => endpoint.replace("{project}", name),
        (Some(what), _) => return Err(format!("--project is missing: {what}")),
    };
    let mut whole = url;
    whole.set_path(&endpoint);
    Ok(whole.into())
}

/// Whether it names a server and nothing on it.
fn is_bare(url: &Url) -> bool {
    matches!(url.path(), "" | "/") && url.query().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_is_that_of_the_tool() {
        let jenkins = recipes::tool("jenkins").expect("a tool");
        let at = |text: &str, project| url(&jenkins, text, project);
        let whole = Ok("http://ci.example.org:8080/project/harbour/ledger".to_owned());
        assert_eq!(at("http://ci.example.org:8080", Some("harbour/ledger")), whole);
        assert_eq!(at("http://ci.example.org:8080/project/harbour/ledger", None), whole);
        assert!(at("http://ci.example.org/", None).is_err_and(|message| message.contains("--project is missing")));
        assert!(needs_project(&jenkins, "http://ci.example.org/") && !needs_project(&jenkins, "http://ci/x"));
        for wrong in ["ci.example.org", "ftp://ci.example.org/", "olga:brass@ci.example.org"] {
            let said = at(wrong, Some("x")).expect_err(wrong);
            assert!(!said.contains("brass") && said.contains(&jenkins.example), "{said}");
        }
        let slack = recipes::tool("slack").expect("a tool");
        assert!(url(&slack, "https://hooks.slack.com/services/x", None).is_err_and(|said| said.contains("[[alert]]")));
    }
}
