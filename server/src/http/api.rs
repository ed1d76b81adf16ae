//! The HTTP API for programs: its routes, their description (OpenAPI 3.1, made from the code) and Swagger UI, from the binary. What
//! a route does is in the files below. Errors are [`Problem`]s.

mod bulk;
mod cluster;
mod docs;
mod feeds;
mod groups;
mod inventory;
mod records;
mod send;
mod topics;

use super::{
    AppState,
    problem::{KINDS, Problem},
    sse,
};
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    response::IntoResponse,
    routing::{any, get},
};
use engine::Engine;
use http::StatusCode;
use serde::Deserialize;
use std::{fmt::Write as _, sync::Arc};
use utoipa::{
    IntoParams, OpenApi,
    openapi::{RefOr, Response, content::ContentBuilder, path::Operation},
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Where the description is.
const DESCRIPTION: &str = "/api/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ottla",
        description = "Kafka, live in the browser. Numbers of 64 bits are strings in JSON, for JavaScript's are exact up to 2^53 \
                       only. Errors are problem details (RFC 9457), with field and rule where a field is wrong; so are 404 of an \
                       address and 405 of a method that there is not, the latter with `Allow`.",
        license(name = "Apache-2.0")
    ),
    components(schemas(Problem)),
    tags(
        (name = "messages", description = "Producing, and reading one message"),
        (name = "feeds", description = "What this instance's members of consumer groups consume, live"),
        (name = "groups", description = "Consumer groups: where they are, and moving them"),
        (name = "topics", description = "The cluster's topics"),
        (name = "cluster", description = "Brokers, where each partition lives, and what changed"),
    )
)]
struct Description;

/// What is to be destroyed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Confirmed {
    /// The name of the topic or the group once more.
    #[serde(default)]
    confirm: String,
}

/// The routes of `/api`.
pub(super) fn routes() -> Router<AppState> {
    let (routes, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(send::send))
        .routes(routes!(inventory::update))
        .routes(routes!(topics::list, topics::create))
        .routes(routes!(topics::one, topics::delete))
        .routes(routes!(topics::config, topics::configure))
        .routes(routes!(topics::partitions))
        .routes(routes!(records::browse, records::produce, topics::empty))
        .routes(routes!(bulk::produce).layer(DefaultBodyLimit::max(bulk::MOST_BODY)))
        .routes(routes!(topics::record))
        .routes(routes!(records::again))
        .routes(routes!(feeds::list))
        .routes(routes!(feeds::one))
        .routes(routes!(sse::stream))
        .routes(routes!(cluster::one))
        .routes(routes!(groups::list))
        .routes(routes!(groups::one, groups::delete))
        .routes(routes!(groups::delete_offsets))
        .routes(routes!(groups::reset))
        .routes(routes!(groups::replay))
        .split_for_parts();
    describe_problems(&mut description);
    describe_kinds(&mut description);
    let description = Arc::new(description);
    let page = SwaggerUi::new("/api/docs").config(Config::from(DESCRIPTION).use_base_layout());
    routes
        .route(DESCRIPTION, get(move || async move { Json(description).into_response() }))
        .method_not_allowed_fallback(not_allowed)
        .merge(page)
        .route("/api/docs/index.css", get(docs::style))
        .route("/api", any(unknown))
        .route("/api/", any(unknown))
        .route("/api/{*path}", any(unknown))
}

/// Where the types of problems lead.
fn describe_kinds(description: &mut utoipa::openapi::OpenApi) {
    let text = description.info.description.get_or_insert_default();
    text.push_str("\n\nThe `type` of a problem leads here, to one of:\n");
    for (kind, title) in KINDS {
        let _ = write!(text, "\n- `{kind}`: {title}");
    }
}

/// What any request can be answered: the guard's, the body's limit, a cluster that does not answer.
fn describe_problems(description: &mut utoipa::openapi::OpenApi) {
    let schema = utoipa::openapi::Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let problem = |what: &str| {
        let mut response = Response::new(what);
        response.content.insert("application/problem+json".into(), RefOr::T(content.clone()));
        RefOr::T(response)
    };
    let describe = |operation: &mut Operation, changes: bool| {
        let responses = &mut operation.responses.responses;
        responses.entry("400".into()).or_insert_with(|| problem("The address or the body can't be read"));
        responses.entry("421".into()).or_insert_with(|| problem("This server is not called so: `server.hosts`"));
        if changes {
            responses.entry("403".into()).or_insert_with(|| {
                problem("From another site: `server.origins`; or this instance changes nothing: `read_only`")
            });
            responses.entry("408".into()).or_insert_with(|| problem("The body did not come in time"));
            responses
                .entry("413".into())
                .or_insert_with(|| problem("The body is too large: `server.body_limit_bytes`"));
        }
    };
    for path in description.paths.paths.values_mut() {
        for operation in path.get.iter_mut() {
            describe(operation, false);
        }
        for operation in [&mut path.post, &mut path.patch, &mut path.delete].into_iter().flatten() {
            describe(operation, true);
        }
        for operation in path.post.iter_mut() {
            let responses = &mut operation.responses.responses;
            responses.entry("415".into()).or_insert_with(|| problem("The content type is not `application/json`"));
        }
    }
}

/// Whether somebody may produce to a topic of this name, which `field` has.
fn check_open(field: &str, topic: &str) -> Result<(), Problem> {
    Engine::why_closed(topic).map_or(Ok(()), |why| Err(Problem::invalid([(field.into(), why.into())])))
}

async fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "the API has no such address: see /api/docs")
}

async fn not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "the address has other methods: see Allow")
}
