//! `hookglot healthcheck`: asks `/ready`, with nothing but a socket, so that it costs a container next to nothing. Of the
//! configuration it needs to know only where: what else is wrong with it is not what the running process has.

use super::{FAILED, WRONG_CONFIGURATION, out};
use crate::config::{self, Flags};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// How long connecting, asking and answering may each take.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn run(flags: &Flags) -> ExitCode {
    let address = match config::admin_listen(flags, &super::environment()) {
        Ok(address) => address,
        Err(faults) => {
            out::error(faults);
            return ExitCode::from(WRONG_CONFIGURATION);
        }
    };
    match ask(reachable(address)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            out::error(format!("http://{address}/ready: {message}"));
            ExitCode::from(FAILED)
        }
    }
}

/// An address that listens everywhere is asked on the loopback.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback =
            if address.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { IpAddr::from(Ipv6Addr::LOCALHOST) };
        address.set_ip(loopback);
    }
    address
}

fn ask(address: SocketAddr) -> Result<(), String> {
    let exchange = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut status = String::new();
        BufReader::new(stream.take(256)).read_line(&mut status)?;
        Ok(status)
    };
    let status = exchange().map_err(|error| error.to_string())?;
    if status.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(format!("answered `{}`", status.trim())) }
}
