//! How the layers come together, and what is refused.

#![allow(clippy::result_large_err, reason = "figment's own error, in its jail")]

use super::*;
use std::path::Path;

/// The configuration that `toml` and `flags` make. In a jail, for other tests set variables of the environment.
fn load(toml: &str, flags: Options) -> Result<Config, ConfigError> {
    let mut loaded = None;
    figment::Jail::expect_with(|jail| {
        jail.create_file("given.toml", toml)?;
        loaded = Some(Config::load(&Options { config: Some("given.toml".into()), ..flags.clone() }));
        Ok(())
    });
    loaded.expect("the jail ran")
}

#[track_caller]
fn refuses(toml: &str, words: &[&str]) {
    let error = load(toml, Options::default()).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "{error:?} does not name {word:?}");
    }
}

#[test]
fn without_anything_the_embedded_broker_serves_on_loopback() {
    let config = load("", Options::default()).unwrap();
    assert!(config.server.listen.ip().is_loopback());
    let engine = config.engine("build".into()).unwrap();
    assert!(matches!(engine.brokers, Brokers::Embedded { .. }));
    assert_eq!(engine.feeds.len(), 1);
    assert_eq!(engine.feeds[0].group.topics, ["test-topic"]);
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    figment::Jail::expect_with(|jail| {
        jail.create_file(
            "ottla.toml",
            "[kafka]\nbrokers = \"file:1\"\n[feed]\ngroup = \"file\"\n[consumer]\ncommit_interval_ms = 100\n[log]\nformat = \"text\"",
        )?;
        jail.set_env("OTTLA_KAFKA__BROKERS", "environment:1");
        jail.set_env("OTTLA_FEED__GROUP", "environment");
        jail.set_env("OTTLA_LOG__FORMAT", "json");
        let flags = Options { group: Some("flag".into()), ..Options::default() };
        let config = Config::load(&flags).expect("all three layers are legal");
        assert_eq!(config.kafka.brokers, "environment:1");
        assert_eq!(config.feed.group, "flag");
        assert_eq!(config.consumer.commit_interval_ms, 100);
        assert_eq!(config.log.format, LogFormat::Json);
        let flags = Options { log_format: Some(LogFormat::Text), ..Options::default() };
        assert_eq!(Config::load(&flags).expect("legal too").log.format, LogFormat::Text);
        Ok(())
    });
}

#[test]
fn read_only_is_said_in_the_file_the_environment_or_a_flag() {
    assert!(!load("", Options::default()).unwrap().read_only);
    assert!(load("read_only = true", Options::default()).unwrap().read_only);
    assert!(load("", Options { read_only: true, ..Options::default() }).unwrap().read_only);
    figment::Jail::expect_with(|jail| {
        jail.set_env("OTTLA_READ_ONLY", "true");
        let config = Config::load(&Options::default()).expect("a key without a section");
        assert!(config.read_only && config.engine(String::new()).expect("legal").read_only);
        assert!(config.shown().starts_with("read_only = true\n"), "{}", config.shown());
        Ok(())
    });
}

#[test]
fn variables_of_the_environment_that_are_no_keys_are_left_alone() {
    figment::Jail::expect_with(|jail| {
        jail.set_env("OTTLA_CACHE", "/somewhere");
        Config::load(&Options::default()).expect("OTTLA_CACHE is no key");
        Ok(())
    });
}

#[test]
fn an_unknown_key_is_named() {
    refuses("[kafka]\nbroker = \"a:1\"", &["broker", "unknown"]);
    refuses("[kaffka]\nbrokers = \"a:1\"", &["kaffka"]);
    figment::Jail::expect_with(|jail| {
        jail.set_env("OTTLA_KAFKA__BROKRES", "a:1");
        let error = Config::load(&Options::default()).expect_err("the key is unknown").to_string();
        assert!(error.contains("brokres"), "{error}");
        Ok(())
    });
}

#[test]
fn a_value_that_breaks_a_rule_is_named_with_the_rule() {
    refuses("[kafka]\nbrokers = \"localhost\"", &["kafka.brokers", "host:port"]);
    refuses("[feed]\ntopics = [\"a b\"]", &["feed.topics", "249"]);
    refuses("[feed]\ntopics = []", &["feed.topics", "at least one"]);
    refuses("[consumer]\nheartbeat_interval_ms = 6000", &["consumer.heartbeat_interval_ms", "session_timeout_ms"]);
    refuses("[server]\nlisten = \"nowhere\"", &["server.listen"]);
    refuses("[server]\norigins = [\"https://a.example/\"]", &["server.origins", "without a path"]);
    refuses("[topics]\npartitions = 0", &["topics.partitions", "1 to 10000"]);
    refuses("[[feeds]]\nname = \"default\"", &["feeds[0].name", "taken"]);
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let options = Options { config: Some("no-such-file.toml".into()), ..Options::default() };
    assert!(matches!(Config::load(&options), Err(ConfigError::NoFile(_))));
}

#[test]
fn secrets_are_hidden_and_can_come_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "from-file\n").unwrap();
    let toml = format!(
        "[kafka.properties]\n\"sasl.password\" = \"hunter2\"\n\"sasl.username\" = \"me\"\n[kafka.property_files]\n\"ssl.key.password\" = {secret:?}"
    );
    let config = load(&toml, Options::default()).unwrap();
    let shown = config.shown();
    assert!(!shown.contains("hunter2") && shown.contains(HIDDEN) && shown.contains("me"), "{shown}");
    let engine = config.engine(String::new()).unwrap();
    assert_eq!(engine.client.properties["ssl.key.password"], "from-file");
    let debug = format!("{engine:?}");
    assert!(!debug.contains("hunter2") && !debug.contains("from-file"), "{debug}");
}

/// `docs/CONFIGURATION.md` has a row for each key, with its default.
#[test]
fn every_key_is_documented_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFIGURATION.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut defaults = Config::default();
    // The one default that hangs on the machine.
    defaults.embedded.data_dir = "STATE/ottla".into();
    let toml::Value::Table(sections) = toml::Value::try_from(&defaults).unwrap() else { panic!("sections") };
    let has = |key: &str, default: &toml::Value| {
        let row = format!("| `{key}` | `{default}` |");
        assert!(text.contains(&row), "docs/CONFIGURATION.md lacks: {row}");
    };
    for (section, keys) in sections {
        match keys {
            toml::Value::Table(keys) => {
                keys.iter().for_each(|(key, default)| has(&format!("{section}.{key}"), default))
            }
            // Each of `[[feeds]]` is as `[feed]` is.
            toml::Value::Array(_) => {}
            default => has(&section, &default),
        }
    }
}

/// What there is to start from is read as it stands, and with what is commented out in it.
#[test]
fn the_examples_are_configurations() {
    for (file, groups) in [
        (
            "ottla.example.toml",
            [("default", "ottla", "test-topic"), ("inventory", "InventoryConsumerGroup", "inventory-update")]
                .as_slice(),
        ),
        ("deploy/kubernetes/ottla.toml", &[("default", "ottla", "test-topic")]),
    ] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap();
        let is_key = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        let line = |line: &str| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line).to_owned();
        let uncommented: Vec<_> = text.lines().map(line).collect();
        let uncommented = uncommented.join("\n");
        assert!(uncommented.lines().count() == text.lines().count() && uncommented != text, "{file}");
        for toml in [&text, &uncommented] {
            let config = load(toml, Options::default()).unwrap();
            let feeds = std::iter::once(&config.feed).chain(&config.feeds);
            let found: Vec<_> = feeds.map(|feed| (&*feed.name, &*feed.group, &*feed.topics[0])).collect();
            assert_eq!(found, groups, "{file}");
        }
    }
}
