//! What a measurement on instances of its own takes place with: the flags that `bench` and `soak` share.

use crate::reliability::instance::Launch;
use std::{
    io,
    path::{PathBuf, absolute},
};

/// A cluster, the program, and where its logs go.
#[derive(Debug, clap::Args)]
pub(crate) struct Setting {
    /// The cluster's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…")]
    pub brokers: String,
    /// The program
    #[arg(long, value_name = "FILE")]
    pub ottla: PathBuf,
    /// The page's files
    #[arg(long, value_name = "FOLDER")]
    pub site: PathBuf,
    /// Where the instances' logs go
    #[arg(long, value_name = "FOLDER")]
    pub logs: PathBuf,
}

impl Setting {
    /// The same from wherever an instance runs.
    pub fn absolute(self) -> io::Result<Self> {
        let Self { brokers, ottla, site, logs } = self;
        Ok(Self { brokers, ottla: absolute(ottla)?, site: absolute(site)?, logs: absolute(logs)? })
    }

    /// An instance that consumes `topic`, in a group of the same name.
    pub fn launch(&self, topic: &str) -> Launch {
        Launch {
            ottla: self.ottla.clone(),
            logs: self.logs.clone(),
            brokers: self.brokers.clone(),
            topic: topic.into(),
            group: topic.into(),
            configuration: vec![("SERVER__SITE_ROOT".into(), self.site.display().to_string())],
            core: None,
        }
    }
}
