//! Hydrates the page, and nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's script when the WebAssembly is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
