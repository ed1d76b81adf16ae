//! `[server]`: where to listen, and whom to answer.

use super::{ConfigError, broken};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

/// `[server]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address and port to listen on. Loopback unless told otherwise: Ottla asks nobody who they are.
    pub listen: SocketAddr,
    /// Names (besides loopback and the listen address) by which this server may be called: the `Host` header without its
    /// port. A request for another name is refused, so that no foreign site can reach it by DNS rebinding.
    pub hosts: Vec<String>,
    /// Origins (`https://kafka.example.org`) of other sites that may produce and open WebSockets.
    pub origins: Vec<String>,
    /// The largest request body, in bytes, but for three that have limits of their own: 10 MiB for
    /// `/api/v1/topics/…/records/bulk`, that and a form's 64 KiB for `/produce/many`, 96 MiB for `/rows/…` (what a list holds, on
    /// its way to a file).
    pub body_limit_bytes: usize,
    /// How long a tab may take to read a message before it is closed, in seconds. It can come back and resume. So long nothing may
    /// be read of a stream or a file either, and nothing come of a request's body; of its head five times as long.
    pub stall_limit_seconds: u64,
    /// How long a stop may take, in seconds; then the process ends whatever is left.
    pub stop_deadline_seconds: u64,
    /// The folder of the page's files; empty: beside the program, as it was built.
    pub site_root: PathBuf,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            hosts: Vec::new(),
            origins: Vec::new(),
            body_limit_bytes: 1024 * 1024,
            stall_limit_seconds: 30,
            stop_deadline_seconds: 10,
            site_root: PathBuf::new(),
        }
    }
}

impl ServerConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for origin in &self.origins {
            let is_origin = url::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !is_origin {
                return Err(broken(
                    "server.origins",
                    format!("{origin:?} must be like https://kafka.example.org, without a path"),
                ));
            }
        }
        for host in &self.hosts {
            if host.is_empty() || host.contains(['/', ' ']) || (host.contains(':') && !host.starts_with('[')) {
                return Err(broken("server.hosts", format!("{host:?} must be a name without scheme and port")));
            }
        }
        if !(1..=86_400).contains(&self.stall_limit_seconds) {
            return Err(broken("server.stall_limit_seconds", "must be 1 to 86400"));
        }
        if !(3..=600).contains(&self.stop_deadline_seconds) {
            return Err(broken("server.stop_deadline_seconds", "must be 3 to 600"));
        }
        Ok(())
    }
}
