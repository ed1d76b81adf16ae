//! The HTML document around the page, and the policy that guards it. Rendered on the server only and never hydrated.

use crate::{App, markup::icon::SPRITE, preferences::Preferences};
use axum::http::{HeaderValue, header};
use engine::Engine;
use leptos::{
    nonce::use_nonce,
    prelude::{HydrationScripts, *},
};
use leptos_axum::ResponseOptions;
use leptos_i18n::Locale as _;
use leptos_meta::{HashedStylesheet, MetaTags};
use std::sync::Arc;

/// Set by `scripts/dev.sh`: a page that finds itself to be of another build loads itself again instead of offering it.
pub const WATCH: &str = "LEPTOS_WATCH";

/// The document of every page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let Preferences { theme, locale, roomy, single_keys, .. } = Preferences::current();
    let engine = use_context::<Arc<Engine>>();
    let build = engine.as_ref().map(|engine| engine.build().to_owned());
    set_policy();
    view! {
        <!DOCTYPE html>
        <html
            lang=locale.as_str()
            data-theme=(!theme.name().is_empty()).then(|| theme.name())
            data-density=roomy.then_some("roomy")
            data-keys=(!single_keys).then_some("off")
            data-read-only=engine.filter(|engine| engine.is_read_only()).map(|_| "")
            data-watch=std::env::var_os(WATCH).map(|_| "")
        >
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="ottla-build" content=build/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <HashedStylesheet options=options.clone() id="leptos"/>
                <noscript>
                    <link rel="stylesheet" href="/noscript.css"/>
                </noscript>
                <HydrationScripts options islands=true/>
                <MetaTags/>
            </head>
            <body>
                <App/>
                <svg hidden inner_html=SPRITE></svg>
            </body>
        </html>
    }
}

/// Only this server's files, only scripts with this response's nonce and what they load, no inline styles, no plug-ins, no
/// frames around the page, no form to another site. (CSP Level 3; `'self'` in `connect-src` covers the WebSocket.)
fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'strict-dynamic' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'"
    )
}

fn set_policy() {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce()) else { return };
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce)) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
