//! Makes the page's islands live, and nothing else.

// Their functions are called by the page's script, which finds them by name.
use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's script when the WebAssembly is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
