//! `muster serve`: stays, holds the lock, and does what others ask.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use muster_server::{Limits, Service, Standing};
use serde_json::json;

use crate::appending;
use crate::arguments::{Arguments, Serve};
use crate::desk::WorkspaceDesk;
use crate::exit::Exit;
use crate::handover::absolute;
use crate::workspace::Workspace;
use crate::{holder, output};

/// Serves until it is asked to end by SIGTERM or SIGINT.
///
/// # Errors
/// If another process writes in this workspace, an address is taken, or a commit failed.
pub fn run(arguments: &Arguments, wanted: &Serve) -> Result<Exit> {
    let found = Workspace::find(arguments)?;
    // Absolute, so that the paths it tells others mean the same to them.
    let workspace = Workspace::read(absolute(&found.dir)?, arguments.as_of.as_deref())?;
    let (dir, data) = (workspace.dir.clone(), workspace.data());
    let opened = workspace.open().map_err(holder::named)?;
    clear_arrivals(&data)?;
    let service = Service::bind(wanted.listen, &data, Limits::default())?;
    let address = service.address()?;
    let desk = Arc::new(WorkspaceDesk::new(dir, arguments.as_of.clone(), opened)?);
    let standing = Arc::new(Standing::default());
    service.run(Arc::clone(&desk) as Arc<_>, standing, || announce(address, &data, arguments.json))?;
    // The last to leave closes the state, which folds the log into the database.
    if Arc::into_inner(desk).is_none() {
        bail!("a request was still at work; the next start recovers what it left");
    }
    Ok(Exit::Done)
}

/// Where it answers: the same words every time, so that a script can wait for them.
fn announce(address: SocketAddr, data: &Path, json: bool) {
    let socket = data.join("serve.sock");
    if json {
        let document = json!({
            "listening": address.to_string(),
            "socket": socket,
            "process": std::process::id(),
        });
        // Whoever closed it does not want to know; that is no reason not to serve.
        let _ = output::document(&document);
    } else {
        let _ = writeln!(io::stderr(), "listening on http://{address} and {}", socket.display());
    }
}

/// Rows that a killed process was reading: nobody was told that they were kept.
fn clear_arrivals(data: &Path) -> Result<()> {
    let folder = data.join(appending::FOLDER);
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}
