//! What is seen: one file per thing. Each is a function or a component that gets what it shows; none of them fetches.

mod banner;
mod composer;
mod connection;
mod copy;
mod detail;
mod drawer;
mod empty;
mod field;
mod icon;
mod instance;
mod keys;
mod list;
mod navigation;
mod note;
mod receipt;
mod row;
mod snapshot;
mod status;
mod strip;
mod toolbar;
mod top_bar;

pub use banner::{Banners, StaticBanner, banner};
pub use composer::Composer;
pub use copy::copy_button;
pub use detail::Detail;
pub use drawer::Drawer;
pub use empty::{Empty, empty};
pub use field::{FieldBox, error_line};
#[cfg(feature = "ssr")]
pub use icon::Sprite;
pub use icon::icon;
pub use instance::instance;
pub use keys::{Keys, is_shortcut};
pub use list::{Lines, List};
pub use navigation::Navigation;
pub use receipt::{Posted, SentTable, receipt};
pub use row::path;
pub use snapshot::with_snapshot;
pub use status::StatusLine;
pub use strip::Strip;
pub use toolbar::{Toolbar, toggle_pause};
pub use top_bar::TopBar;
