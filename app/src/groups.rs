//! What can be deleted of a group, as forms have it.

use wire::GroupError;

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupForm {
    /// The group's name again.
    pub confirm: String,
    /// Whose offsets are to be deleted.
    pub topic: String,
}

/// What can be done to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupAction {
    /// Its offsets of a topic are deleted.
    Offsets,
    /// It is deleted.
    Delete,
}

impl GroupAction {
    /// The last part of the address that it is posted to.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offsets => "offsets",
            Self::Delete => "delete",
        }
    }
}

/// A form that was posted in vain. The server puts it into the context when it renders the group's page again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOutcome {
    /// What was to be done.
    pub action: GroupAction,
    /// What was typed.
    pub form: GroupForm,
    /// Why it was not.
    pub error: GroupError,
}
