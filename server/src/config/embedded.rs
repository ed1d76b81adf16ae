//! `[embedded]`: the broker inside the process, used when `kafka.brokers` is empty.

use engine::Brokers;
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// `[embedded]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// Where the broker listens; port 0 takes a free one. `ottla broker` takes 9092 instead of a free one.
    pub listen: SocketAddr,
    /// Where it keeps its data. By default `ottla` in the user's state folder (`XDG_STATE_HOME`, or `~/.local/state`).
    pub data_dir: PathBuf,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)), data_dir: state_dir().join("ottla") }
    }
}

impl EmbeddedConfig {
    /// This broker, as the engine's choice.
    pub fn brokers(&self) -> Brokers {
        Brokers::Embedded { listen: self.listen, data_dir: self.data_dir.clone() }
    }
}

/// The user's state folder (XDG Base Directory Specification 0.8), or the present folder where there is no home.
fn state_dir() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(Path::new(".local/state"))))
        .unwrap_or_else(|| PathBuf::from("."))
}
