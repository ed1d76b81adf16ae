//! Generates the `i18n` module from `locales/*.json`: every key is checked at compile time, in every language.

use leptos_i18n_build::{Config, ParseOptions, TranslationsInfos};
use std::{error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let options = ParseOptions::new().interpolate_display(true);
    let config = Config::new("en")?.add_locales(["zh-Hant", "zh-Hans"])?.parse_options(options);
    let translations = TranslationsInfos::parse(config)?;
    translations.emit_diagnostics();
    translations.rerun_if_locales_changed();
    let folder = PathBuf::from(std::env::var("OUT_DIR")?).join("i18n");
    translations.generate_i18n_module(folder)?;
    Ok(())
}
