//! `POST /api/inventory`: the example of the tutorials, a stock level that goes to a topic as JSON.

use crate::http::{extract::Body, problem::Problem};
use axum::{Json, extract::State};
use engine::Engine;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use wire::{Encoding, ProduceError, ProduceInput, Receipt, Rule};

/// Where the updates go.
const TOPIC: &str = "inventory-update";
/// What is answered where it is missing, and not to be created.
const NO_TOPIC: &str = "the topic inventory-update does not exist, and this instance creates none (topics.create): create it, or have \
                        the instance consume it: [[feeds]] with name = \"inventory\", group = \"inventory\", topics = [\"inventory-update\"]";
/// The longest text of a field, in characters.
const LONGEST: usize = 200;

/// How much there is of a product.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Inventory {
    /// The product's id, the message's key: updates of a product stay in order.
    #[schema(min_length = 1, max_length = 200, example = "P-1001")]
    product_id: String,
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, example = "Laptop")]
    product_name: String,
    /// How many there are now.
    #[schema(maximum = 2147483647, example = 25)]
    quantity: u32,
    /// Where they lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, example = "Taipei")]
    warehouse: Option<String>,
}

impl Inventory {
    fn check(&self) -> Result<(), Problem> {
        let texts = [
            ("productId", Some(&self.product_id)),
            ("productName", Some(&self.product_name)),
            ("warehouse", self.warehouse.as_ref()),
        ];
        let mut errors = Vec::new();
        for (field, text) in texts {
            let Some(text) = text else { continue };
            match text.chars().count() {
                0 => errors.push((field.to_owned(), "must not be empty".to_owned())),
                length if length > LONGEST => errors.push((field.to_owned(), format!("at most {LONGEST} characters"))),
                _ => {}
            }
        }
        if i32::try_from(self.quantity).is_err() {
            errors.push(("quantity".to_owned(), format!("at most {}", i32::MAX)));
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }
}

/// Tell a stock level
///
/// Goes to the topic `inventory-update` as JSON, with the product's id as its key. Where the topic is missing it is created, if
/// `topics.create` allows it.
#[utoipa::path(post, path = "/api/inventory", tag = "messages", request_body = Inventory, responses(
    (status = 200, description = "Acknowledged", body = Receipt),
    (status = 409, description = "The topic does not exist, and this instance creates none: `topics.create`", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "A field broke a rule", body = Problem, content_type = "application/problem+json"),
    (status = 502, description = "Kafka refused", body = Problem, content_type = "application/problem+json"),
    (status = 504, description = "Kafka did not answer in time; the message may have been stored", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn update(
    State(engine): State<Arc<Engine>>,
    Body(inventory): Body<Inventory>,
) -> Result<Json<Receipt>, Problem> {
    inventory.check()?;
    let input = ProduceInput {
        topic: TOPIC.into(),
        key_encoding: Encoding::Text,
        key: inventory.product_id.clone(),
        value_encoding: Encoding::Json,
        value: serde_json::to_string(&inventory)
            .map_err(|error| Problem::invalid([("body".into(), error.to_string())]))?,
        ..ProduceInput::default()
    };
    let mut told = engine.produce(&input).await;
    if is_without_topic(&told) {
        if !engine.find_or_make_topic(TOPIC).await? {
            return Err(Problem::new(StatusCode::CONFLICT, "unknown-topic", NO_TOPIC));
        }
        told = engine.produce(&input).await;
    }
    if is_without_topic(&told) {
        let detail = "the topic inventory-update is there, and not every broker has heard of it: tell it again";
        return Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "kafka-timed-out", detail));
    }
    Ok(Json(told?))
}

/// Whether the topic is missing: no field of what was told is wrong then.
fn is_without_topic(told: &Result<Receipt, ProduceError>) -> bool {
    matches!(told, Err(ProduceError::Invalid(errors)) if errors.iter().any(|error| error.rule == Rule::UnknownTopic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_broke_a_rule_is_named() {
        let inventory = Inventory {
            product_id: String::new(),
            product_name: "ä".repeat(LONGEST + 1),
            quantity: u32::MAX,
            warehouse: Some("here".into()),
        };
        let problem = serde_json::to_value(inventory.check().unwrap_err()).unwrap();
        let fields: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["productId", "productName", "quantity"]);
    }
}
