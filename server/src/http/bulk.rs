//! `POST /produce/many`: many messages from a form, as text or as a file. The page comes again with what became of each.

use super::{AppState, outcome, problem::Problem};
use app::{BulkError, BulkForm, BulkLine, BulkOutcome, MOST_BYTES, MOST_LINES, left};
use axum::{
    extract::{
        Multipart, State,
        multipart::{MultipartError, MultipartRejection},
    },
    response::Response,
};
use engine::Fate;
use http::{HeaderMap, StatusCode};
use std::{collections::HashSet, time::Duration};
use tokio::time::timeout;
use wire::{lines, lines::LineFormat};

/// The largest body: a text and what a form has around it.
pub(super) const MOST_BODY: usize = MOST_BYTES + 64 * 1024;
/// How long a browser may take to send it.
const SENT_WITHIN: Duration = Duration::from_secs(60);
/// How much of a message is shown beside its result, in characters.
const HEAD: usize = 120;

/// Takes the form.
pub(super) async fn send(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Response {
    let (mut form, read) = match body {
        Ok(body) => read(body, SENT_WITHIN).await,
        Err(rejection) => (BulkForm::default(), Err(BulkError::Broken(rejection.body_text()))),
    };
    let outcome = match read {
        Ok(given) => produce(&state, &mut form, given).await.map(|lines| (lines, form.clone())),
        Err(error) => Err(error),
    };
    let (status, outcome) = match outcome {
        Ok((lines, form)) => (status(&lines), BulkOutcome::Done { form, lines }),
        Err(error) => {
            let status = match error {
                BulkError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                BulkError::Late => StatusCode::REQUEST_TIMEOUT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            (status, BulkOutcome::Refused { form, error })
        }
    };
    outcome::page(&state, &headers, "/produce/many", status, outcome).await
}

/// Messages, and how they are to be read.
struct Given {
    format: LineFormat,
    text: Vec<u8>,
    is_file: bool,
}

/// What was filled in, and the messages: those of the text or those of the file.
async fn read(mut body: Multipart, within: Duration) -> (BulkForm, Result<Given, BulkError>) {
    let (mut form, mut text, mut file, mut file_name) = (BulkForm::default(), Vec::new(), Vec::new(), String::new());
    let mut fields = async || -> Result<(), MultipartError> {
        while let Some(field) = body.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            let of_file = field.file_name().unwrap_or_default().to_owned();
            let content = field.bytes().await?;
            let plain = || String::from_utf8_lossy(&content).into_owned();
            match name.as_str() {
                "topic" => form.topic = plain(),
                "partition" => form.partition = plain(),
                "key" => form.keyless = plain() == "none",
                "format" => {
                    form.format = LineFormat::ALL.into_iter().find(|format| format.name() == plain());
                }
                "others_go" => form.others_go = true,
                "text" => text = content.to_vec(),
                "file" => (file, file_name) = (content.to_vec(), of_file),
                _ => {}
            }
        }
        Ok(())
    };
    let read = timeout(within, fields()).await;
    // What a browser gives back of it is the same: line breaks apart, a form's text is text.
    form.text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
    let read = match read {
        Err(_) => Err(BulkError::Late),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(BulkError::TooLarge),
        Ok(Err(error)) => Err(BulkError::Broken(error.body_text())),
        Ok(Ok(())) => match (form.text.trim().is_empty(), file.trim_ascii().is_empty()) {
            (true, true) => Err(BulkError::Nothing),
            (false, false) => Err(BulkError::Both),
            (false, true) => {
                let (format, text) = (form.format.unwrap_or_default(), form.text.clone().into_bytes());
                Ok(Given { format, text, is_file: false })
            }
            // Plain lines of what is none can't be taken back: where nothing tells, the form asks.
            (true, false) => match form.format.or_else(|| LineFormat::of_file(&file_name)) {
                Some(format) => Ok(Given { format, text: file, is_file: true }),
                None => Err(BulkError::Ending(file_name)),
            },
        },
    };
    (form, read)
}

async fn produce(state: &AppState, form: &mut BulkForm, given: Given) -> Result<Vec<BulkLine>, BulkError> {
    let Given { format, mut text, is_file } = given;
    // Lines from here on, also in the form.
    if format == LineFormat::Json
        && let Some(array) = lines::of_array(&text)
    {
        text = array.map_err(BulkError::NoArray)?;
    }
    let lines = lines::lines(format, &text, &form.like(), MOST_LINES + 1);
    if lines.is_empty() {
        return Err(BulkError::Nothing);
    }
    if lines.len() > MOST_LINES {
        return Err(BulkError::TooMany);
    }
    let (places, inputs): (Vec<_>, Vec<_>) =
        lines.into_iter().map(|line| ((line.number, head(line.text)), line.input)).unzip();
    let fates = state.engine.produce_many(inputs, form.others_go).await;
    let lines = places.into_iter().zip(fates);
    let lines: Vec<_> = lines.map(|((number, head), fate)| BulkLine { number, head, fate }).collect();
    // What is no text can't be mended in a form.
    if let Ok(text) = std::str::from_utf8(&text) {
        let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
        let stored: HashSet<_> =
            lines.iter().filter(|line| matches!(line.fate, Fate::Stored(_))).map(|line| line.number).collect();
        form.text = left(text, &numbers, &stored);
        if is_file && !form.text.is_empty() {
            // It is a text now, which no name tells how to read.
            form.format = Some(format);
        }
    }
    Ok(lines)
}

fn head(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * HEAD)]);
    let mut head: String = text.chars().take(HEAD).collect();
    if head.len() < text.len() {
        head.push('…');
    }
    head
}

/// The worst of what happened: the page says the rest.
fn status(lines: &[BulkLine]) -> StatusCode {
    let of = |line: &BulkLine| match &line.fate {
        Fate::Stored(_) | Fate::Held => StatusCode::OK,
        Fate::Unreadable(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Fate::Failed(error) => Problem::from(error.clone()).status(),
    };
    lines.iter().map(of).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        body::{Body, Bytes},
        extract::{FromRequest, Request},
    };
    use futures::{StreamExt, stream};
    use std::io;

    #[tokio::test]
    async fn a_form_that_does_not_come_to_its_end_is_not_waited_for() {
        let begin = "--x\r\ncontent-disposition: form-data; name=\"topic\"\r\n\r\norders\r\n--x\r\n";
        let begin = stream::once(async move { Ok::<_, io::Error>(Bytes::from(begin)) });
        let body = Body::from_stream(begin.chain(stream::pending()));
        let request = Request::post("/").header("content-type", "multipart/form-data; boundary=x").body(body).unwrap();
        let form = Multipart::from_request(request, &()).await.unwrap();
        let read = timeout(Duration::from_secs(10), read(form, Duration::from_millis(50)));
        let (form, read) = read.await.expect("it is given up");
        assert!(matches!(read, Err(BulkError::Late)));
        assert_eq!(form.topic, "orders", "what came is kept");
    }
}
