//! The destination: answers 200 at once, and notes what came.

use super::request::Request;
use super::tally::Tally;
use super::wire::Wire;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// How long it waits when no connection can be taken, as where no more files may be open.
const PAUSE: Duration = Duration::from_millis(10);

/// Begins to listen.
///
/// # Errors
/// When the address cannot be listened on, or is none of this machine alone.
pub(super) async fn listen(
    address: SocketAddr,
    request: &Arc<Request>,
    tally: &Arc<Mutex<Tally>>,
) -> Result<(), String> {
    if !address.ip().to_canonical().is_loopback() {
        return Err(format!("--sink: {address} is not on loopback: give 127.0.0.1 or [::1] with a port"));
    }
    let listener = TcpListener::bind(address).await.map_err(|error| format!("--sink {address}: {error}"))?;
    let (request, tally) = (Arc::clone(request), Arc::clone(tally));
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&request), Arc::clone(&tally)))),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    });
    Ok(())
}

/// Serves one connection until it ends or sends what cannot be read: then the proxy sees it closed, and hooks are missing.
async fn serve(stream: TcpStream, request: Arc<Request>, tally: Arc<Mutex<Tally>>) {
    let mut wire = Wire::new(stream);
    let mut last = 0;
    while let Ok(Some((head, body))) = wire.read().await {
        let hook = request.number_of(body, &mut last);
        tally.lock().unwrap_or_else(PoisonError::into_inner).arrived(hook, head.key, Instant::now());
        if wire.write(ANSWER).await.is_err() || head.closes {
            return;
        }
    }
}
