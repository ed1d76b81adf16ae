//! The translations: the same texts in every language, with the same things put into them, each used and none written twice. The
//! compiler sees to it that no text is used that there is none of.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    marker::PhantomData,
    path::Path,
};

/// An object of JSON as it is written: a key that stands there twice is there twice.
struct Pairs<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reading<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reading(PhantomData))
    }
}

/// The texts of a language, by `section.key`.
fn texts(language: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(format!("{language}.json"));
    let Pairs(sections): Pairs<Pairs<String>> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut texts = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (section, Pairs(keys)) in sections {
        assert!(names.insert(section.clone()), "{language}: {section} stands there twice");
        for (key, text) in keys {
            let key = format!("{section}.{key}");
            assert!(!text.trim().is_empty(), "{language}: {key} is empty");
            assert_eq!(texts.insert(key.clone(), text), None, "{language}: {key} stands there twice");
        }
    }
    texts
}

/// What is put into a text: `{{ name }}`.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split("{{").skip(1).map(|rest| rest.split_once("}}").expect("it ends").0.trim()).collect()
}

#[test]
fn every_language_has_the_same_texts_with_the_same_placeholders() {
    let english = texts("en");
    for language in ["zh-Hant", "zh-Hans"] {
        let other = texts(language);
        let keys = |texts: &BTreeMap<String, String>| texts.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&other).symmetric_difference(&keys(&english)).collect::<Vec<_>>(), [""; 0], "{language}");
        for (key, text) in &english {
            assert_eq!(placeholders(&other[key]), placeholders(text), "{language}: {key}");
        }
    }
}

#[test]
fn beside_a_chinese_character_punctuation_is_full_width() {
    let is_han = |letter: &char| ('\u{4e00}'..='\u{9fff}').contains(letter);
    for language in ["zh-Hant", "zh-Hans"] {
        for (key, text) in texts(language) {
            let letters: Vec<_> = text.chars().collect();
            for (at, _) in letters.iter().enumerate().filter(|(_, letter)| ",.;:!?()".contains(**letter)) {
                let before = letters[..at].last();
                let after = letters[at + 1..].iter().find(|letter| **letter != ' ');
                assert!(!before.is_some_and(is_han) && !after.is_some_and(is_han), "{language}: {key}: {text}");
            }
        }
    }
}

/// Words that mean something else there, or for which there is another one.
#[test]
fn one_thing_has_one_word() {
    for (language, unwanted) in [
        ("zh-Hant", ["實例", "消息", "壓縮", "記錄", "動態"].as_slice()),
        ("zh-Hans", ["执行个体", "讯息", "压缩", "标头", "位移", "动态"].as_slice()),
    ] {
        for (key, text) in texts(language) {
            let found: Vec<_> = unwanted.iter().filter(|word| text.contains(**word)).collect();
            assert!(found.is_empty(), "{language}: {key}: {text}: {found:?}");
            assert!(!text.replace("偏移量", "").contains("位移"), "{language}: {key}: {text}");
        }
    }
}

#[test]
fn every_text_is_used() {
    let mut sources = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    // `td_string!(locale, section.key, …)`, over lines as the formatter likes.
    let calls = sources.split("td_string!(").skip(1).filter_map(|call| call.split_once(','));
    let is_of_a_key = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let used: BTreeSet<_> = calls
        .map(|(_, rest)| rest.trim_start().split(|letter| !is_of_a_key(letter)).next().unwrap().to_owned())
        .collect();
    let unused: Vec<_> = texts("en").into_keys().filter(|key| !used.contains(key)).collect();
    assert_eq!(unused, [""; 0]);
}

fn read(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
