//! What is seen: functions from data to HTML, the same on the server and in the browser. They fetch nothing, know no signal,
//! and can be tested as text. What happens when something is clicked is in `islands`; the two meet at ids and at
//! `data-do="…"`, which names an action.

pub mod banner;
pub mod connection;
pub mod detail;
pub mod drawer;
pub mod empty;
pub mod icon;
pub mod instance;
pub mod members;
pub mod note;
pub mod pill;
pub mod produce;
pub mod receipt;
pub mod row;
pub mod strip;
pub mod time;
pub mod toolbar;

// What only the server renders.
#[cfg(feature = "ssr")]
pub mod bulk;
#[cfg(feature = "ssr")]
pub mod cluster;
#[cfg(feature = "ssr")]
pub mod composer;
#[cfg(feature = "ssr")]
pub mod field;
#[cfg(feature = "ssr")]
pub mod form;
#[cfg(feature = "ssr")]
pub mod frame;
#[cfg(feature = "ssr")]
pub mod group;
#[cfg(feature = "ssr")]
pub mod groups;
#[cfg(feature = "ssr")]
pub mod list;
#[cfg(feature = "ssr")]
pub mod live;
#[cfg(feature = "ssr")]
pub mod records;
#[cfg(feature = "ssr")]
pub mod reset;
#[cfg(feature = "ssr")]
pub mod topic;
#[cfg(feature = "ssr")]
pub mod topics;
