//! How bytes, numbers and times are written. Pure functions, the same on the server and in the browser, so that hydration
//! finds what the server rendered. What does not live here: words (`locales/`) and markup (`markup/`), but for the
//! tinting of JSON, which is one string of HTML because a view per token would be slow in a list of thousands of rows.

pub mod hex;
pub mod html;
pub mod hue;
pub mod json;
pub mod number;
pub mod time;
pub mod value;
