//! What a reader chose: theme, language, density, single-key shortcuts. Kept in cookies, so that the server renders the
//! right page at once; in the browser they are read off `<html>`, where the server wrote them.
//!
//! leptos_i18n could choose the language too, but its provider brings a cookie and a signal machinery that costs more
//! WebAssembly than all our texts. A change of language loads the page anew, so that no text needs to be reactive.

use crate::i18n::Locale;
use leptos_i18n::Locale as _;
use wire::Scope;

/// The cookie of the theme: `light`, `dark`, or absent for the system's.
pub const THEME_COOKIE: &str = "theme";
/// The cookie of the language: a [`language`].
pub const LANGUAGE_COOKIE: &str = "lang";
/// The cookie of the row height: `roomy`, or absent.
pub const DENSITY_COOKIE: &str = "density";
/// The cookie of the single-key shortcuts: `off`, or absent.
pub const KEYS_COOKIE: &str = "keys";

/// The cookie of the feed's scope: `instance` or `group`, or absent for what fits the group.
pub const SCOPE_COOKIE: &str = "scope";

/// The page's languages, with their own names.
pub const LANGUAGES: [(Locale, &str); 3] =
    [(Locale::en, "English"), (Locale::zh_Hant, "繁體中文"), (Locale::zh_Hans, "简体中文")];

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// What the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The name in the cookie and in `html[data-theme]`.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of this name; the system's if there is none.
    pub fn named(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// The page's name of a language (`en`, `zh-Hant`, `zh-Hans`), if it has it.
pub fn language(name: &str) -> Option<&'static str> {
    locale(name).map(|locale| locale.as_str())
}

fn locale(name: &str) -> Option<Locale> {
    LANGUAGES.into_iter().map(|(locale, _)| locale).find(|locale| locale.as_str() == name)
}

/// All that a reader chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// The language.
    pub locale: Locale,
    /// Whether rows are taller.
    pub roomy: bool,
    /// Whether keys without a modifier do something.
    pub single_keys: bool,
    /// Whose consumption the feed shows, where that was chosen.
    pub scope: Option<Scope>,
}

impl Preferences {
    fn read(get: impl Fn(&str) -> Option<String>, default_locale: Locale) -> Self {
        Self {
            theme: get(THEME_COOKIE).map_or(Theme::System, |name| Theme::named(&name)),
            locale: get(LANGUAGE_COOKIE).and_then(|name| locale(&name)).unwrap_or(default_locale),
            roomy: get(DENSITY_COOKIE).as_deref() == Some("roomy"),
            single_keys: get(KEYS_COOKIE).as_deref() != Some("off"),
            scope: match get(SCOPE_COOKIE).as_deref() {
                Some("instance") => Some(Scope::Instance),
                Some("group") => Some(Scope::Group),
                _ => None,
            },
        }
    }

    /// Of the request that is being answered.
    #[cfg(feature = "ssr")]
    pub fn current() -> Self {
        let parts = leptos::prelude::use_context::<axum::http::request::Parts>();
        Self::of(&parts.map(|parts| parts.headers).unwrap_or_default())
    }

    /// Of a request with these headers.
    #[cfg(feature = "ssr")]
    pub fn of(headers: &axum::http::HeaderMap) -> Self {
        use axum::http::header;
        let header = |name| headers.get(name)?.to_str().ok();
        let cookies = header(header::COOKIE).unwrap_or_default();
        let accepted = header(header::ACCEPT_LANGUAGE).unwrap_or_default();
        Self::read(|name| cookie(cookies, name).map(str::to_owned), best_locale(accepted))
    }

    /// Of the page that is being hydrated.
    #[cfg(not(feature = "ssr"))]
    pub fn current() -> Self {
        let root = crate::browser::root();
        let attribute = |name: &str| match name {
            LANGUAGE_COOKIE => root.get_attribute("lang"),
            name => root.get_attribute(&format!("data-{name}")),
        };
        Self::read(attribute, Locale::en)
    }
}

/// The value of the cookie called `name` in a `Cookie` header (RFC 6265, section 4.2).
#[cfg(any(feature = "ssr", test))]
fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The page's language that an `Accept-Language` header (RFC 9110, section 12.5.4) likes best; English if it knows none.
/// Chinese without a script is told by its region: Taiwan, Hong Kong and Macau write traditional characters.
#[cfg(any(feature = "ssr", test))]
fn best_locale(header: &str) -> Locale {
    let mut best = (0.0, Locale::en);
    for range in header.split(',') {
        let (tag, quality) = match range.split_once(';') {
            Some((tag, parameter)) => {
                let quality = parameter.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
                (tag, quality.unwrap_or(0.0))
            }
            None => (range, 1.0),
        };
        let tag = tag.trim().to_ascii_lowercase();
        let mut parts = tag.split('-');
        let locale = match parts.next() {
            Some("en") => Locale::en,
            // A script that is named counts before a region: people in Hong Kong may read simplified characters.
            Some("zh") if parts.clone().any(|part| part == "hans") => Locale::zh_Hans,
            Some("zh") if parts.any(|part| matches!(part, "hant" | "tw" | "hk" | "mo")) => Locale::zh_Hant,
            Some("zh") => Locale::zh_Hans,
            _ => continue,
        };
        if quality > best.0 {
            best = (quality, locale);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_language_is_taken_where_the_page_has_it() {
        for (header, locale) in [
            ("", Locale::en),
            ("de-DE,de;q=0.9", Locale::en),
            ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", Locale::zh_Hant),
            ("zh-CN", Locale::zh_Hans),
            ("zh-Hant-HK", Locale::zh_Hant),
            ("zh-Hans-HK", Locale::zh_Hans),
            ("zh-Hans-TW", Locale::zh_Hans),
            ("zh-Hant-CN", Locale::zh_Hant),
            ("en;q=0.5, zh-Hans;q=0.9", Locale::zh_Hans),
            ("zh;q=nonsense,en;q=0.1", Locale::en),
        ] {
            assert_eq!(best_locale(header), locale, "{header}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let header = "xtheme=light; theme=dark; lang=zh-Hant";
        assert_eq!(cookie(header, "theme"), Some("dark"));
        assert_eq!(cookie(header, "lang"), Some("zh-Hant"));
        assert_eq!(cookie(header, "them"), None);
    }

    #[test]
    fn what_the_page_does_not_know_is_the_default() {
        let chosen = Preferences::read(|_| Some("nonsense".into()), Locale::en);
        let default =
            Preferences { theme: Theme::System, locale: Locale::en, roomy: false, single_keys: true, scope: None };
        assert_eq!(chosen, default);
    }
}
