//! Where the load goes: this machine, and nowhere else.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use url::{Host, Url};

/// The address and the path of a route.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    pub(super) host: String,
    /// The path with its query.
    pub(super) path: String,
}

impl Place {
    /// Reads a URL. Messages do not show it: it may hold secrets.
    ///
    /// # Errors
    /// Says what is wrong with it; a machine other than this one is.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("--url: not a URL: {error}"))?;
        if url.scheme() != "http" {
            return Err("--url: only http:// is measured".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("--url: a login is not sent; give it with --header".to_owned());
        }
        let host = url.host().ok_or("--url: there is no host in it")?;
        let port = url.port_or_known_default().unwrap_or(80);
        let address = loopback(&host, port)?;
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Ok(Self { address, host: format!("{host}:{port}"), path })
    }
}

fn loopback(host: &Host<&str>, port: u16) -> Result<SocketAddr, String> {
    let is_here = |address: &IpAddr| address.to_canonical().is_loopback();
    let found = match host {
        Host::Ipv4(address) => Some(IpAddr::from(*address)),
        Host::Ipv6(address) => Some(IpAddr::from(*address)),
        // Other names are not even looked up.
        Host::Domain("localhost") => {
            let mut all = ("localhost", port).to_socket_addrs().map_err(|error| format!("localhost: {error}"))?;
            all.find(SocketAddr::is_ipv4).map(|address| address.ip())
        }
        Host::Domain(_) => None,
    };
    found.filter(is_here).map(|address| SocketAddr::new(address, port)).ok_or_else(|| {
        format!("--url: {host} is not this machine: this is a load generator, it sends to loopback (127.0.0.1, ::1, localhost) only")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_taken() {
        for url in ["http://127.0.0.1:8080/", "http://127.9.8.7/", "http://[::1]:80/", "http://[::ffff:127.0.0.1]/"] {
            assert!(Place::new(url).is_ok(), "{url}");
        }
        for url in [
            "http://192.0.2.1/",
            "http://0.0.0.0:8080/",
            "http://example.org/",
            "http://127.0.0.1.example.org/",
            "http://[2001:db8::1]/",
            "https://127.0.0.1/",
            "http://somebody:tin-whistle@127.0.0.1/",
            "harbour",
        ] {
            let message = Place::new(url).expect_err(url);
            assert!(message.starts_with("--url: ") && !message.contains("tin-whistle"), "{message}");
        }
    }

    #[test]
    fn path_and_query_are_kept() {
        let place = Place::new("http://127.0.0.1:8080/a/b?c=d#e").expect("a place");
        assert_eq!((place.host.as_str(), place.path.as_str()), ("127.0.0.1:8080", "/a/b?c=d"));
        assert_eq!(Place::new("http://127.0.0.1").expect("a place").path, "/");
    }
}
