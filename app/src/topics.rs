//! Topics as forms have them: what was typed, what it means, what came of it.

use wire::{
    ConfigEntry, ConfigInput, ConfigSource, PartitionsInput, Topic, TopicError, TopicField, TopicFieldError,
    TopicInput, TopicRule,
};

/// The form of a new topic as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicForm {
    /// The name.
    pub name: String,
    /// How many partitions; empty: the cluster's default.
    pub partitions: String,
    /// How many replicas; empty: the cluster's default.
    pub replication: String,
    /// Names and values of settings.
    pub config: Vec<(String, String)>,
}

impl TopicForm {
    /// The form of a topic that is to be like another one: so many partitions and replicas, and what is set on it alone.
    pub fn like(topic: &Topic, config: &[ConfigEntry]) -> Self {
        let set = config.iter().filter(|entry| entry.source == ConfigSource::Topic);
        Self {
            name: String::new(),
            partitions: topic.partitions.len().to_string(),
            replication: topic.partitions.first().map(|first| first.replicas.len().to_string()).unwrap_or_default(),
            config: set.map(|entry| (entry.name.clone(), entry.value.clone().unwrap_or_default())).collect(),
        }
    }

    /// What it asks for.
    ///
    /// # Errors
    /// Every field that broke a rule, in the form's order.
    pub fn read(&self) -> Result<TopicInput, Vec<TopicFieldError>> {
        let mut errors = Vec::new();
        let mut number = |field, text: &str| match whole(text) {
            Ok(number) => number,
            Err(rule) => {
                errors.push(TopicFieldError { field, rule });
                None
            }
        };
        let input = TopicInput {
            partitions: number(TopicField::Partitions, &self.partitions),
            replication: number(TopicField::Replication, &self.replication),
            name: self.name.clone(),
            config: self
                .config
                .iter()
                .map(|(name, value)| ConfigInput { name: name.clone(), value: Some(value.clone()) })
                .collect(),
        };
        errors.extend(input.check().err().into_iter().flatten());
        errors.sort_by_key(|error| error.field);
        if errors.is_empty() { Ok(input) } else { Err(errors) }
    }
}

/// What was typed to change a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeForm {
    /// The topic's name again.
    pub confirm: String,
    /// How many partitions there are to be.
    pub partitions: String,
    /// A setting's name.
    pub setting: String,
    /// Its value.
    pub value: String,
    /// Whether its default is to hold again.
    pub back_to_default: bool,
}

impl ChangeForm {
    /// How many partitions it asks for.
    ///
    /// # Errors
    /// When it is no number. What was typed to confirm is looked at then too.
    pub fn partitions(&self, topic: &str) -> Result<PartitionsInput, TopicError> {
        let error = |rule| {
            let partitions = TopicFieldError { field: TopicField::Partitions, rule };
            let confirm = wire::check_confirmed(topic, &self.confirm).err();
            TopicError::Invalid([partitions].into_iter().chain(confirm).collect())
        };
        match whole(&self.partitions) {
            Ok(Some(partitions)) => Ok(PartitionsInput { partitions, confirm: self.confirm.clone() }),
            Ok(None) => Err(error(TopicRule::Required)),
            Err(rule) => Err(error(rule)),
        }
    }

    /// The setting that it asks for.
    pub fn setting(&self) -> ConfigInput {
        let value = (!self.back_to_default).then(|| self.value.clone());
        ConfigInput { name: self.setting.trim().into(), value }
    }
}

/// A number, or none where nothing was typed.
fn whole(text: &str) -> Result<Option<i32>, TopicRule> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| TopicRule::Number),
    }
}

/// What can be done to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicAction {
    /// A setting.
    Config,
    /// More partitions.
    Partitions,
    /// Its records are deleted.
    Empty,
    /// It is deleted.
    Delete,
}

impl TopicAction {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Config, Self::Partitions, Self::Empty, Self::Delete];

    /// The last part of the address that it is posted to.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Partitions => "partitions",
            Self::Empty => "empty",
            Self::Delete => "delete",
        }
    }
}

/// A form about topics that was posted and comes back. The server puts it into the context when it renders the form's page again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicOutcome {
    /// A line for one more setting was asked for, and nothing was done yet.
    OneMore(TopicForm),
    /// The topic was not made.
    NotCreated {
        /// What was typed.
        form: TopicForm,
        /// Why.
        error: TopicError,
    },
    /// The topic was not changed.
    NotChanged {
        /// What was to be done.
        action: TopicAction,
        /// What was typed.
        form: ChangeForm,
        /// Why.
        error: TopicError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::TopicPartition;

    #[test]
    fn a_form_says_all_that_is_wrong_with_it_in_its_order() {
        let form = TopicForm {
            name: "a b".into(),
            partitions: "six".into(),
            replication: " 3 ".into(),
            config: vec![(String::new(), "1".into())],
        };
        let fields: Vec<_> = form.read().unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, [TopicField::Name, TopicField::Partitions, TopicField::ConfigName(0)]);
        let right = TopicForm { name: "a".into(), partitions: String::new(), config: Vec::new(), ..form };
        let input = right.read().unwrap();
        assert_eq!((input.partitions, input.replication), (None, Some(3)));
    }

    #[test]
    fn a_topic_like_another_one_has_as_many_partitions_and_what_is_set_on_it() {
        let partition = |partition| TopicPartition {
            partition,
            leader: Some(1),
            replicas: vec![1, 2, 3],
            in_sync: vec![1],
            first: None,
            end: None,
            unknown: None,
        };
        let topic = Topic { name: "orders".into(), id: None, partitions: (0..6).map(partition).collect() };
        let entry = |name: &str, source| ConfigEntry {
            name: name.into(),
            value: Some("1".into()),
            source,
            default: None,
            read_only: false,
            sensitive: false,
        };
        let config = [entry("retention.ms", ConfigSource::Topic), entry("segment.ms", ConfigSource::Broker)];
        let expected = TopicForm {
            name: String::new(),
            partitions: "6".into(),
            replication: "3".into(),
            config: vec![("retention.ms".into(), "1".into())],
        };
        assert_eq!(TopicForm::like(&topic, &config), expected);
    }

    #[test]
    fn a_number_of_partitions_is_one() {
        let form = |partitions: &str| ChangeForm {
            partitions: partitions.into(),
            confirm: "t".into(),
            ..ChangeForm::default()
        };
        assert_eq!(form("7").partitions("t").unwrap().partitions, 7);
        let rule = |form: ChangeForm| match form.partitions("t").unwrap_err() {
            TopicError::Invalid(errors) => errors.into_iter().map(|error| error.rule).collect::<Vec<_>>(),
            other => panic!("{other}"),
        };
        assert_eq!(rule(form("7.5")), [TopicRule::Number]);
        let wrong = ChangeForm { confirm: "u".into(), ..form("") };
        assert_eq!(rule(wrong), [TopicRule::Required, TopicRule::Confirm { name: "t".into() }]);
    }

    #[test]
    fn a_setting_is_a_value_or_the_default() {
        let form = ChangeForm { setting: " a ".into(), value: String::new(), ..ChangeForm::default() };
        assert_eq!(form.setting(), ConfigInput { name: "a".into(), value: Some(String::new()) });
        assert_eq!(ChangeForm { back_to_default: true, ..form }.setting().value, None);
    }
}
