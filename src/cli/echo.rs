//! `hookglot echo`

use super::{FAILED, out};
use crate::forge::Forges;
use crate::mapping_files;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

pub(super) fn run(listen: SocketAddr) -> ExitCode {
    match serve(listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            out::error(message);
            ExitCode::from(FAILED)
        }
    }
}

fn serve(listen: SocketAddr) -> Result<(), String> {
    let forges = Forges::load(&mapping_files::built_in()).map_err(|faults| faults.to_string())?;
    let listener = TcpListener::bind(listen).map_err(|error| format!("{listen}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let server = crate::echo::serve(&forges, listener).map_err(|error| error.to_string())?;
        out::line(&format!("echo listens on http://{address}"));
        let handle = server.handle();
        let running = tokio::spawn(server);
        super::signals::Signals::listen().stop().await;
        handle.stop(false).await;
        running.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    })
}
