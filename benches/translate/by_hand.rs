//! The baseline: what `gitflic-to-gitlab/push.yaml` says, as a Rust programmer would write it with serde.
//!
//! Texts are borrowed from the input unless they hold escapes, and only what is computed is allocated.

use hookglot::mapping::identity;
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

const ZERO: &str = "0000000000000000000000000000000000000000";
const ZERO_SHA256: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is known of the hook beside its body.
pub(crate) struct Hook<'a> {
    pub(crate) received_at: &'a str,
    pub(crate) instance: Option<&'a str>,
    pub(crate) settings: &'a Settings,
    /// What look-up tables say of people and projects, by UUID.
    pub(crate) users: &'a HashMap<String, User>,
    pub(crate) projects: &'a HashMap<String, Project>,
}

/// What the destination says of the forge.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) default_branch: Option<String>,
    pub(crate) commit_url: Option<String>,
    pub(crate) path_with_namespace: Option<String>,
}

/// A person as a look-up table knows it.
#[derive(Default)]
pub(crate) struct User {
    name: Option<String>,
    username: Option<String>,
    email: Option<String>,
    avatar: Option<String>,
}

/// A project as a look-up table knows it.
#[derive(Default)]
pub(crate) struct Project {
    default_branch: Option<String>,
    description: Option<String>,
    avatar: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Time(#[from] jiff::Error),
    #[error(transparent)]
    Count(#[from] std::num::ParseIntError),
    #[error("wants a commit's hash of 40 or 64 hexadecimal digits, got `{0}`")]
    Hash(String),
}

/// A text that may be missing: serde borrows a `Cow`, but not one inside an `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct GitFlicPush<'a> {
    #[serde(borrow)]
    project_id: Cow<'a, str>,
    #[serde(borrow)]
    project: GitFlicProject<'a>,
    #[serde(borrow)]
    push: Change<'a>,
}

#[derive(Deserialize)]
struct GitFlicProject<'a> {
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    alias: Cow<'a, str>,
    #[serde(borrow)]
    owner_alias: Cow<'a, str>,
    #[serde(borrow)]
    http_transport_url: Cow<'a, str>,
    #[serde(borrow)]
    ssh_transport_url: Cow<'a, str>,
    private: Option<bool>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    before: Option<Text<'a>>,
    #[serde(borrow)]
    after: Cow<'a, str>,
    #[serde(borrow, rename = "ref")]
    reference: Cow<'a, str>,
    #[serde(borrow)]
    commits: Option<Vec<GitFlicCommit<'a>>>,
    #[serde(borrow)]
    total_commits_count: Option<Count<'a>>,
    #[serde(borrow)]
    author_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct GitFlicCommit<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    author_name: Option<Text<'a>>,
    #[serde(borrow)]
    author_email: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
}

/// A number, though the manual's table says text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count<'a> {
    Number(i64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

#[derive(Serialize)]
struct GitLabPush<'a> {
    object_kind: &'static str,
    event_name: &'static str,
    before: Cow<'a, str>,
    after: Cow<'a, str>,
    #[serde(rename = "ref")]
    reference: String,
    ref_protected: bool,
    checkout_sha: Option<&'a str>,
    message: Option<&'a str>,
    user_id: u32,
    user_name: &'a str,
    user_username: &'a str,
    user_email: &'a str,
    user_avatar: Cow<'a, str>,
    project_id: u32,
    project: GitLabProject<'a>,
    commits: Vec<GitLabCommit<'a>>,
    total_commits_count: i64,
    push_options: Empty,
    repository: Repository<'a>,
}

/// `{}`
#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct GitLabProject<'a> {
    id: u32,
    name: &'a str,
    description: &'a str,
    web_url: &'a str,
    avatar_url: Option<&'a str>,
    git_ssh_url: &'a str,
    git_http_url: &'a str,
    namespace: &'a str,
    visibility_level: u8,
    path_with_namespace: String,
    default_branch: &'a str,
    ci_config_path: Option<&'a str>,
    homepage: &'a str,
    url: &'a str,
    ssh_url: &'a str,
    http_url: &'a str,
}

#[derive(Serialize)]
struct GitLabCommit<'a> {
    id: Cow<'a, str>,
    message: &'a str,
    title: &'a str,
    timestamp: Option<String>,
    url: String,
    author: Author<'a>,
    added: [&'a str; 0],
    modified: [&'a str; 0],
    removed: [&'a str; 0],
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    email: Cow<'a, str>,
}

#[derive(Serialize)]
struct Repository<'a> {
    name: &'a str,
    url: &'a str,
    description: &'a str,
    homepage: &'a str,
    git_http_url: &'a str,
    git_ssh_url: &'a str,
    visibility_level: u8,
}

/// The body and the headers of a hook as GitLab sends it.
pub(crate) struct Translated {
    pub(crate) body: Vec<u8>,
    pub(crate) headers: [(&'static str, Cow<'static, str>); 2],
}

/// A GitFlic push of a branch as GitLab sends it.
#[expect(clippy::too_many_lines, reason = "one body, written from top to bottom")]
pub(crate) fn translate(input: &[u8], hook: &Hook<'_>) -> Result<Translated, Error> {
    let GitFlicPush { project_id, project, push } = serde_json::from_slice(input)?;
    let deleted = push.after == ZERO || push.after == ZERO_SHA256;
    let listed = push.commits.as_deref().unwrap_or_default();
    let head_is_listed = listed.iter().any(|commit| commit.id == push.after);

    let ssh_url = &*project.ssh_transport_url;
    let http_url = &*project.http_transport_url;
    let origin = origin(http_url);
    let web_url = http_url.strip_suffix(".git").unwrap_or(http_url);
    let name = filled(project.title.as_ref()).unwrap_or(&project.alias);
    let visibility_level = if project.private == Some(false) { 20 } else { 0 };
    let project_number = identity::number("project", &project_id);
    let slug = hook.settings.path_with_namespace.as_deref().unwrap_or("{owner}/{alias}");
    let slug = slug.replace("{owner}", &project.owner_alias).replace("{alias}", &project.alias);

    let author = text(push.author_id.as_ref());
    let user = author.map_or_else(|| "user-unknown".to_owned(), |author| format!("user-{}", short_hex(author)));

    let known_user = author.and_then(|author| hook.users.get(author));
    let known = |column: fn(&User) -> &Option<String>| known_user.and_then(|known| column(known).as_deref());
    let known_project = hook.projects.get(&*project_id);
    let of_project = |column: fn(&Project) -> &Option<String>| known_project.and_then(|known| column(known).as_deref());
    let description = of_project(|known| &known.description).unwrap_or_default();

    let noreply = || {
        let host = hook.instance.unwrap_or("gitflic.ru").split(':').next().unwrap_or_default();
        Cow::Owned(format!("noreply@{host}"))
    };

    let commit_page = hook.settings.commit_url.as_deref().unwrap_or("{project_url}/commit/{sha}");
    let commit_page = commit_page.replace("{project_url}", web_url);

    let mut commits = Vec::with_capacity(listed.len() + 1);
    for commit in listed.iter().filter(|_| !deleted) {
        let message = text(commit.message.as_ref()).unwrap_or_default();
        commits.push(GitLabCommit {
            id: hash(&commit.id)?,
            message,
            title: message.split(['\n', '\r']).next().unwrap_or_default(),
            timestamp: rfc3339(filled(commit.timestamp.as_ref()).unwrap_or(hook.received_at))?,
            url: commit_page.replace("{sha}", &commit.id),
            author: Author {
                name: filled(commit.author_name.as_ref()).unwrap_or(&user),
                email: filled(commit.author_email.as_ref()).map_or_else(noreply, Cow::Borrowed),
            },
            added: [],
            modified: [],
            removed: [],
        });
    }
    if !head_is_listed && !deleted {
        commits.push(GitLabCommit {
            id: hash(&push.after)?,
            message: "",
            title: "",
            timestamp: rfc3339(hook.received_at)?,
            url: commit_page.replace("{sha}", &push.after),
            author: Author { name: &user, email: noreply() },
            added: [],
            modified: [],
            removed: [],
        });
    }

    let translated = GitLabPush {
        object_kind: "push",
        event_name: "push",
        before: hash(filled(push.before.as_ref()).unwrap_or(ZERO))?,
        after: hash(&push.after)?,
        reference: format!("refs/heads/{}", push.reference.strip_prefix("refs/heads/").unwrap_or(&push.reference)),
        ref_protected: false,
        checkout_sha: (!deleted).then_some(&*push.after),
        message: None,
        user_id: identity::number("user", author.unwrap_or("unknown")),
        user_name: known(|known| &known.name).unwrap_or(&user),
        user_username: known(|known| &known.username).unwrap_or(&user),
        user_email: known(|known| &known.email).unwrap_or_default(),
        user_avatar: match known(|known| &known.avatar) {
            Some(avatar) => Cow::Borrowed(avatar),
            None => Cow::Owned(format!("{origin}/static/image/avatar.jpg")),
        },
        project_id: project_number,
        project: GitLabProject {
            id: project_number,
            name,
            description,
            web_url,
            avatar_url: of_project(|known| &known.avatar),
            git_ssh_url: ssh_url,
            git_http_url: http_url,
            namespace: &project.owner_alias,
            visibility_level,
            path_with_namespace: slug,
            default_branch: of_project(|known| &known.default_branch)
                .or(hook.settings.default_branch.as_deref())
                .unwrap_or("master"),
            ci_config_path: None,
            homepage: web_url,
            url: ssh_url,
            ssh_url,
            http_url,
        },
        commits,
        total_commits_count: if deleted { 0 } else { commit_count(push.total_commits_count.as_ref(), listed)? },
        push_options: Empty {},
        repository: Repository {
            name,
            url: ssh_url,
            description,
            homepage: web_url,
            git_http_url: http_url,
            git_ssh_url: ssh_url,
            visibility_level,
        },
    };
    Ok(Translated {
        body: serde_json::to_vec(&translated)?,
        headers: [("X-Gitlab-Event", "Push Hook".into()), ("X-Gitlab-Instance", origin.to_owned().into())],
    })
}

/// How many commits the push has; at least the head.
fn commit_count(sent: Option<&Count<'_>>, listed: &[GitFlicCommit<'_>]) -> Result<i64, Error> {
    let count = match sent {
        Some(Count::Number(count)) => *count,
        Some(Count::Text(count)) if !count.is_empty() => count.trim().parse()?,
        _ => i64::try_from(listed.len()).unwrap_or(i64::MAX),
    };
    Ok(if count == 0 { 1 } else { count })
}

fn text<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(|text| &*text.0)
}

/// A text; what is empty counts as absent.
fn filled<'t>(own: Option<&'t Text<'_>>) -> Option<&'t str> {
    text(own).filter(|text| !text.is_empty())
}

/// The hash of a commit, in small letters.
fn hash(text: &str) -> Result<Cow<'_, str>, Error> {
    if !matches!(text.len(), 40 | 64) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Hash(text.to_owned()));
    }
    let small = text.bytes().any(|byte| byte.is_ascii_uppercase()).then(|| text.to_ascii_lowercase());
    Ok(small.map_or(Cow::Borrowed(text), Cow::Owned))
}

/// An address up to the slash behind its host.
fn origin(url: &str) -> &str {
    url.match_indices('/').nth(2).and_then(|(end, _)| url.get(..end)).unwrap_or(url)
}

/// A time as RFC 3339 has it; GitFlic writes UTC without a zone. Nothing for an empty text.
fn rfc3339(text: &str) -> Result<Option<String>, jiff::Error> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(clock) = text.parse::<DateTime>() {
        return Ok(Some(format!("{clock}Z")));
    }
    // With a zone it can stay as it is, if it is a time at all.
    text.parse::<Timestamp>().map(|_| Some(text.to_owned()))
}

/// The first 8 digits of a UUID or hash without hyphens, or of the SHA-256 of any other text.
fn short_hex(text: &str) -> String {
    let mut digits = text.replace('-', "");
    if digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        digits.truncate(8);
        return digits;
    }
    let first = Sha256::digest(text.as_bytes()).first_chunk().copied().unwrap_or([0; 4]);
    format!("{:08x}", u32::from_be_bytes(first))
}
